"""Patches from a generator, the same ones each time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monai_cardiac_gan.networks.frozen import frozen

__all__ = ["sample_patches"]


def sample_patches(
    generator: nn.Module,
    count: int,
    latent_size: int = 100,
    seed: int = 0,
    device: torch.device | str = "cpu",
    batch_size: int = 49,
) -> Tensor:
    """Generate patches of seeded latents, in evaluation mode; what the generator itself draws is seeded as well.

    Args:
        generator: latents (N, latent_size) to patches (N, 1, H, W); its mode is put back.
        count: how many patches.
        latent_size: numbers in a latent.
        seed: of latents and of noise inside the generator.
        device: where to compute.
        batch_size: patches at a time.

    Returns:
        Patches (count, 1, H, W) on the CPU. The global random state is as before.
    """
    latents = torch.randn(count, latent_size, generator=torch.Generator().manual_seed(seed))
    place = torch.device(device)
    with torch.random.fork_rng([place] if place.type == "cuda" else []), torch.no_grad():
        torch.manual_seed(seed)
        generator.to(place)
        with frozen(generator, evaluate=True):
            return torch.cat([generator(part.to(place)).float().cpu() for part in latents.split(batch_size)])
