"""Field of view and voxel size, as different from subject to subject as in clinical whole-heart scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["View", "draw_view"]

SPACING_MM_RANGE = (0.9, 1.4)
# Left-right is the slowest direction to scan, so that it is often cropped to the heart.
EXTENT_MM_RANGES = ((125.0, 300.0), (180.0, 320.0), (180.0, 300.0))
# Square of a uniform draw for left-right: most scans are narrow, as in the public whole-heart sets.
NARROWNESS = (2.0, 0.6, 0.6)
# Scan time bounds the matrix: large views come with large voxels.
MAXIMUM_VOXELS = 6_500_000
# Centre of the view in the anatomical frame and its spread: the operator centres on the heart.
CENTRE_MM, CENTRE_STD_MM = (-22.0, 42.0, 12.0), (4.0, 5.0, 8.0)
CENTRE_REACH_STD = 2.0  # farther off, the smallest views would lose the aorta
MINIMUM_EXTENT_MM = (110.0, 120.0, 100.0)  # smaller views cut the aorta or the spine


@dataclass(frozen=True)
class View:
    """A grid of voxels.

    Attributes:
        shape: (3,) voxels.
        spacing_mm: (3,) voxel size in patient millimetres.
        centre_mm: (3,) middle of the grid in patient millimetres, from the anatomical frame's origin.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    centre_mm: tuple[float, float, float]

    @property
    def first_voxel_mm(self) -> np.ndarray:
        """(3,) centre of the first voxel in patient millimetres, from the anatomical frame's origin."""
        return np.asarray(self.centre_mm) - (np.asarray(self.shape) - 1) / 2 * np.asarray(self.spacing_mm)

    def axes_mm(self) -> list[np.ndarray]:
        """Positions of the voxels along each axis in patient millimetres, (X,), (Y,) and (Z,)."""
        steps = zip(self.first_voxel_mm, self.spacing_mm, self.shape, strict=True)
        return [first + step * np.arange(count) for first, step, count in steps]


def draw_view(
    rng: np.random.Generator,
    scale: float,
    shape: Sequence[int] | None = None,
    spacing_mm: Sequence[float] | None = None,
) -> View:
    """Draw what is not given.

    Args:
        rng: source of randomness.
        scale: patient millimetres per millimetre of the anatomical frame.
        shape: (3,) voxels.
        spacing_mm: (3,) voxel size.

    Raises:
        ValueError: when shape times spacing is too small to hold the aorta.
    """
    drawn, cubic = _draw_extent_mm(rng), rng.uniform(*SPACING_MM_RANGE)
    off_centre = np.clip(rng.standard_normal(3), -CENTRE_REACH_STD, CENTRE_REACH_STD)
    centre = scale * (np.asarray(CENTRE_MM) + off_centre * CENTRE_STD_MM)
    if spacing_mm is None:
        smallest = np.cbrt(np.prod(drawn) / MAXIMUM_VOXELS)
        spacing_mm = (max(cubic, float(smallest)),) * 3 if shape is None else (_fitting(cubic, shape),) * 3
    if shape is None:
        shape = [round(extent / step) for extent, step in zip(drawn, spacing_mm, strict=True)]
    _refuse_small(shape, spacing_mm)
    x, y, z = (int(count) for count in shape)
    across, along, up = (float(step) for step in spacing_mm)
    return View((x, y, z), (across, along, up), (float(centre[0]), float(centre[1]), float(centre[2])))


def _draw_extent_mm(rng: np.random.Generator) -> np.ndarray:
    """Extent along each axis, (3,); a view that is tall and deep must be narrow to be scanned in time."""
    low, high = np.transpose(EXTENT_MM_RANGES)
    drawn = low + (high - low) * rng.random(3) ** np.asarray(NARROWNESS)
    drawn[0] = min(drawn[0], MAXIMUM_VOXELS * SPACING_MM_RANGE[1] ** 3 / (drawn[1] * drawn[2]))
    return drawn


def _fitting(spacing_mm: float, shape: Sequence[int]) -> float:
    """The spacing, enlarged when a small shape would otherwise not cover the smallest drawn view."""
    return max(spacing_mm, *(low / count for (low, _), count in zip(EXTENT_MM_RANGES, shape, strict=True)))


def _refuse_small(shape: Sequence[int], spacing_mm: Sequence[float]) -> None:
    extent = np.asarray(shape) * np.asarray(spacing_mm)
    if np.any(extent < MINIMUM_EXTENT_MM):
        raise ValueError(
            f"shape {tuple(shape)} at spacing {tuple(spacing_mm)} mm covers {tuple(extent.tolist())} mm: the aorta "
            f"needs at least {MINIMUM_EXTENT_MM} mm; give more voxels or a larger spacing."
        )
