"""Sub-pixel circles: from a rough circle in each slice to one that is fitted to the edges around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

__all__ = [
    "RefinedCircles",
    "belief_in",
    "brightness_along_rays",
    "directions",
    "edge_points",
    "edge_strengths",
    "fit_circles",
    "has_bright_wall",
    "peak_offset",
    "refine_circles",
]

ANGLES = 48
"""Rays that leave each centre; one every 1.6 mm on the rim of a 24 mm aorta."""
RADIAL_STEP_MM = 0.5
"""Distance of two samples on a ray; half the spacing of the usual 1 mm grid."""
EDGE_SMOOTHING_MM = 1.0
"""Standard deviation of the Gaussian derivative along a ray."""
SEARCH_RANGE = (0.45, 1.65)
"""Where the rim is sought, in units of the rough radius."""
SEARCH_SIGMA = 0.28
"""Standard deviation of the belief in the rough radius, in its own unit; damps the rims of neighbouring organs."""
ROUNDS = (2, 2, 2, 1)
"""Fits, each from the circle before, and every how many rays are looked at; the centre moves less than 0.1 mm after the
third, so that the last alone needs all rays."""
OUTLIER_MM = 1.5
"""Edge points farther than this from the circle do not support it: one and a half voxels of the usual grid."""
WEAK_EDGE = 0.2
"""Edges below this share of the strongest expected one are no rim (the aorta touches an organ as bright as itself)."""
INSIDE = 0.75
"""Share of the radius that is surely blood, whatever the blur of the rim."""
LUMEN, WALL, BEYOND = (0.0, 0.5), (0.7, 1.3), (1.3, 1.65)
"""Where blood, its wall and what lies beyond are looked for when a track is asked for a bright wall; in units of the radius."""
WALL_SAMPLES = 7
"""Distances from the centre at which each of the three is sampled."""
BRIGHT_WALL = 1.25
"""Wall over blood above which the rim is where brightness leaves the blood's, be it up or down. Bright-blood volumes lie at
0.99 to 1.05 (1.11 when squared), simulated bright walls at 1.6 to 1.9."""
SMALLEST_RADIUS_MM = 4.0
"""No fit may shrink below this; smaller than any adult aorta."""


@dataclass(frozen=True)
class RefinedCircles:
    """Circles fitted to edges, one per slice.

    Attributes:
        centres_mm: (n, 2).
        radii_mm: (n,).
        support: (n,) share of the rays that end on an edge within `OUTLIER_MM` of the circle, 0 to 1.
        walled: whether the rim is that of a wall brighter than the blood.
    """

    centres_mm: np.ndarray
    radii_mm: np.ndarray
    support: np.ndarray
    walled: bool


def refine_circles(
    volume: np.ndarray, spacing: np.ndarray, slices: np.ndarray, centres_mm: np.ndarray, radii_mm: np.ndarray
) -> RefinedCircles:
    """Fit a circle to the rim of a bright, or bright-walled, disc in each of the given slices.

    Along `ANGLES` rays the steepest fall of brightness is found, weighted by a Gaussian around the rough radius; a circle
    is fitted to these points with weights that drop the outliers, and the whole is repeated from the new circle. Where
    the wall is brighter than the blood (late enhancement), nearness to the blood's brightness takes the place of
    brightness, so that the rim is the lumen's there, too.

    Args:
        volume: (X, Y, Z).
        spacing: (3,) mm.
        slices: (n,) indices along Z.
        centres_mm: (n, 2) rough centres, mm from the first voxel's centre.
        radii_mm: (n,) rough radii, mm.
    """
    centres, radii = centres_mm.astype(np.float64), radii_mm.astype(np.float64)
    walled = has_bright_wall(volume, spacing, slices, centres, radii)
    for every in ROUNDS:
        points, strength = edge_points(volume, spacing, slices, centres, radii, ANGLES // every, walled)
        centres, radii = _robust_fit(points, strength, centres, radii)
    distance = np.abs(np.linalg.norm(points - centres[:, None], axis=-1) - radii[:, None])
    support = ((distance < OUTLIER_MM) & (strength > WEAK_EDGE)).mean(1)
    return RefinedCircles(centres, radii, support, walled)


def fit_circles(points: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Weighted algebraic circle fit (Kåsa 1976), many at once: least squares of :math:`x^2 + y^2 + ax + by + c`.

    Args:
        points: (n, k, 2).
        weights: (n, k) not negative; at least three of a row must be positive.

    Returns:
        Centres (n, 2) and radii (n,) in the unit of the points.

    Example:
        >>> angles = np.linspace(0, 6, 20)
        >>> points = 5 * np.stack([np.cos(angles), np.sin(angles)], -1)[None] + [3.0, 4.0]
        >>> centres, radii = fit_circles(points, np.ones((1, 20)))
        >>> centres.round(6).tolist(), radii.round(6).tolist()
        ([[3.0, 4.0]], [5.0])
    """
    middle = points.mean(1, keepdims=True)  # keeps the normal equations well conditioned
    x, y = np.moveaxis(points - middle, -1, 0)
    design = np.stack([x, y, np.ones_like(x)], -1) * np.sqrt(weights)[..., None]
    target = -(x**2 + y**2) * np.sqrt(weights)
    solution = (np.linalg.pinv(design) @ target[..., None])[..., 0]
    centres = -0.5 * solution[:, :2]
    radii = np.sqrt(np.maximum((centres**2).sum(1) - solution[:, 2], 0.0))
    return centres + middle[:, 0], radii


