"""What is expected in a hole before any search."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["EncodedGuess", "Guess", "PaintedGuess"]

Guess = Callable[[Tensor, Tensor, nn.Module], Tensor]
"""Patches (N, 1, H, W), holes of the same shape, bool, and the generator, to images (N, 1, H, W); must not look into the
holes."""


class EncodedGuess:
    """The generator's image of the latent that an encoder gives.

    Args:
        encoder: patches and holes to latents, see `LatentEncoder`; must not look into the holes.
    """

    def __init__(self, encoder: nn.Module) -> None:
        self.encoder = encoder

    @torch.no_grad()
    def __call__(self, patches: Tensor, holes: Tensor, generator: nn.Module) -> Tensor:
        """See `Guess`."""
        images: Tensor = generator(self.encoder(patches, holes))
        return images


class PaintedGuess:
    """What a network paints that was trained to fill holes directly.

    Args:
        network: patches and holes to patches, see `FillingUNet`; must not look into the holes.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    @torch.no_grad()
    def __call__(self, patches: Tensor, holes: Tensor, generator: nn.Module) -> Tensor:
        """See `Guess`."""
        images: Tensor = self.network(patches, holes)
        return images
