"""The expected anatomy along a whole vessel by a generator that is conditioned on each slice: nothing is searched."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from monai_cardiac_gan.inferers.amortised import AmortisedInferer
from monai_cardiac_gan.inferers.inpainted_vessel import InpaintedVessel
from monai_cardiac_gan.inferers.masks import checked_masks

__all__ = ["AmortisedVessel"]


class AmortisedVessel:
    """Paint the slices of one vessel, each from what is known around its hole, all with the same latents.

    Every answer has one latent and one noise for the whole vessel, so that only what the slices show differs from one to the
    next. What is expected of a slice is the generator's typical image, which the answers lie around.

    Args:
        inferer: draws the answers; its ``starts`` are how many.
    """

    def __init__(self, inferer: AmortisedInferer) -> None:
        self.inferer = inferer

    def __call__(
        self, patches: Tensor, masks: Tensor, generator: nn.Module, positions_mm: Tensor, valid: Tensor | None = None
    ) -> InpaintedVessel:
        """Draw; arguments as of `VesselSearch`, but for the generator, see `AmortisedInferer.search`.

        Raises:
            ValueError: see `AmortisedInferer.search`.
        """
        began = time.perf_counter()
        found = self.inferer.search(patches, masks, generator, valid)
        answers = found.latents.shape[1]
        return InpaintedVessel(
            positions_mm=positions_mm.cpu(),
            latents=found.latents.transpose(0, 1),
            generated=found.generated.transpose(0, 1),
            losses=found.losses.T,
            totals=found.losses.mean(0),
            evaluations=torch.zeros(answers, dtype=torch.long),
            stops=found.stops[0],
            seconds=time.perf_counter() - began,
        )

    def images(
        self, found: InpaintedVessel, generator: nn.Module, patches: Tensor, masks: Tensor, heights_mm: Tensor
    ) -> Tensor:
        """The typical image (N, 1, H, W) of every slice; arguments as of `VesselSearch.images`.

        Raises:
            ValueError: when the masks do not fit the patches.
        """
        device = next(generator.parameters()).device
        masks = checked_masks(masks.as_subclass(Tensor).to(device), patches.shape).expand_as(patches)
        return self.inferer.typical(generator, patches.to(device), masks).cpu()
