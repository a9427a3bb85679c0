"""Images of many latents of one generator, kept so that the nearest to a patch are found by one matrix product."""

from __future__ import annotations

import hashlib
import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_cardiac_gan.inferers.latent_metric import SAMPLES, latent_metric
from monai_cardiac_gan.networks.frozen import frozen

__all__ = ["LatentBank"]

BATCH = 64
"""Images that are generated at once while a bank is filled."""
DIGEST_BYTES = 32


class LatentBank(nn.Module):
    r"""Thousands of latents with their images at low resolution, and the metric of the latent space.

    For a patch y with the context M, both reduced to side r, the images g nearest to it have the lowest

    .. math:: \lVert \sqrt{m} \circ (y - g) \rVert_2^2 = \sum m \, y^2 - 2 \, (m \circ y) \cdot g + m \cdot g^2

    with m the share of each pixel that is context: two matrix products for all patches and all images at once.

    A bank belongs to one generator: it is filled by `fill`, then saved and loaded as any module.

    Args:
        latent_size: length of a latent.
        count: how many latents.
        side: r, pixels.

    Raises:
        ValueError: when a number is below 1.

    Example:
        >>> generator = nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8)))
        >>> bank = LatentBank(latent_size=3, count=50, side=4).fill(generator)
        >>> patch = generator(bank.latents[7:8]).detach()
        >>> found = bank.nearest(patch, torch.ones(1, 1, 8, 8, dtype=torch.bool), count=2)
        >>> bool((found[0, 0] == bank.latents[7]).all())
        True
    """

    latents: Tensor
    images: Tensor
    metric: Tensor
    digest: Tensor

    def __init__(self, latent_size: int = 100, count: int = 2048, side: int = 32) -> None:
        super().__init__()
        if min(latent_size, count, side) < 1:
            raise ValueError(
                f"latent_size {latent_size}, count {count} and side {side} must be at least 1: give positive whole numbers."
            )
        self.register_buffer("latents", torch.zeros(count, latent_size))
        self.register_buffer("images", torch.zeros(count, side * side, dtype=torch.float16))
        self.register_buffer("metric", torch.eye(latent_size))
        self.register_buffer("digest", torch.zeros(DIGEST_BYTES, dtype=torch.uint8))

    @property
    def count(self) -> int:
        """How many latents it holds."""
        return len(self.latents)

    def resize(self, count: int) -> None:
        """Make room for so many latents; a bank of another size is then empty."""
        if count != self.count:
            self.latents = self.latents.new_zeros(count, self.latents.shape[1])
            self.images = self.images.new_zeros(count, self.images.shape[1])
            self.digest.zero_()

    @torch.no_grad()
    def fill(self, generator: nn.Module, seed: int = 0, metric_samples: int = SAMPLES) -> LatentBank:
        """Draw latents, generate their images, measure the metric; the generator is in evaluation mode meanwhile.

        Args:
            generator: latents (N, latent_size) to images (N, 1, H, W).
            seed: of the latents.
            metric_samples: see `latent_metric`.

        Returns:
            The bank itself, where it was; the generator may be on another device.
        """
        device = next((each.device for each in generator.parameters()), self.latents.device)
        source = torch.Generator().manual_seed(seed)
        self.latents.copy_(torch.randn(self.latents.shape, generator=source))
        with frozen(generator, evaluate=True):
            parts = [self._reduced(generator(part.to(device))) for part in self.latents.split(BATCH)]
            self.images.copy_(torch.cat(parts).flatten(1))
            self.metric.copy_(latent_metric(generator, self.latents.shape[1], metric_samples, seed))
        self.digest.copy_(digest_of(generator))
        return self

    def belongs_to(self, generator: nn.Module) -> bool:
        """Whether it was filled by a generator with these weights."""
        return bool(torch.equal(self.digest.cpu(), digest_of(generator)))

    @torch.no_grad()
    def nearest(self, patches: Tensor, context: Tensor, count: int) -> Tensor:
        """Latents whose images are nearest to the context of each patch.

        Args:
            patches: (N, 1, H, W).
            context: (N, 1, H, W) bool, true where pixels are inside the field of view and not hidden.
            count: how many for each.

        Returns:
            (N, count, latent_size), the nearest first.
        """
        if not bool(self.digest.any()):
            warnings.warn("the bank is empty: fill it with its generator first.", RuntimeWarning, stacklevel=2)
        weights = self._reduced(context.to(patches.dtype)).flatten(1)
        values = self._reduced(patches * context).flatten(1)  # already times the weights
        images = self.images.to(patches.dtype)
        distances = weights @ images.square().T - 2 * values @ images.T
        return self.latents[distances.topk(count, dim=1, largest=False).indices].to(patches.dtype)

    def _reduced(self, images: Tensor) -> Tensor:
        side = round(self.images.shape[1] ** 0.5)
        return F.adaptive_avg_pool2d(images, side)


def digest_of(network: nn.Module) -> Tensor:
    """(32,) uint8, the SHA-256 of all weights."""
    found = hashlib.sha256()
    for name, value in network.state_dict().items():
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return torch.frombuffer(bytearray(found.digest()), dtype=torch.uint8)
