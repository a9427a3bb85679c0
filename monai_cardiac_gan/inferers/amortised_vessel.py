"""The expected anatomy along a whole vessel by a generator that is conditioned on each slice: nothing is searched."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from monai_cardiac_gan.inferers.amortised import AmortisedInferer
from monai_cardiac_gan.inferers.inpainted_vessel import InpaintedVessel

__all__ = ["AmortisedVessel"]


class AmortisedVessel:
    """Paint the slices of one vessel, each from what is known around its hole, all with the same latents.

    Every answer has one latent for the whole vessel, so that only what the slices show differs from one to the next. As best
    counts the answer that lies nearest to the mean of all at the levels.

    Args:
        inferer: draws the answers; its ``starts`` are how many.
    """

    def __init__(self, inferer: AmortisedInferer) -> None:
        self.inferer = inferer

    def __call__(
        self, patches: Tensor, masks: Tensor, generator: nn.Module, positions_mm: Tensor, valid: Tensor | None = None
    ) -> InpaintedVessel:
        """Draw; arguments as of `VesselSearch`, but for the generator, which has ``encode`` and ``decode``.

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

    @torch.no_grad()
    def images(
        self, found: InpaintedVessel, generator: nn.Module, patches: Tensor, masks: Tensor, heights_mm: Tensor
    ) -> Tensor:
        """The best answer's image (N, 1, H, W) of every slice; arguments as of `VesselSearch.images`."""
        return self.inferer.answers(generator, patches, masks, found.latents[found.best, :1])[:, 0].cpu()
