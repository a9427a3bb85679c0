"""From the standard deviation of several solutions to intervals that hold the truth as often as they say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["UncertaintyCalibration", "calibrate_uncertainty", "coverage"]

FLOORS = np.linspace(0.05, 1.0, 20)
"""Quantiles of the absolute errors that are tried as floors."""


@dataclass(frozen=True)
class UncertaintyCalibration:
    r"""Half the width of an interval around a mean of solutions, :math:`f \sqrt{s^2 + s_0^2}`.

    The standard deviation s of solutions says how far they disagree. They may agree and be wrong: that is what :math:`s_0`
    is for.

    Attributes:
        level: share of the truths that shall lie in such an interval, 0 to 1.
        floor: :math:`s_0`, in the unit of the quantity.
        factor: f.
        count: pairs of error and standard deviation that it was learnt from.
    """

    level: float
    floor: float
    factor: float
    count: int

    def half_width(self, std: np.ndarray | float) -> np.ndarray:
        """Half widths for standard stds over solutions, of any shape."""
        return self.factor * np.sqrt(np.square(std) + self.floor**2)


def calibrate_uncertainty(errors: np.ndarray, stds: np.ndarray, level: float = 0.9) -> UncertaintyCalibration:
    r"""Learn the intervals from cases whose truth is known (normalised split conformal prediction, Lei et al. 2018).

    f is the :math:`\lceil (n + 1) p \rceil`-th smallest of the n scores :math:`|e| / \sqrt{s^2 + s_0^2}`. A new case that is
    exchangeable with these lies in its interval with a probability of at least p, whatever :math:`s_0` and the distributions
    are. Of twenty :math:`s_0`, quantiles of the errors, the one is taken whose intervals are the narrowest on average.

    Args:
        errors: (n,) truth less the mean of the solutions, or distances from it.
        stds: (n,) standard deviation of the solutions.
        level: p.

    Raises:
        ValueError: when the shapes differ, a number is not finite, or there are too few cases for the level.

    Example:
        Nine cases do for 90 %; their largest error is the half width where all standard deviations are equal:

        >>> found = calibrate_uncertainty(np.array([1, -1, 1, -1, 1, -1, 1, -1, 4.0]), np.zeros(9))
        >>> round(float(found.half_width(0.0)), 3)
        4.0
    """
    errors, stds = np.asarray(errors, float).ravel(), np.asarray(stds, float).ravel()
    if errors.shape != stds.shape or not (np.isfinite(errors).all() and np.isfinite(stds).all()):
        raise ValueError(
            f"{errors.size} errors and {stds.size} standard deviations: expected as many of both, all finite; leave out cases "
            "without an answer."
        )
    rank = math.ceil((errors.size + 1) * level)
    if not 0 < level < 1 or rank > errors.size:
        raise ValueError(
            f"{errors.size} cases for a level of {level}: expected a level between 0 and 1 and at least "
            f"{math.ceil(round(level / (1 - level), 6)) if 0 < level < 1 else 1} cases; calibrate on more patches."
        )
    floors = np.maximum(np.quantile(np.abs(errors), FLOORS), np.finfo(float).tiny)
    found = [_with_floor(errors, stds, level, rank, float(floor)) for floor in floors]
    return min(found, key=lambda one: float(one.half_width(stds).mean()))


def _with_floor(errors: np.ndarray, stds: np.ndarray, level: float, rank: int, floor: float) -> UncertaintyCalibration:
    scores = np.abs(errors) / np.sqrt(stds**2 + floor**2)
    return UncertaintyCalibration(level, floor, float(np.partition(scores, rank - 1)[rank - 1]), int(errors.size))


def coverage(errors: np.ndarray, half_widths: np.ndarray) -> float:
    """Share of the truths that lie in their intervals.

    Example:
        >>> coverage(np.array([0.5, -2.0]), np.array([1.0, 1.0]))
        0.5
    """
    return float(np.mean(np.abs(errors) <= half_widths))
