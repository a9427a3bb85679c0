"""The lumen's contour in axial slices: area and largest inscribed circle, where a circle or an ellipse says too little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.aorta.polygon import polygon_area, polygon_eccentricity, polygon_inscribed_circle
from monai_cardiac_gan.aorta.refine import (
    ANGLES,
    OUTLIER_MM,
    RADIAL_STEP_MM,
    WEAK_EDGE,
    belief_in,
    directions,
    edge_strengths,
    has_bright_wall,
    peak_offset,
)
from monai_cardiac_gan.aorta.track import AortaTrack

__all__ = ["Lumen", "measure_lumen", "measure_lumens"]

LARGEST_STEP = 3
"""Samples by which the rim may move from one ray to the next: 1.5 mm, 45 degrees on the rim of a 24 mm aorta."""
STEP_COST = 0.04
"""Of a step of one sample, in units of a full edge, and four times that for two: a neighbour is reached by steps of two and
three, and to save a lost edge costs more than it brings; an ellipse of 28 x 22 mm steps less than one sample a ray."""
STIFFNESS = 4.0
"""Weight of the radii's second differences against the edges: an ellipse's waves (two in a turn) lose 2 % of their height, noise
from ray to ray nearly all."""
FAINT_WEIGHT = 0.05
"""Least weight of a ray, where the rim is not seen and runs on from its neighbours."""
LEAST_SUPPORT = 0.35
"""Share of the rays that must end on an edge; the same that a slice between others must have to be believed."""


@dataclass(frozen=True)
class Lumen:
    """The blood's cross-section in one axial slice.

    Attributes:
        contour_mm: (k, 2) rim, counter-clockwise from the first axis towards the second; mm from the first voxel's centre.
        area_mm2: inside the contour.
        area_equivalent_mm: diameter of the circle of that area.
        inscribed_mm: diameter of the largest circle inside. Of a tube that is cut obliquely it is the tube's own diameter.
        inscribed_centre_mm: (2,) its centre.
        eccentricity: of the ellipse with the same second moments, 0 for a circle, towards 1 for a line.
        support: share of the rays on which an edge is seen where the contour runs, 0 to 1.
    """

    contour_mm: np.ndarray
    area_mm2: float
    area_equivalent_mm: float
    inscribed_mm: float
    inscribed_centre_mm: np.ndarray
    eccentricity: float
    support: float


def measure_lumen(
    patch: np.ndarray, pixel_mm: float, centre_mm: Sequence[float] | np.ndarray, diameter_mm: float
) -> Lumen | None:
    r"""The lumen in one axial picture, around a circle that was found there (`measure_disc`).

    The contour is found as `measure_lumens` says; the area is that of its polygon (Gauss), the area-equivalent diameter
    :math:`2 \sqrt{A / \pi}`, the eccentricity :math:`\sqrt{1 - \lambda_2 / \lambda_1}` with the eigenvalues of the second
    central moments.

    Args:
        patch: (H, W) brightness in any unit.
        pixel_mm: side of a pixel, mm.
        centre_mm: (2,) of the circle along both axes, mm from the first pixel's centre.
        diameter_mm: of the circle.

    Returns:
        The lumen; None when too little of a rim is seen.

    Raises:
        ValueError: when the patch is not two-dimensional and finite, or a length is not positive.

    Example:
        An ellipse with diameters of 28 and 22 mm, whose area is that of a circle of 24.8 mm:

        >>> rows, columns = np.ogrid[:128, :128]
        >>> radius = np.hypot((rows - 64) / 14, (columns - 64) / 11)
        >>> lumen = measure_lumen(np.clip(0.5 + 12 * (1 - radius), 0, 1), 1.0, (64.0, 64.0), 24.0)
        >>> round(lumen.inscribed_mm), round(lumen.area_equivalent_mm), round(lumen.eccentricity, 1)
        (22, 25, 0.6)
    """
    image = np.asarray(patch, dtype=np.float32)
    if image.ndim != 2 or not np.isfinite(image).all():
        raise ValueError(
            f"the patch has shape {image.shape} and {int((~np.isfinite(image)).sum())} values that are not finite: expected "
            "(H, W), finite; select one patch and its channel first."
        )
    if not (pixel_mm > 0 and diameter_mm > 0):
        raise ValueError(f"pixel {pixel_mm} mm, diameter {diameter_mm} mm: expected positive lengths.")
    centre = np.asarray(centre_mm, dtype=np.float64)[None]
    track = AortaTrack(np.zeros(1), centre, np.array([diameter_mm]), np.ones(1), 1.0)
    return measure_lumens(image[..., None], (pixel_mm, pixel_mm, 1.0), track)[0]


def measure_lumens(volume: np.ndarray, spacing: Sequence[float] | np.ndarray, track: AortaTrack) -> list[Lumen | None]:
    """The lumen in every slice of a track.

    Along 48 rays from the circle's centre the edges are weighed as `refine_circles` does. The closed path over the rays with the
    most edge and the smallest steps is found by dynamic programming, set to a fraction of a sample, and smoothed where
    the rim is faint; a neighbour as bright as the vessel does not pull it out, because that takes a step.

    Args:
        volume: (X, Y, Z) brightness in any unit, RAS+.
        spacing: (3,) mm.
        track: of the descending aorta; `AortaTrack.select` takes some of its slices.

    Returns:
        One entry for each slice of the track; None where too little of a rim is seen.

    Example:
        A tube of 20 mm that leans by 45 degrees; its cross-section is 28.3 mm long:

        >>> x, y, z = np.ogrid[:96, :96, :40]
        >>> tube = np.clip(10.5 - np.hypot((x - 48 - (z - 20)) / 2**0.5, y - 40), 0, 1)
        >>> track = AortaTrack([20], [[48.0, 40.0]], [23.0], [1.0], 1.0)
        >>> round(measure_lumens(tube, (1.0, 1.0, 1.0), track)[0].inscribed_mm)
        20
    """
    if not len(track):
        return []
    volume, spacing = np.asarray(volume), np.asarray(spacing, dtype=np.float64)
    radii = track.diameters_mm / 2
    where = volume, spacing, track.slices, track.centres_mm, radii
    reach, strength = edge_strengths(*where, ANGLES, has_bright_wall(*where))
    strength = np.clip(strength, 0.0, 1.0)
    rims, support = _rims(reach, strength, belief_in(reach, radii))
    contours = track.centres_mm[:, None] + directions(ANGLES) * rims[..., None]
    return [
        _measured(contour, share) if share >= LEAST_SUPPORT else None
        for contour, share in zip(contours, support, strict=True)
    ]


def _measured(contour: np.ndarray, support: float) -> Lumen:
    area = polygon_area(contour)
    centre, radius = polygon_inscribed_circle(contour)
    return Lumen(
        contour_mm=contour,
        area_mm2=area,
        area_equivalent_mm=2 * float(np.sqrt(area / np.pi)),
        inscribed_mm=2 * radius,
        inscribed_centre_mm=centre,
        eccentricity=polygon_eccentricity(contour),
        support=float(support),
    )


def _rims(reach: np.ndarray, strength: np.ndarray, belief: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smooth radii (n, rays), mm, and the share of the rays (n,) on which an edge is seen there."""
    chosen = closed_path(strength * belief[:, None])
    seen = np.take_along_axis(strength, chosen[..., None], -1)[..., 0]
    edges = reach[chosen] + RADIAL_STEP_MM * peak_offset(strength, chosen)
    rims = _smoothed(edges, np.maximum(seen, FAINT_WEIGHT))
    return rims, ((seen > WEAK_EDGE) & (np.abs(edges - rims) < OUTLIER_MM)).mean(1)


