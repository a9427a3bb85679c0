"""What a person's own vessel, outside a gap around a level, says of that level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

__all__ = [
    "COURSE",
    "DIAMETER",
    "Covariance",
    "OwnVessel",
    "VesselPrior",
    "learn_prior",
    "predict_beyond_gap",
    "thinned",
]

GRID_MM = 5.0
"""Distance of the heights at which a prior keeps its means."""
BANDWIDTH_MM = 12.0
"""Standard deviation of the Gaussian weights with which they are averaged."""
MIDDLE_MM = (40.0, 180.0)
"""Heights below the top over which courses are centred before they are averaged; most whole-heart volumes show them."""
STEP_MM = 4.0
"""Distance of the slices that a prediction uses; a vessel changes little within it, and the cost grows with the cube."""
LEAST = 5
"""Slices beyond the gap from which on a prediction is made."""
SLOPE_MM = 50.0
"""Length over which a person's change is given (`Covariance.slope_std`)."""


@dataclass(frozen=True)
class Covariance:
    r"""How a quantity deviates from the mean of people along one vessel.

    .. math:: k(s, t) = \sigma^2 (1 + a) e^{-a} + \sigma_0^2 + \sigma_1^2 \frac{(s - m) (t - m)}{(50\,\text{mm})^2}
        + \nu^2 \delta_{st}, \quad a = \sqrt{3} \, |s - t| / \ell

    a Matérn 3/2 process about a straight line that each person has for himself (Rasmussen and Williams 2006, section 4.2), which
    turns about the middle m of the measurements.

    Attributes:
        length_mm: :math:`\ell`.
        std: :math:`\sigma`, of what varies along the vessel, in the quantity's unit, as below.
        offset_std: :math:`\sigma_0`, of a person's mean.
        slope_std: :math:`\sigma_1`, of a person's change over 50 mm.
        noise_std: :math:`\nu`, of a measurement on one slice.
    """

    length_mm: float
    std: float
    offset_std: float
    slope_std: float
    noise_std: float

    def between(self, first_mm: np.ndarray, second_mm: np.ndarray, middle_mm: float) -> np.ndarray:
        """(n, m) covariance without the noise; the straight line turns about the middle."""
        a = np.sqrt(3) * np.abs(first_mm[:, None] - second_mm) / self.length_mm
        tilt = np.outer(first_mm - middle_mm, second_mm - middle_mm) / SLOPE_MM**2
        return self.std**2 * (1 + a) * np.exp(-a) + self.offset_std**2 + self.slope_std**2 * tilt


DIAMETER = Covariance(length_mm=90.0, std=2.0, offset_std=3.0, slope_std=1.0, noise_std=0.5)
"""Of diameters. Of Gaussian, Matérn 3/2 and exponential processes with lengths of 20 to 150 mm and standard deviations of 0.7
to 2 mm this one gave thirteen people's diameters beyond a gap of 30 mm the highest likelihood, each with the mean of the
others."""
COURSE = Covariance(length_mm=90.0, std=8.0, offset_std=1000.0, slope_std=10.0, noise_std=0.3)
"""Of the centres' coordinates. Where a vessel lies in the field of view says nothing: its mean is free."""


@dataclass(frozen=True)
class VesselPrior:
    """The mean descending aorta of some people, by height below the top of their tracks.

    Attributes:
        heights_mm: (m,) from 0 on.
        diameters_mm: (m,).
        course_mm: (m, 2) centres along the first two axes in RAS+, about their own middle.
        subjects: how many people.

    Raises:
        ValueError: when shapes do not fit.
    """

    heights_mm: np.ndarray
    diameters_mm: np.ndarray
    course_mm: np.ndarray
    subjects: int

    def __post_init__(self) -> None:
        count = len(self.heights_mm)
        if not count or self.diameters_mm.shape != (count,) or self.course_mm.shape != (count, 2):
            raise ValueError(
                f"heights {self.heights_mm.shape}, diameters {self.diameters_mm.shape}, course {self.course_mm.shape}: expected "
                "(m,), (m,) and (m, 2) with at least one height."
            )

    def diameters_at(self, heights_mm: np.ndarray) -> np.ndarray:
        """(n,) mean diameters; beyond the ends those of the ends."""
        return np.interp(heights_mm, self.heights_mm, self.diameters_mm)

    def course_at(self, heights_mm: np.ndarray) -> np.ndarray:
        """(n, 2) the mean course."""
        return np.stack([np.interp(heights_mm, self.heights_mm, column) for column in self.course_mm.T], 1)


@dataclass(frozen=True)
class OwnVessel:
    """What slices beyond a gap predict; NaN where there are too few of them.

    Attributes:
        values: (n, c).
        stds: (n,) standard deviation of what would be measured there.
    """

    values: np.ndarray
    stds: np.ndarray


