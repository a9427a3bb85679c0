"""Measures of a closed contour: area, largest inscribed circle, second moments."""

from __future__ import annotations

import numpy as np
from scipy.spatial import Voronoi, cKDTree
from skimage.measure import points_in_poly

__all__ = ["polygon_area", "polygon_eccentricity", "polygon_inscribed_circle"]

RIM_POINTS = 144
"""Points on the rim for the inscribed circle: 0.5 mm apart around a 24 mm vessel, where the nearest point and the nearest place
of the rim differ by 0.003 mm."""


def polygon_area(polygon: np.ndarray) -> float:
    """Area of a polygon without crossings (Gauss), in the square of the points' unit.

    Args:
        polygon: (k, 2) corners in order.

    Example:
        >>> polygon_area(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 2.0], [0.0, 2.0]]))
        6.0
    """
    return abs(float(_crosses(polygon).sum())) / 2


def polygon_eccentricity(polygon: np.ndarray) -> float:
    r"""Eccentricity of the ellipse that has the polygon's second central moments, :math:`\sqrt{1 - \lambda_2 / \lambda_1}`.

    Args:
        polygon: (k, 2) corners in order.

    Example:
        A rectangle of 2 to 1 has that of an ellipse of 2 to 1:

        >>> round(polygon_eccentricity(np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]])), 3)
        0.866
    """
    cross = _crosses(polygon)
    centroid = ((polygon + np.roll(polygon, -1, 0)) * cross[:, None]).sum(0) / (3 * cross.sum())
    here = polygon - centroid
    after, cross = np.roll(here, -1, 0), _crosses(here)
    both = here + after
    # of each triangle with the centroid: cross / 24 times the sum over its corners and their sum
    products = np.einsum("ki,kj->kij", here, here) + np.einsum("ki,kj->kij", after, after)
    moments = ((products + np.einsum("ki,kj->kij", both, both)) * cross[:, None, None]).sum(0) / cross.sum()
    smallest, largest = np.linalg.eigvalsh(moments)
    return float(np.sqrt(max(0.0, 1 - smallest / largest)))


def polygon_inscribed_circle(polygon: np.ndarray) -> tuple[np.ndarray, float]:
    """The largest circle inside a polygon: its centre is a corner of the Voronoi diagram of points on the rim.

    Args:
        polygon: (k, 2) corners in order.

    Returns:
        Centre (2,) and radius, in the points' unit.

    Example:
        >>> corners = np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 2.0], [0.0, 2.0]])
        >>> round(polygon_inscribed_circle(corners)[1], 2)
        1.0
    """
    closed = np.vstack([polygon, polygon[:1]])
    along = np.append(0.0, np.linalg.norm(np.diff(closed, axis=0), axis=1).cumsum())
    places = np.linspace(0, along[-1], RIM_POINTS, endpoint=False)
    rim = np.stack([np.interp(places, along, column) for column in closed.T], 1)
    middle = polygon.mean(0)
    corners = Voronoi(rim - middle).vertices + middle
    corners = corners[points_in_poly(corners, polygon)]
    distances = cKDTree(rim).query(corners)[0]
    best = int(distances.argmax())
    return corners[best], float(distances[best])


def _crosses(polygon: np.ndarray) -> np.ndarray:
    after = np.roll(polygon, -1, 0)
    crosses: np.ndarray = polygon[:, 0] * after[:, 1] - polygon[:, 1] * after[:, 0]
    return crosses
