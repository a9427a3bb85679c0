"""The grid on which patches lie, and how their pixels are taken from a volume's voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monai_cardiac_gan.transforms.ras_volume import RasVolume

__all__ = ["PatchGrid"]

SQUARE_TOLERANCE = 1e-3
"""Relative difference of a pixel's sides below which it counts as square; headers round to four or five digits."""


class PatchGrid:
    """An isotropic grid that starts at a volume's first voxel, or the volume's own grid.

    Args:
        volume: where pixels come from.
        spacing: distance of the grid's points, mm; None takes the volume's own.

    Attributes:
        volume: the volume.
        spacing: (3,) mm.
        shape: (3,) points of the grid that lie inside the field of view, along each axis.
        affine: (4, 4) from the grid's indices to scanner millimetres.

    Raises:
        ValueError: when no spacing is given and the volume's pixels are not square in the axial plane.
    """

    def __init__(self, volume: RasVolume, spacing: float | None) -> None:
        x, y = volume.spacing[:2]
        if spacing is None and abs(x - y) > SQUARE_TOLERANCE * x:
            raise ValueError(
                f"the volume's pixels measure {x:g} x {y:g} mm in the axial plane: expected squares; give a spacing, such as "
                "1.0, or resample the volume first."
            )
        self.volume = volume
        self.spacing = volume.spacing.copy() if spacing is None else np.full(3, float(spacing))
        self.steps = self.spacing / volume.spacing
        # a voxel reaches half its side beyond its centre
        self.shape = np.floor((np.array(volume.array.shape) - 0.5) / self.steps).astype(int) + 1
        self.affine = volume.affine.copy()
        self.affine[:3, :3] *= self.steps

    def cut(self, starts: Sequence[np.ndarray], levels: np.ndarray, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Squares of axial planes, by linear interpolation; the volume's lowest value fills what lies outside.

        Args:
            starts: first point of each along the first two axes.
            levels: (n,) point of each along the third axis, inside the grid.
            size: points along each side.

        Returns:
            Pixels (size, size) float32 of each, and the bounds [[start, stop], [start, stop]] of those inside the volume.
        """
        if not len(starts):
            return []
        lowest = self.volume.array.min()
        # the region that all patches need, slice after slice, so that each is read once and in order
        corner, end = self._region(np.stack(starts), levels, size)
        region = np.moveaxis(self.volume.array[tuple(map(slice, corner, end))], 2, 0)
        region = np.ascontiguousarray(region, dtype=np.float32)  # differences of unsigned integers would wrap around
        return [
            self._square(region, corner, start, int(level), size, lowest)
            for start, level in zip(starts, levels, strict=True)
        ]

    def _region(self, starts: np.ndarray, levels: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        """First voxel that is needed along each axis, and the one behind the last."""
        first = np.append(starts.min(0), levels.min()) * self.steps
        last = np.append(starts.max(0) + size - 1, levels.max()) * self.steps
        sides = np.array(self.volume.array.shape)
        corner = np.clip(np.floor(first).astype(int), 0, sides - 1)
        return corner, np.clip(np.floor(last).astype(int) + 2, corner + 1, sides)

    def _square(
        self, region: np.ndarray, corner: np.ndarray, start: np.ndarray, level: int, size: int, lowest: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        below, share = divmod(min(level * self.steps[2], self.volume.array.shape[2] - 1), 1)
        lower = int(below) - corner[2]
        plane = region[lower]
        if share:
            plane = plane + np.float32(share) * (region[lower + 1] - plane)
        bounds = np.clip(np.stack([-start, self.shape[:2] - start], 1), 0, size)
        bounds[:, 1] = np.maximum(bounds[:, 1], bounds[:, 0])
        weights = [
            _interpolation(
                (start[axis] + np.arange(*bounds[axis])) * self.steps[axis] - corner[axis], plane.shape[axis]
            )
            for axis in (0, 1)
        ]
        pixels = np.full((size, size), lowest, dtype=np.float32)
        pixels[slice(*bounds[0]), slice(*bounds[1])] = weights[0] @ plane @ weights[1].T
        return pixels, bounds


def _interpolation(places: np.ndarray, count: int) -> np.ndarray:
    """Matrix (n, count) float32 that interpolates linearly at the given places; beyond the ends the end counts."""
    places = np.clip(places, 0, count - 1)
    lower = np.minimum(np.floor(places).astype(int), max(count - 2, 0))
    matrix = np.zeros((len(places), count), dtype=np.float32)
    rows, share = np.arange(len(places)), places - lower
    matrix[rows, lower] = 1 - share
    if count > 1:
        matrix[rows, lower + 1] = share
    return matrix
