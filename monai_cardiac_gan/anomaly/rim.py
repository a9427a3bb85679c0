"""What lies at which distance from a lumen's rim, in one axial picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

__all__ = ["Rim", "around_rim"]

ANGLES = 64
"""Rays; on the rim of a 24 mm aorta they lie 1.2 mm apart."""


@dataclass(frozen=True)
class Rim:
    """A lumen's rim as distances from its middle.

    Attributes:
        middle: (2,) row and column, pixels: the mean of the contour's points.
        radii: (64,) along evenly spaced rays, from the first axis towards the second, pixels.
    """

    middle: np.ndarray
    radii: np.ndarray

    @classmethod
    def of(cls, contour: np.ndarray) -> Rim:
        """The rim of a contour that is seen from its middle as one line.

        Args:
            contour: (k, 2) rows and columns, pixels.

        Raises:
            ValueError: when there are fewer than three points.
        """
        contour = np.asarray(contour, float)
        if contour.ndim != 2 or contour.shape[1] != 2 or len(contour) < 3:
            raise ValueError(f"the contour is {contour.shape}: expected (k, 2) with at least three points.")
        middle = contour.mean(0)
        rows, columns = (contour - middle).T
        angles = np.arctan2(columns, rows)
        order = np.argsort(angles)
        return cls(middle, np.interp(_rays(), angles[order], np.hypot(rows, columns)[order], period=2 * np.pi))

    @property
    def unevenness(self) -> float:
        """Standard deviation of the radii as a share of their mean: 0 for a circle.

        Example:
            >>> turn = np.arange(400) * 2 * np.pi / 400
            >>> Rim.of(np.stack([12 * np.cos(turn), 10 * np.sin(turn)], 1)).unevenness
            0.06...
        """
        return float(self.radii.std() / self.radii.mean())


def around_rim(image: np.ndarray, rim: Rim, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sample an image along rays through a rim, by linear interpolation.

    Args:
        image: (H, W).
        rim: of the lumen.
        offsets: (m,) pixels beyond the rim; negative ones lie in the lumen.

    Returns:
        Values (64, m), NaN beyond the middle and outside the image; and where they lie, (64, m, 2) rows and columns.

    Example:
        >>> rows = np.add.outer(np.arange(32.0), np.zeros(32))
        >>> rim = Rim(np.array([16.0, 16.0]), np.full(64, 10.0))
        >>> around_rim(rows, rim, np.array([-2.0, 0.0, 3.0]))[0][0].tolist()
        [24.0, 26.0, 29.0]
    """
    distances = rim.radii[:, None] + np.asarray(offsets, float)
    rays = _rays()[:, None]
    places = np.stack([rim.middle[0] + distances * np.cos(rays), rim.middle[1] + distances * np.sin(rays)], -1)
    values = ndimage.map_coordinates(
        np.asarray(image, float), np.moveaxis(places, -1, 0), order=1, mode="constant", cval=np.nan
    )
    values[distances < 0] = np.nan
    return values, places


def _rays() -> np.ndarray:
    """(64,) radians."""
    rays: np.ndarray = np.arange(ANGLES) * 2 * np.pi / ANGLES
    return rays