def has_bright_wall(
    volume: np.ndarray, spacing: np.ndarray, slices: np.ndarray, centres: np.ndarray, radii: np.ndarray
) -> bool:
    """Whether most slices of a track show blood in a wall that is brighter by more than `BRIGHT_WALL`, on darker ground.

    Dark discs on bright ground (black blood) have no such wall.

    Args:
        volume: (X, Y, Z).
        spacing: (3,) mm.
        slices: (n,) indices along Z.
        centres: (n, 2) mm.
        radii: (n,) mm.
    """
    reaches = [np.linspace(*zone, WALL_SAMPLES)[None] * radii[:, None] for zone in (LUMEN, WALL, BEYOND)]
    lumen, wall, beyond = (
        brightness_along_rays(volume, spacing, slices, centres, reach, ANGLES // 4) for reach in reaches
    )
    blood = lumen.mean((1, 2))
    bright = wall.mean(1).max(-1) > BRIGHT_WALL * blood
    # the median leaves the walls of neighbours out
    return bool(np.mean(bright & (np.median(beyond, (1, 2)) < blood)) > 0.5)


def edge_points(
    volume: np.ndarray,
    spacing: np.ndarray,
    slices: np.ndarray,
    centres: np.ndarray,
    radii: np.ndarray,
    rays: int = ANGLES,
    walled: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Where each ray from each centre most likely leaves the vessel.

    Args:
        volume: (X, Y, Z).
        spacing: (3,) mm.
        slices: (n,) indices along Z.
        centres: (n, 2) mm from the first voxel's centre.
        radii: (n,) rough radii, mm.
        rays: k, how many leave each centre.
        walled: whether the rim is where brightness leaves the blood's, up or down (`has_bright_wall`); else where it falls.

    Returns:
        Points (n, k, 2), mm; their strength (n, k), 0 (no edge) to 1 (a full step to the dark).
    """
    reach, strength = edge_strengths(volume, spacing, slices, centres, radii, rays, walled)
    best = (strength * belief_in(reach, radii)[:, None]).argmax(-1)
    radius = reach[best] + RADIAL_STEP_MM * peak_offset(strength, best)
    points = centres[:, None] + directions(rays)[None] * radius[..., None]
    chosen = np.take_along_axis(strength, best[..., None], -1)[..., 0]
    return points, np.clip(chosen, 0.0, 1.0)


def edge_strengths(
    volume: np.ndarray,
    spacing: np.ndarray,
    slices: np.ndarray,
    centres: np.ndarray,
    radii: np.ndarray,
    rays: int,
    walled: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """How steeply brightness falls along each ray; arguments as `edge_points` has them.

    Returns:
        Distances from the centre (m,), mm; strengths (n, rays, m), 1 for a full step to the dark, negative for a rise.
    """
    reach = np.arange(0.0, SEARCH_RANGE[1] * radii.max() + 2 * RADIAL_STEP_MM, RADIAL_STEP_MM)
    brightness = brightness_along_rays(
        volume, spacing, slices, centres, np.broadcast_to(reach, (len(radii), len(reach))), rays
    )
    if walled:
        inside = _brightness_inside(brightness, reach, radii)
        brightness = -np.abs(brightness - inside[:, None, None])
    fall = -ndimage.gaussian_filter1d(brightness, EDGE_SMOOTHING_MM / RADIAL_STEP_MM, axis=-1, order=1)
    steepest = _steepest(brightness, reach, radii)[:, None, None]
    smallest = np.finfo(np.float32).eps * np.abs(brightness).max()
    # no fall from inside to outside, no rim
    return reach, np.divide(fall, steepest, out=np.zeros_like(fall), where=steepest > smallest)


def directions(rays: int) -> np.ndarray:
    """Unit vectors (rays, 2), evenly around the circle."""
    angles = np.arange(rays) * 2 * np.pi / rays
    return np.stack([np.cos(angles), np.sin(angles)], -1)


def brightness_along_rays(
    volume: np.ndarray, spacing: np.ndarray, slices: np.ndarray, centres: np.ndarray, reach: np.ndarray, rays: int
) -> np.ndarray:
    """Brightness (n, rays, m) at the distances `reach` (n, m), mm, from each centre."""
    positions = centres[:, None, None] + directions(rays)[None, :, None] * reach[:, None, :, None]
    index = np.broadcast_to(slices[:, None, None], positions.shape[:-1])
    places = [positions[..., 0] / spacing[0], positions[..., 1] / spacing[1], index]
    return ndimage.map_coordinates(volume, places, order=1, mode="nearest")


def belief_in(reach: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Weight (n, m) of each distance as the rim of a vessel whose radius is known roughly; 0 outside `SEARCH_RANGE`."""
    relative = reach[None] / radii[:, None]
    inside = (relative >= SEARCH_RANGE[0]) & (relative <= SEARCH_RANGE[1])
    return np.where(inside, np.exp(-0.5 * ((relative - 1) / SEARCH_SIGMA) ** 2), 0.0)


def _steepest(brightness: np.ndarray, reach: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """The fall per sample of a full step from the blood's brightness to darkness, blurred by the edge filter."""
    blood = np.median(brightness[..., 0], axis=1)
    darkness = np.where((reach[None] <= SEARCH_RANGE[1] * radii[:, None])[:, None], brightness, np.inf).min(-1)
    step = blood - np.median(darkness, axis=1)
    return step * RADIAL_STEP_MM / (EDGE_SMOOTHING_MM * np.sqrt(2 * np.pi))


def peak_offset(values: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Offset of the vertex of the parabola through a maximum and its neighbours, in samples."""
    middle = np.clip(best, 1, values.shape[-1] - 2)[..., None]
    left, top, right = (np.take_along_axis(values, middle + shift, -1)[..., 0] for shift in (-1, 0, 1))
    curvature = left - 2 * top + right
    offset = np.where(curvature < 0, 0.5 * (left - right) / np.where(curvature < 0, curvature, 1.0), 0.0)
    return np.clip(offset, -0.5, 0.5)


def _robust_fit(
    points: np.ndarray, strength: np.ndarray, centres: np.ndarray, radii: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Iteratively reweighted fit: the weight of a point falls with its distance from the circle before (Cauchy)."""
    old_centres, old_radii = centres, radii
    for _ in range(3):
        distance = np.linalg.norm(points - centres[:, None], axis=-1) - radii[:, None]
        weights = strength / (1 + (distance / OUTLIER_MM) ** 2) + 1e-6
        centres, radii = fit_circles(points, weights)
    # a fit that ran away (nearly straight edges) is no better than what it started from
    wild = (np.linalg.norm(centres - old_centres, axis=1) > old_radii) | (np.abs(radii - old_radii) > 0.5 * old_radii)
    wild |= radii < SMALLEST_RADIUS_MM
    return np.where(wild[:, None], old_centres, centres), np.where(wild, old_radii, radii)


def _brightness_inside(brightness: np.ndarray, reach: np.ndarray, radii: np.ndarray) -> np.ndarray:
    inside = reach[None] <= INSIDE * radii[:, None]
    return (brightness.mean(1) * inside).sum(1) / inside.sum(1)
