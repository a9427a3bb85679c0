"""Which stretches of a vessel do not belong to the rest of it, so that they must not tell what is usual."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from monai_cardiac_gan.anomaly.own_vessel import LEAST, Covariance, thinned

__all__ = ["DETOUR", "WIDENING", "Deviation", "abnormal_stretches"]

GRID_MM = 10.0
"""Distance of the places at which a stretch may begin or end."""
LENGTHS_MM = (20.0, 120.0)
"""Shortest and longest stretch; the longest is half of the usual track, and the rest must tell what is usual."""
SHOULDER_MM = GRID_MM / 2
"""Taken out beyond the ends of a stretch, which are known to half the grid."""
BUMP_LENGTH_MM = 25.0
"""Length over which a deviation changes within a stretch: that of an aneurysm of 50 mm from shoulder to shoulder."""
PRIOR = 0.05
"""Probability that a person has such a stretch, before the vessel is looked at."""
USUAL_LENGTH_MM = 50.0
"""Shorter stretches are more probable than longer ones, by a factor of e for this difference."""
MOST = 3
"""Stretches of one vessel."""


@dataclass(frozen=True)
class Deviation:
    """How abnormal stretches deviate from the rest of a vessel, in the unit of the quantity.

    Attributes:
        std: of the deviation along a stretch.
        means: mean deviation -> probability, such as a widening and a narrowing.
    """

    std: float
    means: Mapping[float, float]


WIDENING = Deviation(std=6.0, means={5.0: 0.8, -5.0: 0.2})
"""Of diameters, mm: of five abnormal stretches four are dilated."""
DETOUR = Deviation(std=10.0, means={0.0: 1.0})
"""Of each coordinate of the centres, mm."""


def abnormal_stretches(
    heights_mm: np.ndarray, residuals: np.ndarray, covariance: Covariance, deviation: Deviation
) -> np.ndarray:
    r"""Measurements inside stretches that deviate from the rest of the vessel, found by comparing models.

    In a usual vessel residuals are :math:`r \sim N(0, K)` with the covariance of normal people. With an abnormal stretch W
    a second process is added there,

    .. math:: r \sim N(\mu \, 1_W, K + B_W), \quad
        B_W(s, t) = b^2 e^{-(s - t)^2 / 2 l^2} \; [s \in W] \, [t \in W]

    With a prior of :math:`\pi \, p(\mu) \, e^{-|W| / 50\,\text{mm}} / Z` for each stretch the most probable one is taken if it is
    more probable than none, and then another one, up to three (MacKay 2003, chapter 28).

    Args:
        heights_mm: (n,) where measurements were made.
        residuals: (n, c) measurements less the mean of people; columns are independent.
        covariance: of normal people along one vessel.
        deviation: of abnormal stretches.

    Returns:
        (n,) bool, true inside and up to 5 mm beyond.

    Example:
        A vessel that is 10 mm wider around 110 mm:

        >>> from monai_cardiac_gan.anomaly import DIAMETER
        >>> heights = np.arange(0.0, 220.0, 2.0)
        >>> bump = 10.0 * np.exp(-(((heights - 110) / 15) ** 2))
        >>> inside = heights[abnormal_stretches(heights, bump[:, None], DIAMETER, WIDENING)]
        >>> float(inside.min()), float(inside.max())
        (86.0, 134.0)
    """
    rows = thinned(heights_mm, np.ones(len(heights_mm), bool))
    found = np.zeros(len(heights_mm), bool)
    if len(rows) < 2:
        return found
    vessel = _Vessel(heights_mm[rows], np.array(residuals[rows], float), covariance, deviation)
    for chosen in vessel.abnormal():
        found |= (heights_mm >= chosen.low - SHOULDER_MM) & (heights_mm < chosen.high + SHOULDER_MM)
    return found


class _Vessel:
    """Measurements of one vessel, and all stretches of it that might be abnormal."""

    def __init__(self, places: np.ndarray, values: np.ndarray, covariance: Covariance, deviation: Deviation) -> None:
        self.places, self.values = places, values
        noise = covariance.noise_std**2 * np.eye(len(places))
        self.usual = covariance.between(places, places, float(places.mean())) + noise
        self.bump = deviation.std**2 * np.exp(-0.5 * ((places[:, None] - places) / BUMP_LENGTH_MM) ** 2)
        stretches = _stretches(float(places.min()), float(places.max()), deviation)
        # what is usual must be told by what is left
        self.stretches = [each for each in stretches if (~each.holds(places)).sum() >= LEAST]

    def abnormal(self) -> list[_Stretch]:
        """The most probable stretches, one after the other; with each the earlier ones are chosen again."""
        chosen: list[_Stretch] = []
        while self.stretches and len(chosen) < MOST:
            more = [*chosen, self._best(chosen)]
            if self._log_posterior(more) <= self._log_posterior(chosen):
                break
            for place in range(len(more) - 1):
                more[place] = self._best(more[:place] + more[place + 1 :])
            chosen = more
        return chosen

    def _best(self, others: list[_Stretch]) -> _Stretch:
        """The most probable one beside others."""
        return max(self.stretches, key=lambda each: self._log_posterior([*others, each]))

    def _log_posterior(self, stretches: list[_Stretch]) -> float:
        known, values, prior = self.usual, self.values, 0.0
        for each in stretches:
            inside = each.holds(self.places)
            known, values = known + self.bump * np.outer(inside, inside), values - each.mean * inside[:, None]
            prior += each.log_prior
        return prior + _log_evidence(known, values)


@dataclass(frozen=True)
class _Stretch:
    """One stretch, its mean deviation, and the logarithm of its prior odds against none."""

    low: float
    high: float
    mean: float
    log_prior: float

    def holds(self, places: np.ndarray) -> np.ndarray:
        return (places >= self.low) & (places < self.high)


def _stretches(first_mm: float, last_mm: float, deviation: Deviation) -> list[_Stretch]:
    """All of them, with the logarithm of their prior odds against none."""
    edges = np.arange(first_mm, last_mm + 2 * GRID_MM, GRID_MM)  # the last one lies behind the last measurement
    pairs = [(low, high) for low in edges for high in edges if LENGTHS_MM[0] <= high - low <= LENGTHS_MM[1]]
    total = sum(math.exp((low - high) / USUAL_LENGTH_MM) for low, high in pairs)
    odds = math.log(PRIOR / (1 - PRIOR))
    return [
        _Stretch(low, high, mean, odds + math.log(share / total) + (low - high) / USUAL_LENGTH_MM)
        for low, high in pairs
        for mean, share in deviation.means.items()
    ]


def _log_evidence(covariance: np.ndarray, values: np.ndarray) -> float:
    """Logarithm of the normal density of all columns, without its constant."""
    factor = linalg.cholesky(covariance, lower=True)
    whitened = linalg.solve_triangular(factor, values, lower=True)
    return float(-0.5 * (whitened**2).sum() - values.shape[1] * np.log(np.diag(factor)).sum())
