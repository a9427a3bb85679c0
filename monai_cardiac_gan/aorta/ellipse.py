"""The rim of the aorta as an ellipse: an aorta that is cut obliquely, or is not round, has two diameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ellipe
from skimage.measure import EllipseModel, ransac

from monai_cardiac_gan.aorta.disc import AortaDisc
from monai_cardiac_gan.aorta.refine import OUTLIER_MM, WEAK_EDGE, edge_points

__all__ = ["AortaEllipse", "fit_ellipse"]

LEAST_POINTS = 12
"""Rim points that an ellipse is fitted to at least, twice the five that define it and two."""
SAMPLE, TRIALS = 8, 100
"""Points of each random sample, and samples; with a third of the points wrong, 98 % of such runs draw a clean sample."""
LARGEST_RATIO = 3.0
"""Of the axes; what is longer is no cross-section of one vessel."""


@dataclass(frozen=True)
class AortaEllipse:
    """The cross-section of the aorta as an ellipse.

    Attributes:
        centre: (2,) row and column, pixels.
        diameters_mm: largest and smallest diameter.
        angle: of the largest diameter against the rows' axis towards the columns' axis, radians, 0 to pi.
        perimeter_mm: its circumference, exact (complete elliptic integral of the second kind).
        area_mm2: its area.
        eccentricity: 0 for a circle, towards 1 for a line.
        support: share of the rays that end on the ellipse, 0 to 1.
    """

    centre: np.ndarray
    diameters_mm: tuple[float, float]
    angle: float
    perimeter_mm: float
    area_mm2: float
    eccentricity: float
    support: float


def fit_ellipse(patch: np.ndarray, disc: AortaDisc, pixel_mm: float = 1.0, seed: int = 0) -> AortaEllipse | None:
    r"""Fit an ellipse to the rim around a disc that was found (RANSAC, Fischler and Bolles 1981, by scikit-image).

    With half axes a and b, :math:`\varepsilon = \sqrt{1 - b^2 / a^2}`, area :math:`\pi a b` and circumference
    :math:`4 a E(\varepsilon^2)`.

    Args:
        patch: (H, W) in which `measure_disc` found the disc.
        disc: what it found.
        pixel_mm: side of a pixel, mm.
        seed: of the random samples.

    Returns:
        The ellipse, or nothing when the rim is not that of one.

    Example:
        An ellipse with diameters of 28 and 22 mm:

        >>> from monai_cardiac_gan.aorta import measure_disc
        >>> rows, columns = np.ogrid[:128, :128]
        >>> radius = np.hypot((rows - 64) / 14, (columns - 64) / 11)
        >>> patch = np.clip(0.5 + 12 * (1 - radius), 0, 1)
        >>> ellipse = fit_ellipse(patch, measure_disc(patch))
        >>> [round(value) for value in ellipse.diameters_mm], round(ellipse.eccentricity, 1), round(ellipse.support)
        ([28, 22], 0.6, 1)
    """
    centre = np.asarray(disc.centre, dtype=np.float64)[None] * pixel_mm
    spacing, radius = np.array([pixel_mm, pixel_mm, 1.0]), np.array([disc.diameter_mm / 2])
    image = np.asarray(patch, dtype=np.float32)[..., None]
    found, strength = edge_points(image, spacing, np.zeros(1, dtype=int), centre, radius)
    points = found[0][strength[0] > WEAK_EDGE]
    if len(points) < LEAST_POINTS:
        return None
    model, inliers = ransac(points, EllipseModel, SAMPLE, OUTLIER_MM / 2, max_trials=TRIALS, rng=seed)
    if not model or inliers.sum() < LEAST_POINTS:
        return None
    return _described(model, float(inliers.sum() / len(found[0])), pixel_mm)


def _described(model: EllipseModel, support: float, pixel_mm: float) -> AortaEllipse | None:
    (first, second), angle = model.axis_lengths, float(model.theta)
    if first < second:
        first, second, angle = second, first, angle + np.pi / 2
    if first > LARGEST_RATIO * second:
        return None
    squared = 1 - (second / first) ** 2
    return AortaEllipse(
        centre=np.asarray(model.center) / pixel_mm,
        diameters_mm=(2 * float(first), 2 * float(second)),
        angle=angle % np.pi,
        perimeter_mm=float(4 * first * ellipe(squared)),
        area_mm2=float(np.pi * first * second),
        eccentricity=float(np.sqrt(squared)),
        support=support,
    )
