"""How sure inpainted pixels are: mean and standard deviation over the solutions of each patch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from monai_cardiac_gan.inferers.inpainting_result import InpaintingResult

__all__ = ["PixelUncertainty", "pixel_uncertainty"]


@dataclass(frozen=True)
class PixelUncertainty:
    """Mean and standard deviation of each pixel over k solutions.

    Attributes:
        mean: (N, 1, H, W); the acquired pixels outside the mask.
        std: (N, 1, H, W) with k - 1 in the denominator; 0 outside the mask.
        ranks: (N, k) the solutions that were taken, lowest loss outside the mask first.
    """

    mean: Tensor
    std: Tensor
    ranks: Tensor


def pixel_uncertainty(result: InpaintingResult, count: int | None = None) -> PixelUncertainty:
    """Mean and standard deviation over the solutions of lowest loss outside the mask.

    Args:
        result: of a search from several starts.
        count: k; all by default, which `InpaintedPatch` gives patch by patch.

    Raises:
        ValueError: when there are fewer than two solutions, or fewer than asked for.
    """
    available = result.losses.shape[1]
    count = available if count is None else count
    if not 2 <= count <= available:
        raise ValueError(f"{count} of {available} solutions: expected 2 to {available}; search from more starts.")
    ranks = _loss_outside(result).argsort(1)[:, :count]
    chosen = result.inpainted[torch.arange(len(ranks))[:, None], ranks]
    return PixelUncertainty(chosen.mean(1), chosen.std(1), ranks)


def _loss_outside(result: InpaintingResult) -> Tensor:
    """(N, S) mean absolute difference of the generated images outside the mask."""
    outside = (~result.masks)[:, None]
    difference = (result.generated - result.patches[:, None]).abs() * outside
    return difference.flatten(2).sum(2) / outside.flatten(2).sum(2)