def closed_path(gain: np.ndarray) -> np.ndarray:
    """The closed path of the greatest gain, one place on each ray, less `STEP_COST` for the squares of its steps.

    The rays are gone around twice: after the first turn the path has forgotten where it began, and the middle turn is closed.

    Args:
        gain: (n, rays, m), what each place brings.

    Returns:
        Index of the place on each ray, (n, rays).
    """
    count, rays, places = gain.shape
    steps = np.arange(-LARGEST_STEP, LARGEST_STEP + 1)
    cost = STEP_COST * steps**2
    turn = np.concatenate([np.arange(rays // 2, rays), np.arange(rays), np.arange(rays // 2)])
    best, origin = gain[:, turn[0]], np.zeros((len(turn), count, places), dtype=np.int64)
    for place, ray in enumerate(turn[1:], start=1):
        padded = np.pad(best, ((0, 0), (LARGEST_STEP, LARGEST_STEP)), constant_values=-np.inf)
        reached = np.stack([padded[:, LARGEST_STEP + step :][:, :places] for step in steps], -1) - cost
        move = reached.argmax(-1)
        origin[place] = np.arange(places) + steps[move]
        best = gain[:, ray] + np.take_along_axis(reached, move[..., None], -1)[..., 0]
    path, every = np.empty((count, len(turn)), dtype=np.int64), np.arange(count)
    path[:, -1] = best.argmax(-1)
    for place in range(len(turn) - 1, 0, -1):
        path[:, place - 1] = origin[place][every, path[:, place]]
    return path[:, rays - rays // 2 :][:, :rays]


def _smoothed(radii: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Periodic Whittaker smoothing (Eilers 2003): least squares to the radii and to second differences of 0."""
    rays = radii.shape[1]
    unit = np.eye(rays)
    bend = np.roll(unit, 1, 0) - 2 * unit + np.roll(unit, -1, 0)
    system = weights[:, :, None] * unit + STIFFNESS * bend.T @ bend
    smooth: np.ndarray = np.linalg.solve(system, (weights * radii)[..., None])[..., 0]
    return smooth
