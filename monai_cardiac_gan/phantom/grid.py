"""The voxels of one view, in the phantom's anatomical frame, straight and deformed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from monai_cardiac_gan.phantom.fields import SmoothField

__all__ = ["Box", "Grid", "Point"]

Box = tuple[slice, slice, slice]
Point = tuple[np.ndarray, np.ndarray, np.ndarray]

# Two scales of deformation, wavelength and amplitude: organs bend and shift as wholes, and their walls bulge.
WARPS_MM = ((90.0, 3.0), (38.0, 1.7))
# A Gaussian field leaves three standard deviations in one voxel of 370; boxes that wide lose nothing that shows.
WARP_MARGIN_MM = 3 * math.hypot(*(amplitude for _, amplitude in WARPS_MM))
# About the size of a trabecula or a fat lobule.
ROUGHNESS_WAVELENGTH_MM = 14.0
PART_VOXELS = 1 << 16  # intermediate arrays of a quarter megabyte stay in the processor cache, whole volumes do not


class Grid:
    """Positions of all voxels in millimetres of the anatomical frame.

    The frame's axes point to the patient's right, front and head. Its origin is the middle of the spinal canal at the
    level of the four chambers.

    Args:
        rng: source of the deformation and the roughness.
        axes_mm: positions along each axis, (X,), (Y,) and (Z,), increasing.
    """

    def __init__(self, rng: np.random.Generator, axes_mm: Sequence[np.ndarray]) -> None:
        self.axes_mm = tuple(np.asarray(axis, dtype=np.float32) for axis in axes_mm)
        self.shape = tuple(len(axis) for axis in self.axes_mm)
        self.step_mm = float(np.mean([np.diff(axis).mean() for axis in self.axes_mm]))
        self._even = [(float(axis[0]), float(np.diff(axis).mean()), len(axis)) for axis in self.axes_mm]
        self._warped = [self._warped_axis(rng, axis) for axis in range(3)]
        self._roughness = SmoothField(rng, self.axes_mm, ROUGHNESS_WAVELENGTH_MM)

    def _warped_axis(self, rng: np.random.Generator, axis: int) -> np.ndarray:
        fields = [SmoothField(rng, self.axes_mm, wavelength) for wavelength, _ in WARPS_MM]
        warped = np.empty(self.shape, dtype=np.float32)
        for box in self.parts(self.everywhere):
            shift = sum(np.float32(size) * field[box] for field, (_, size) in zip(fields, WARPS_MM, strict=True))
            warped[box] = self.straight(box)[axis] + shift
        return warped

    @property
    def everywhere(self) -> Box:
        """The box of all voxels."""
        return slice(0, self.shape[0]), slice(0, self.shape[1]), slice(0, self.shape[2])

    def box(self, low_mm: ArrayLike, high_mm: ArrayLike, margin_mm: float = 0.0) -> Box | None:
        """Voxels between two corners, widened by a margin; None when the view shows none of them."""
        ends = [
            (self._index(axis, low - margin_mm), self._index(axis, high + margin_mm))
            for axis, (low, high) in enumerate(zip(np.asarray(low_mm), np.asarray(high_mm), strict=True))
        ]
        if any(start >= stop for start, stop in ends):
            return None
        return slice(*ends[0]), slice(*ends[1]), slice(*ends[2])

    def _index(self, axis: int, position_mm: float) -> int:
        """First voxel at or beyond a position; the axis is even, so that there is nothing to search."""
        first, step, count = self._even[axis]
        return min(max(math.ceil((position_mm - first) / step), 0), count)

    @staticmethod
    def parts(box: Box) -> Iterator[Box]:
        """Cut a box into slabs along the first axis, small enough to work on quickly."""
        across, along, up = box
        thickness = max(1, PART_VOXELS // max(1, (along.stop - along.start) * (up.stop - up.start)))
        for start in range(across.start, across.stop, thickness):
            yield slice(start, min(start + thickness, across.stop)), along, up

    def straight(self, box: Box) -> Point:
        """Undeformed positions in the box, shaped (x, 1, 1), (1, y, 1) and (1, 1, z) to broadcast."""
        x, y, z = (axis[part] for axis, part in zip(self.axes_mm, box, strict=True))
        return x[:, None, None], y[None, :, None], z[None, None, :]

    def warped(self, box: Box) -> Point:
        """Deformed positions in the box, (x, y, z) each: the subject's own departure from the smooth shapes."""
        x, y, z = (axis[box] for axis in self._warped)
        return x, y, z

    def roughness(self, box: Box) -> np.ndarray:
        """Unit-variance field in the box, added to distances in millimetres to make surfaces uneven."""
        return self._roughness[box]
