"""The expected anatomy along a whole vessel by a generator that is conditioned on each slice: nothing is searched."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from monai_cardiac_gan.inferers.amortised import AmortisedInferer
from monai_cardiac_gan.inferers.inpainted_vessel import InpaintedVessel
from monai_cardiac_gan.inferers.masks import checked_masks

__all__ = ["SMOOTHING_MM", "AmortisedVessel", "mean_along"]

SMOOTHING_MM = 4.0
"""With it the painted diameter runs from slice to slice as smoothly as the acquired one, without it more than twice as jumpy; its
error is the same (`benchmarks/continuity.py`)."""
COARSE = 3
"""Of what the encoder saw: its code, and features of 4 x 4 and 8 x 8, which decide how wide a vessel is and where it lies; finer
ones must fit each slice's own surroundings (coarse styles; Karras et al. 2019, section 3.1)."""


class AmortisedVessel:
    """Paint the slices of one vessel, each from what is known around its hole and, at coarse resolution, around its neighbours'.

    What is expected of a slice is the generator's typical image, with the same noise on all slices. Coarse features of what is
    seen are means along the vessel (`mean_along`), so that the painted vessel is continuous. Answers are drawn at the levels,
    each with one latent and one noise for the whole vessel.

    Args:
        inferer: paints; its ``starts`` are how many answers are drawn.
        smoothing_mm: standard deviation of the weights along the vessel; 0 paints each slice alone.

    Raises:
        ValueError: when the smoothing is negative.
    """

    def __init__(self, inferer: AmortisedInferer, smoothing_mm: float = SMOOTHING_MM) -> None:
        if not smoothing_mm >= 0:
            raise ValueError(f"smoothing_mm is {smoothing_mm}: expected at least 0, which paints each slice alone.")
        self.inferer, self.smoothing_mm = inferer, smoothing_mm

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
            typical=found.typical,
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

        def smoothed(seen: list[Tensor]) -> list[Tensor]:
            coarse = [mean_along(features, heights_mm, self.smoothing_mm) for features in seen[:COARSE]]
            return [*coarse, *seen[COARSE:]]

        change = smoothed if self.smoothing_mm else None
        return self.inferer.typical(generator, patches.to(device), masks, change).cpu()


def mean_along(features: Tensor, heights_mm: Tensor, sigma_mm: float) -> Tensor:
    r"""Means of features over the slices of a vessel, with weights

    .. math:: w_{ij} \propto \exp\left(-\frac{(h_i - h_j)^2}{2 \sigma^2}\right), \quad \sum_j w_{ij} = 1.

    Args:
        features: (N, ...) of each slice.
        heights_mm: (N,) where the slices lie.
        sigma_mm: :math:`\sigma`, more than 0.

    Example:
        >>> mean_along(torch.tensor([[0.0], [1.0], [0.0]]), torch.tensor([0.0, 1.0, 2.0]), 1.0).flatten().round(decimals=2)
        tensor([0.3500, 0.4500, 0.3500])
    """
    heights = heights_mm.to(features)
    weights = (-(((heights[:, None] - heights) / sigma_mm) ** 2) / 2).softmax(1)
    return (weights @ features.flatten(1)).view_as(features)
