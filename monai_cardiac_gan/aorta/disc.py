"""The aorta in one patch: position, diameter, perimeter and area of a bright disc."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.aorta.circles import hough_circles
from monai_cardiac_gan.aorta.refine import refine_circles

__all__ = ["AortaDisc", "measure_disc"]

SMALLEST_SCORE = 0.6
"""Discs below this are not believed. Drawn discs score 0.9 and more at a contrast of three standard deviations of the
noise, nine of ten slices of real bright-blood aortas 0.75 and more; the best circle in white noise reaches 0.4, in noise
blurred by one pixel 0.5."""
SMALLEST_SIDE = 16
"""Pixels: a patch must be larger than the filters and show more than the smallest disc."""


@dataclass(frozen=True)
class AortaDisc:
    """The cross-section of the aorta as a circle.

    Attributes:
        centre: (2,) row and column, pixels.
        diameter_mm: diameter of the circle.
        perimeter_mm: its circumference, pi times the diameter.
        area_mm2: its area, pi / 4 times the diameter squared.
        score: how sure the finder is, from 0 (guess) to 1 (a perfect bright disc on dark ground).
    """

    centre: np.ndarray
    diameter_mm: float
    perimeter_mm: float
    area_mm2: float
    score: float


def measure_disc(
    patch: np.ndarray,
    pixel_mm: float = 1.0,
    centre: Sequence[float] | np.ndarray | None = None,
    reach_mm: float = 15.0,
    diameters_mm: Sequence[float] = (12.0, 45.0),
) -> AortaDisc | None:
    """Find the aorta in an axial patch: circular Hough transform, then a circle fitted to the edges around it.

    Args:
        patch: (H, W) brightness in any unit.
        pixel_mm: side of a pixel, mm.
        centre: row and column around which the aorta is sought, pixels; the middle of the patch when not given, where
            patches that were cut around the aorta show it.
        reach_mm: how far from there the centre may lie.
        diameters_mm: smallest and largest diameter that is tried; the fit may leave this range slightly.

    Returns:
        The disc, or nothing when no disc reaches a score of `SMALLEST_SCORE`.

    Raises:
        ValueError: when the patch is not a finite two-dimensional image of at least 16 x 16 pixels, the prior lies outside
            of it, or a length is not positive.

    Example:
        >>> rows, columns = np.ogrid[:128, :128]
        >>> disc = measure_disc(np.clip(10.5 - np.hypot(rows - 60.3, columns - 66.0), 0, 1))
        >>> disc.centre.round(1).tolist(), round(disc.diameter_mm), round(disc.perimeter_mm)
        ([60.3, 66.0], 20, 63)
    """
    patch, prior = _checked(patch, pixel_mm, centre, reach_mm, diameters_mm)
    if patch.min() == patch.max():
        return None
    smallest, largest = (0.5 * float(value) / pixel_mm for value in diameters_mm)
    radii = np.arange(smallest, largest + 0.5)
    votes = hough_circles(patch, radii)
    rows, columns = np.ogrid[: patch.shape[0], : patch.shape[1]]
    near = np.hypot(rows - prior[0], columns - prior[1]) * pixel_mm <= reach_mm
    radius, row, column = np.unravel_index(np.where(near, votes, -np.inf).argmax(), votes.shape)
    rough = np.array([[row, column]]) * pixel_mm
    spacing = np.array([pixel_mm, pixel_mm, 1.0])
    fitted = refine_circles(patch[..., None], spacing, np.zeros(1, dtype=int), rough, radii[[radius]] * pixel_mm)
    score = float(np.clip(votes[radius, row, column] * fitted.support[0], 0.0, 1.0))
    if score < SMALLEST_SCORE or np.linalg.norm(fitted.centres_mm[0] - prior * pixel_mm) > reach_mm:
        return None
    diameter = 2 * float(fitted.radii_mm[0])
    return AortaDisc(fitted.centres_mm[0] / pixel_mm, diameter, np.pi * diameter, np.pi / 4 * diameter**2, score)


def _checked(
    patch: np.ndarray,
    pixel_mm: float,
    centre: Sequence[float] | np.ndarray | None,
    reach_mm: float,
    diameters_mm: Sequence[float],
) -> tuple[np.ndarray, np.ndarray]:
    """The patch as float32 and the prior as two float64 pixels."""
    patch = np.asarray(patch, dtype=np.float32)
    if patch.ndim != 2 or min(patch.shape) < SMALLEST_SIDE:
        raise ValueError(
            f"the patch has shape {patch.shape}: expected (H, W) of at least {SMALLEST_SIDE} x {SMALLEST_SIDE} pixels; "
            "select one patch and its channel first."
        )
    if not np.all(np.isfinite(patch)):
        raise ValueError(
            f"{int((~np.isfinite(patch)).sum())} pixels are NaN or infinite: replace them before this step."
        )
    if not (pixel_mm > 0 and reach_mm > 0 and len(diameters_mm) == 2 and 0 < diameters_mm[0] < diameters_mm[1]):
        raise ValueError(
            f"pixel {pixel_mm} mm, reach {reach_mm} mm, diameters {list(diameters_mm)} mm: expected positive lengths, the "
            "smaller diameter first."
        )
    prior = (np.array(patch.shape) - 1) / 2 if centre is None else np.asarray(centre, dtype=np.float64)
    if prior.shape != (2,) or not np.all((prior >= 0) & (prior <= np.array(patch.shape) - 1)):
        raise ValueError(
            f"the prior is {prior.tolist()}: expected row and column inside the patch {patch.shape}, pixels."
        )
    return patch, prior
