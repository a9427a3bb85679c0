"""Signed distances to simple bodies: negative inside, in millimetres, exact enough near the surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from monai_cardiac_gan.phantom.grid import WARP_MARGIN_MM, Box, Grid, Point

__all__ = ["axis_frame", "capsule", "ellipsoid", "smooth_path", "tube", "wandering_path"]

NEARLY_UPRIGHT = 0.9  # cosine: a cross product with a nearly parallel axis loses its digits
SHORTEST_MM2 = 1e-6  # a segment of no length is a ball, not a division by zero
WANDERING_STEPS = 4
FAR_MM = 1e3  # outside of everything


def ellipsoid(point: Point, centre_mm: ArrayLike, semi_mm: ArrayLike, frame: np.ndarray) -> np.ndarray:
    """Distance to an ellipsoid, to first order in the distance.

    Args:
        point: positions, broadcastable.
        centre_mm: (3,) centre.
        semi_mm: (3,) semi-axes along the frame's rows.
        frame: (3, 3) orthonormal rows.
    """
    x, y, z = (axis - middle for axis, middle in zip(point, np.asarray(centre_mm, dtype=np.float32), strict=True))
    semi = np.asarray(semi_mm, dtype=np.float64)
    rows = (frame / semi[:, None]).astype(np.float32)
    squared = sum(np.square(row[0] * x + row[1] * y + row[2] * z) for row in rows)
    return (np.sqrt(squared) - np.float32(1)) * np.float32(np.cbrt(semi.prod()))


def axis_frame(long_axis: ArrayLike) -> np.ndarray:
    """Right-handed orthonormal rows (3, 3), the first along the given axis, the third as upright as it can be."""
    first = np.asarray(long_axis, dtype=np.float64) / np.linalg.norm(long_axis)
    helper = np.eye(3)[2] if abs(first[2]) < NEARLY_UPRIGHT else np.eye(3)[1]
    second = np.cross(helper, first)
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)])


def capsule(point: Point, ends_mm: np.ndarray, radii_mm: np.ndarray) -> np.ndarray:
    """Distance to a segment (2, 3) with a radius at each end, rounded at both."""
    start, along = ends_mm[0], ends_mm[1] - ends_mm[0]
    x, y, z = (axis - np.float32(begin) for axis, begin in zip(point, start, strict=True))
    length = max(float(along @ along), SHORTEST_MM2)
    product = np.float32(along[0]) * x + np.float32(along[1]) * y + np.float32(along[2]) * z
    place = np.clip(product / np.float32(length), 0, 1)
    # Pythagoras, expanded: a third of the work of subtracting the nearest point of the segment along each axis.
    squared = np.square(x) + np.square(y) + np.square(z) - place * (2 * product - place * np.float32(length))
    return np.sqrt(np.maximum(squared, 0)) - (np.float32(radii_mm[0]) + place * np.float32(radii_mm[1] - radii_mm[0]))


def tube(
    grid: Grid, path_mm: np.ndarray, radii_mm: np.ndarray, *, wall_mm: float = 0.0, warped: bool = True
) -> tuple[Box, np.ndarray] | None:
    """Distance to a chain of capsules (n, 3) in the smallest box that holds it; None when it lies outside the view.

    The box leaves room for a wall around the tube and for the soft edge.
    """
    widest = float(np.max(radii_mm)) + wall_mm + grid.step_mm + WARP_MARGIN_MM * warped
    whole = grid.box(path_mm.min(0), path_mm.max(0), widest)
    if whole is None:
        return None
    level = np.full([part.stop - part.start for part in whole], FAR_MM, dtype=np.float32)
    for first in range(len(path_mm) - 1):
        ends = path_mm[first : first + 2]
        box = grid.box(ends.min(0), ends.max(0), widest)
        if box is None:
            continue
        distance = capsule((grid.warped if warped else grid.straight)(box), ends, radii_mm[first : first + 2])
        part = level[tuple(slice(i.start - o.start, i.stop - o.start) for i, o in zip(box, whole, strict=True))]
        np.minimum(part, distance, out=part)
    return whole, level


def smooth_path(points_mm: ArrayLike, count: int, start_direction: np.ndarray | None = None) -> np.ndarray:
    """Cubic spline through the points, (count, 3); it can be told the direction in which it starts."""
    points = np.asarray(points_mm, dtype=np.float64)
    length = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    ends = "natural" if start_direction is None else ((1, start_direction), (2, np.zeros(3)))
    return CubicSpline(length, points, bc_type=ends)(np.linspace(0, length[-1], count))


def wandering_path(rng: np.random.Generator, low_mm: ArrayLike, high_mm: ArrayLike, step_mm: float) -> np.ndarray:
    """A few random steps (n, 3) between two corners: a piece of a vessel or bowel."""
    low, high = np.asarray(low_mm, dtype=np.float64), np.asarray(high_mm, dtype=np.float64)
    path = rng.uniform(low, high) + np.cumsum(rng.normal(0, step_mm, (WANDERING_STEPS, 3)), axis=0)
    return np.clip(path, low, high)