def predict_beyond_gap(
    heights_mm: np.ndarray,
    residuals: np.ndarray,
    wanted_mm: np.ndarray,
    gap_mm: float,
    covariance: Covariance,
    usable: np.ndarray | None = None,
) -> OwnVessel:
    r"""Predict each wanted place from the measurements at least a gap away (Gaussian process regression, kriging).

    .. math:: \hat{r}(s) = k_s^T (K + \nu^2 I)^{-1} r, \quad
        v(s) = k(s, s) - k_s^T (K + \nu^2 I)^{-1} k_s + \nu^2

    over the measurements with :math:`|t - s| \ge g` (Rasmussen and Williams 2006, algorithm 2.1). What lies within the gap has
    no influence at all.

    Args:
        heights_mm: (n,) where measurements were made.
        residuals: (n, c) measurements less the mean of people.
        wanted_mm: (m,) where they are predicted.
        gap_mm: g.
        covariance: of the residuals along the vessel.
        usable: (n,) bool, measurements that may be used; None takes all.

    Raises:
        ValueError: when shapes do not fit, the gap is negative, or a usable measurement is not finite.

    Example:
        Whoever is 2 mm wider everywhere else is expected to be so in the gap:

        >>> heights = np.arange(0.0, 200.0, 2.0)
        >>> found = predict_beyond_gap(heights, np.full((100, 1), 2.0), np.array([100.0]), 30.0, DIAMETER)
        >>> found.values.round(1).tolist(), found.stds.round(1).tolist()
        ([[2.0]], [0.8])
    """
    heights_mm, residuals = np.asarray(heights_mm, float), np.asarray(residuals, float)
    usable = np.ones(len(heights_mm), bool) if usable is None else np.asarray(usable, bool)
    _refuse_odd(heights_mm, residuals, usable, gap_mm)
    values = np.full((len(wanted_mm), residuals.shape[1]), np.nan)
    stds = np.full(len(wanted_mm), np.nan)
    for row, wanted in enumerate(np.asarray(wanted_mm, float)):
        beyond = thinned(heights_mm, usable & (np.abs(heights_mm - wanted) >= gap_mm))
        if len(beyond) < LEAST:
            continue
        values[row], stds[row] = _predicted(heights_mm[beyond], residuals[beyond], wanted, covariance)
    return OwnVessel(values, stds)


def _refuse_odd(heights_mm: np.ndarray, residuals: np.ndarray, usable: np.ndarray, gap_mm: float) -> None:
    fits = residuals.ndim == 2 and residuals.shape[:1] == heights_mm.shape == usable.shape
    if not fits or not gap_mm >= 0:
        raise ValueError(
            f"heights {heights_mm.shape}, residuals {residuals.shape}, usable {usable.shape}, gap {gap_mm} mm: expected (n,), "
            "(n, c), (n,) and at least 0."
        )
    odd = usable & ~(np.isfinite(heights_mm) & np.isfinite(residuals).all(1))
    if odd.any():
        raise ValueError(
            f"{odd.sum()} of {len(odd)} measurements are not finite: leave them out, or mark them as not usable."
        )


def _predicted(
    known_mm: np.ndarray, residuals: np.ndarray, wanted_mm: float, covariance: Covariance
) -> tuple[np.ndarray, float]:
    """Values (c,) at one place, and their standard deviation."""
    here, middle = np.array([wanted_mm]), float(known_mm.mean())
    noise = covariance.noise_std**2
    factor = linalg.cho_factor(covariance.between(known_mm, known_mm, middle) + noise * np.eye(len(known_mm)))
    link = covariance.between(here, known_mm, middle)[0]
    own = covariance.between(here, here, middle)[0, 0] - link @ linalg.cho_solve(factor, link)
    return link @ linalg.cho_solve(factor, residuals), float(np.sqrt(max(own, 0.0) + noise))


def thinned(heights_mm: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Rows of the chosen measurements, at most one in each step."""
    rows = np.flatnonzero(chosen)
    _, first = np.unique(np.floor(heights_mm[rows] / STEP_MM), return_index=True)
    return rows[first]


def learn_prior(
    heights_mm: Sequence[np.ndarray], diameters_mm: Sequence[np.ndarray], centres_mm: Sequence[np.ndarray]
) -> VesselPrior:
    """The mean vessel of some people, one track each.

    Args:
        heights_mm: (n,) below the top, of each.
        diameters_mm: (n,) of each.
        centres_mm: (n, 2) of each, along the first two axes in RAS+.

    Raises:
        ValueError: when there is no track.

    Example:
        >>> heights = np.arange(0.0, 200.0, 5.0)
        >>> prior = learn_prior([heights, heights], [np.full(40, 20.0), np.full(40, 24.0)], [np.zeros((40, 2))] * 2)
        >>> prior.diameters_at(np.array([100.0])).round(6).tolist(), prior.subjects
        ([22.0], 2)
    """
    if not len(heights_mm):
        raise ValueError("there is no track to learn from: expected at least one.")
    grid = np.arange(0.0, max(float(each.max()) for each in heights_mm) + GRID_MM / 2, GRID_MM)
    places, widths = np.concatenate(list(heights_mm)), np.concatenate(list(diameters_mm))
    weights = np.exp(-0.5 * ((places[None] - grid[:, None]) / BANDWIDTH_MM) ** 2)
    courses = [_course(grid, *each) for each in zip(heights_mm, centres_mm, strict=True)]
    return VesselPrior(grid, (weights @ widths) / weights.sum(1), np.mean(courses, 0), len(courses))


def _course(grid: np.ndarray, heights_mm: np.ndarray, centres_mm: np.ndarray) -> np.ndarray:
    """One person's course on a grid, about its middle; beyond its ends it goes straight down."""
    order = np.argsort(heights_mm)
    course = np.stack([np.interp(grid, heights_mm[order], column[order]) for column in centres_mm.T], 1)
    middle = (grid >= MIDDLE_MM[0]) & (grid <= MIDDLE_MM[1])
    return course - course[middle if middle.any() else slice(None)].mean(0)
