"""Small networks that a process can import, as settings of `VesselNetworks` and `ScanRater` have to be."""

import torch
from torch import nn

from monai_cardiac_gan.inferers import Familiarity, LatentBank, VesselNetworks

LATENT, SIDE = 4, 128
MADE = []
"""Names of what was made in this process."""


class TinyGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        MADE.append("generator")
        self.coarse = nn.Linear(LATENT, 64)

    def forward(self, latents, size=SIDE):
        return nn.functional.interpolate(
            self.coarse(latents).tanh().view(-1, 1, 8, 8), size=(size, size), mode="bilinear"
        )


class TinyCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.score = nn.Linear(64, 1)

    def forward(self, images):
        return self.score(nn.functional.adaptive_avg_pool2d(images, 8).flatten(1))[:, 0]


class TinyEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.latent = nn.Linear(64, LATENT)

    def forward(self, patches, masks):
        return self.latent(nn.functional.adaptive_avg_pool2d(patches * ~masks, 8).flatten(1))


class TinyUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, patches, masks):
        return self.mix(patches * ~masks).tanh()


def tiny_bank():
    return LatentBank(latent_size=LATENT, count=20, side=8)


def write_networks(folder, **options):
    """Weights of all parts, and their settings."""
    torch.manual_seed(0)
    generator = TinyGenerator()
    parts = {
        "generator": generator,
        "critic": TinyCritic(),
        "bank": tiny_bank().fill(generator, metric_samples=4),
        "encoder": TinyEncoder(),
        "inpainting_unet": TinyUNet(),
    }
    for name, part in parts.items():
        torch.save(part.state_dict(), folder / f"{name}.pt")
    paths = {f"{name}_path": str(folder / f"{name}.pt") for name in parts}
    made = (TinyGenerator, TinyCritic, tiny_bank, TinyEncoder, TinyUNet)
    return VesselNetworks(*made, **paths, **options)


class TinyTexture(nn.Module):
    """Describes a patch by as many numbers as `Familiarity` takes."""

    def __init__(self):
        super().__init__()
        MADE.append("texture")
        self.describe = nn.Linear(64, Familiarity().mean.numel())

    def texture(self, images, valid):
        return self.describe(nn.functional.adaptive_avg_pool2d(images * valid, 8).flatten(1))
