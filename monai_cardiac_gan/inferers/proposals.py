"""What is expected behind a mask before any search."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

__all__ = ["EncoderProposal", "Proposal", "UNetProposal"]


@runtime_checkable
class Proposal(Protocol):
    """Proposes what lies behind the masks; must not look there."""

    def networks(self) -> list[nn.Module]:
        """Its networks, which are frozen during a search."""
        ...

    def __call__(self, patches: Tensor, masks: Tensor, generator: nn.Module) -> Tensor:
        """Images (N, 1, H, W) for patches (N, 1, H, W) and masks of the same shape, bool, true where pixels are hidden."""
        ...


class EncoderProposal:
    """The generator's image of the latent that an encoder gives.

    Args:
        encoder: patches and masks to latents, see `LatentEncoder`; must not look behind the masks.
    """

    def __init__(self, encoder: nn.Module) -> None:
        self.encoder = encoder

    def networks(self) -> list[nn.Module]:
        """The encoder."""
        return [self.encoder]

    @torch.no_grad()
    def __call__(self, patches: Tensor, masks: Tensor, generator: nn.Module) -> Tensor:
        """See `Proposal`."""
        images: Tensor = generator(self.encoder(patches, masks))
        return images


class UNetProposal:
    """What a network paints that was trained to inpaint directly.

    Args:
        network: patches and masks to patches, see `InpaintingUNet`; must not look behind the masks.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def networks(self) -> list[nn.Module]:
        """The network."""
        return [self.network]

    @torch.no_grad()
    def __call__(self, patches: Tensor, masks: Tensor, generator: nn.Module) -> Tensor:
        """See `Proposal`; the generator is not used."""
        images: Tensor = self.network(patches, masks)
        return images
