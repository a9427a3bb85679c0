"""How sure an inpainting is: what several descents of the same patch agree on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.aorta import AortaDisc, measure_disc
from monai_cardiac_gan.inferers.result import InpaintingResult

__all__ = ["DiscSpread", "PixelSpread", "disc_spread", "pixel_spread"]


@dataclass(frozen=True)
class PixelSpread:
    """Mean and standard deviation of each pixel over k solutions.

    Attributes:
        mean: (N, 1, H, W); the acquired pixels outside the hole.
        deviation: (N, 1, H, W) with k - 1 in the denominator; 0 outside the hole.
        ranks: (N, k) the solutions that were taken, lowest loss outside the hole first.
    """

    mean: Tensor
    deviation: Tensor
    ranks: Tensor


@dataclass(frozen=True)
class DiscSpread:
    """The aorta in k solutions of one patch.

    Attributes:
        found: in how many of them an aorta was found.
        centre: (2,) mean row and column, pixels; None if none was found.
        centre_mm: root mean square distance of the centres from their mean; None for fewer than two, as below.
        diameter_mm: mean; None if none was found.
        diameter_deviation_mm: standard deviation, found - 1 in the denominator.
        perimeter_deviation_mm: of the perimeters.
        interval_mm: 5th and 95th percentile of the diameters.
    """

    found: int
    centre: tuple[float, float] | None
    centre_mm: float | None
    diameter_mm: float | None
    diameter_deviation_mm: float | None
    perimeter_deviation_mm: float | None
    interval_mm: tuple[float, float] | None


def pixel_spread(result: InpaintingResult, count: int | None = None) -> PixelSpread:
    """Mean and spread over the solutions of lowest loss outside the hole.

    Args:
        result: of a search from several starts.
        count: k; all by default.

    Raises:
        ValueError: when there are fewer than two solutions, or fewer than asked for.
    """
    available = result.losses.shape[1]
    count = available if count is None else count
    if not 2 <= count <= available:
        raise ValueError(f"{count} of {available} solutions: expected 2 to {available}; search from more starts.")
    outside = _loss_outside(result)
    ranks = outside.argsort(1)[:, :count]
    chosen = result.inpainted[torch.arange(len(ranks))[:, None], ranks]
    return PixelSpread(chosen.mean(1), chosen.std(1), ranks)


def disc_spread(images: Tensor, pixel_mm: float = 1.0) -> DiscSpread:
    """Measure the aorta in each solution of one patch.

    Args:
        images: (k, 1, H, W) inpainted patches.
        pixel_mm: side of a pixel, mm.

    Example:
        >>> rows, columns = np.ogrid[:128, :128]
        >>> discs = [np.clip(size / 2 + 0.5 - np.hypot(rows - 63.5, columns - 63.5), 0, 1) for size in (20, 24)]
        >>> spread = disc_spread(torch.tensor(np.stack(discs))[:, None])
        >>> spread.found, round(spread.diameter_mm), round(spread.diameter_deviation_mm, 1)
        (2, 22, 2.8)
    """
    discs = [measure_disc(image[0].cpu().numpy(), pixel_mm) for image in images]
    return _of_discs([disc for disc in discs if disc is not None], pixel_mm)


def _of_discs(discs: list[AortaDisc], pixel_mm: float) -> DiscSpread:
    if not discs:
        return DiscSpread(0, None, None, None, None, None, None)
    centres = np.stack([disc.centre for disc in discs])
    diameters = np.array([disc.diameter_mm for disc in discs])
    middle = centres.mean(0)
    several = len(discs) > 1
    low, high = np.percentile(diameters, (5, 95))
    return DiscSpread(
        found=len(discs),
        centre=(float(middle[0]), float(middle[1])),
        centre_mm=float(pixel_mm * np.sqrt(((centres - middle) ** 2).sum(1).mean())) if several else None,
        diameter_mm=float(diameters.mean()),
        diameter_deviation_mm=float(diameters.std(ddof=1)) if several else None,
        perimeter_deviation_mm=float(np.std([disc.perimeter_mm for disc in discs], ddof=1)) if several else None,
        interval_mm=(float(low), float(high)) if several else None,
    )


def _loss_outside(result: InpaintingResult) -> Tensor:
    """(N, S) mean absolute difference of the generated images outside the hole."""
    known = (~result.holes)[:, None]
    difference = (result.generated - result.patches[:, None]).abs() * known
    return difference.flatten(2).sum(2) / known.flatten(2).sum(2)
