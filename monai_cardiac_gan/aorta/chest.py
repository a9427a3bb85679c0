"""How deep in the chest a vessel lies, where the field of view shows the chest as a whole."""

from __future__ import annotations

import numpy as np

from monai_cardiac_gan.aorta.tubes import Tube

__all__ = ["depth_in_chest"]

SLICES = 15
"""Slices that are looked at, evenly spaced over the tube."""
COLUMN_MM = 12.0
"""Half of the width of the column, through the tube and along the second axis, in which the body is sought."""
BODY = 0.08
"""Share of a slice's bright level above which something is body; air lies at 0.01 to 0.05."""
BRIGHT_QUANTILE = 0.98
MARGIN_MM = 10.0
"""Air that must be seen behind the back and in front of the chest; otherwise the field of view may cut them off."""
LEAST_CHEST_MM = 160.0
"""Thickness below which what is seen is no adult's chest, but a part of one whose dark rim is taken for air."""


def depth_in_chest(grid: np.ndarray, grid_mm: np.ndarray, tube: Tube) -> float | None:
    """Where a tube lies between the back's surface (0) and the chest's (1), in its own sagittal plane.

    The spinal canal lies at 0.20 to 0.33, the descending aorta at 0.34 to 0.46 in the fourteen volumes looked at.

    Args:
        grid: (X, Y, Z) brightness, not negative, the second axis from the back to the front.
        grid_mm: (3,) spacing.
        tube: in millimetres from the first voxel's centre.

    Returns:
        The median over the tube's slices; None when most of them do not show a chest between air and air.

    Example:
        A chest from 20 to 220 mm and a tube at 100 mm:

        >>> rows = np.arange(240)[None, :, None]
        >>> chest = np.where((rows >= 20) & (rows <= 220), 50.0, 0.0) * np.ones((60, 240, 4))
        >>> tube = Tube(np.arange(4), np.full((4, 2), [30.0, 100.0]), np.full(4, 10.0), np.full(4, 0.9), 2.0)
        >>> depth_in_chest(chest, np.ones(3), tube)
        0.4
    """
    chosen = np.unique(np.linspace(0, len(tube.slices) - 1, SLICES).astype(int))
    depths = [_depth(grid[:, :, tube.slices[row]], grid_mm, tube.centres_mm[row]) for row in chosen]
    seen = [depth for depth in depths if depth is not None]
    return float(np.median(seen)) if 2 * len(seen) > len(depths) else None


def _depth(image: np.ndarray, grid_mm: np.ndarray, centre_mm: np.ndarray) -> float | None:
    ends = np.rint((centre_mm[0] + np.array([-COLUMN_MM, COLUMN_MM])) / grid_mm[0]).astype(int)
    column = np.median(image[max(0, ends[0]) : ends[1] + 1], axis=0)
    body = np.flatnonzero(column > BODY * np.quantile(image, BRIGHT_QUANTILE)) * grid_mm[1]
    if len(body) < 2 or body[-1] - body[0] < LEAST_CHEST_MM:
        return None
    if min(body[0], (image.shape[1] - 1) * grid_mm[1] - body[-1]) < MARGIN_MM:
        return None
    return float((centre_mm[1] - body[0]) / (body[-1] - body[0]))
