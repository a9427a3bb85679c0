"""How sure an inpainted aorta is: what several solutions of one patch agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from monai_cardiac_gan.aorta import AortaDisc, measure_disc

__all__ = ["DiscUncertainty", "disc_uncertainty", "uncertainty_of_discs"]

LOW, HIGH = 5, 95
"""Percentiles between which nine of ten diameters lie."""


@dataclass(frozen=True)
class DiscUncertainty:
    """The aorta in k solutions of one patch.

    Attributes:
        found: in how many of them an aorta was found.
        centre: (2,) mean row and column, pixels; None if none was found.
        centre_std_mm: root mean square distance of the centres from their mean; None for fewer than two, as below.
        diameter_mm: mean; None if none was found.
        diameter_std_mm: standard deviation, found - 1 in the denominator.
        perimeter_std_mm: of the perimeters.
        interval_mm: 5th and 95th percentile of the diameters.
    """

    found: int
    centre: tuple[float, float] | None = None
    centre_std_mm: float | None = None
    diameter_mm: float | None = None
    diameter_std_mm: float | None = None
    perimeter_std_mm: float | None = None
    interval_mm: tuple[float, float] | None = None


def disc_uncertainty(images: Tensor, pixel_mm: float = 1.0) -> DiscUncertainty:
    """Measure the aorta in each solution of one patch.

    Args:
        images: (k, 1, H, W) inpainted patches.
        pixel_mm: side of a pixel, mm.

    Example:
        >>> import torch
        >>> rows, columns = np.ogrid[:128, :128]
        >>> discs = [np.clip(size / 2 + 0.5 - np.hypot(rows - 63.5, columns - 63.5), 0, 1) for size in (20, 24)]
        >>> found = disc_uncertainty(torch.tensor(np.stack(discs))[:, None])
        >>> found.found, round(found.diameter_mm), round(found.diameter_std_mm, 1)
        (2, 22, 2.8)
    """
    return uncertainty_of_discs([measure_disc(image[0].cpu().numpy(), pixel_mm) for image in images], pixel_mm)


def uncertainty_of_discs(discs: Sequence[AortaDisc | None], pixel_mm: float = 1.0) -> DiscUncertainty:
    """What measured aortas agree on.

    Args:
        discs: of each solution, None where no aorta was found.
        pixel_mm: side of a pixel, mm.
    """
    there = [disc for disc in discs if disc is not None]
    if not there:
        return DiscUncertainty(0)
    centres = np.stack([disc.centre for disc in there])
    diameters = np.array([disc.diameter_mm for disc in there])
    middle = centres.mean(0)
    several = len(there) > 1
    low, high = np.percentile(diameters, (LOW, HIGH))
    return DiscUncertainty(
        found=len(there),
        centre=(float(middle[0]), float(middle[1])),
        centre_std_mm=float(pixel_mm * np.sqrt(((centres - middle) ** 2).sum(1).mean())) if several else None,
        diameter_mm=float(diameters.mean()),
        diameter_std_mm=float(diameters.std(ddof=1)) if several else None,
        perimeter_std_mm=float(np.std([disc.perimeter_mm for disc in there], ddof=1)) if several else None,
        interval_mm=(float(low), float(high)) if several else None,
    )
