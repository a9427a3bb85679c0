"""From the standard deviation of several solutions to intervals that hold the truth as often as they say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["UncertaintyCalibration", "calibrate_uncertainty", "choose_floor", "coverage", "subjects_needed"]

FLOORS = np.linspace(0.05, 1.0, 20)
"""Quantiles of the absolute errors that are tried as floors."""
ROUNDING = 1e-9
"""Sums of weights that differ by less are equal."""


@dataclass(frozen=True)
class UncertaintyCalibration:
    r"""Half the width of an interval around a mean of solutions, :math:`f \sqrt{s^2 + s_0^2}`.

    The standard deviation s of solutions says how far they disagree. They may agree and be wrong: that is what :math:`s_0`
    is for.

    Attributes:
        level: share of the truths that shall lie in such an interval, 0 to 1.
        floor: :math:`s_0`, in the unit of the quantity.
        factor: f.
        count: pairs of error and standard deviation that f was learnt from.
        subjects: whose they were.
        pixel_mm: side of the pixels of their patches; None where that is not known.
    """

    level: float
    floor: float
    factor: float
    count: int
    subjects: int
    pixel_mm: float | None = None

    def half_width(self, std: np.ndarray | float) -> np.ndarray:
        """Half widths for standard deviations of solutions, of any shape."""
        return self.factor * np.sqrt(np.square(std) + self.floor**2)


def calibrate_uncertainty(
    errors: np.ndarray, stds: np.ndarray, subjects: np.ndarray, floor: float, level: float = 0.9
) -> UncertaintyCalibration:
    r"""Learn the intervals from cases whose truth is known, many of each of a few subjects.

    With the scores :math:`S_{ki} = |e_{ki}| / \sqrt{s_{ki}^2 + s_0^2}` of the :math:`N_k` cases of subject k of K, f is the
    smallest q with

    .. math:: \frac{1}{K + 1} \sum_k \frac{1}{N_k} \#\{i : S_{ki} \le q\} \ge p

    (hierarchical conformal prediction). A case of a new subject then lies in its interval with a probability of at least p,
    whatever the distributions are, if subjects are exchangeable and so are the cases of each, and :math:`s_0` was chosen
    without any of them (`choose_floor`). The probability is over the drawing of all subjects: of one calibration's
    intervals it may be less, and for subjects of another kind, such as other scanners, nothing is promised.

    Args:
        errors: (n,) truth less the mean of the solutions, or distances from it.
        stds: (n,) standard deviation of the solutions.
        subjects: (n,) whose each case is.
        floor: :math:`s_0`, more than 0.
        level: p.

    Raises:
        ValueError: when the shapes differ, a number is not finite, the floor is not positive, or there are too few subjects
            for the level (`subjects_needed`).

    Example:
        Nine subjects do for 90 %; the largest of their errors is the half width where all standard deviations are equal:

        >>> errors = np.array([1, -1, 1, -1, 1, -1, 1, -1, 4.0])
        >>> found = calibrate_uncertainty(errors, np.zeros(9), np.arange(9), floor=0.5)
        >>> round(float(found.half_width(0.0)), 3)
        4.0

    Source: Lee, Barber and Willett 2023, "Distribution-free inference with hierarchical data" (HCP); the normalised
    score is that of Lei et al. 2018.
    """
    errors, stds, names = _checked(errors, stds, subjects)
    people = len(np.unique(names))
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: expected a share between 0 and 1, such as 0.9.")
    if people < subjects_needed(level):
        raise ValueError(
            f"cases of {people} subjects for a level of {level}: expected at least {subjects_needed(level)} subjects; calibrate "
            "on more people, or for a lower level."
        )
    if not floor > 0:
        raise ValueError(f"floor is {floor}: expected more than 0, see choose_floor.")
    scores = np.abs(errors) / np.sqrt(stds**2 + floor**2)
    factor = _weighted_quantile(scores, _weights(names), level * (people + 1) / people)
    return UncertaintyCalibration(level, float(floor), factor, int(errors.size), people)


def subjects_needed(level: float) -> int:
    r"""Least number of subjects for a level p, :math:`\lceil p / (1 - p) \rceil`.

    Example:
        >>> subjects_needed(0.9), subjects_needed(0.5)
        (9, 1)
    """
    return math.ceil(round(level / (1 - level), 6))


def choose_floor(errors: np.ndarray, stds: np.ndarray, subjects: np.ndarray, level: float = 0.9) -> float:
    r"""The :math:`s_0` whose intervals are the narrowest on average, of twenty quantiles of the absolute errors.

    Choose it from other people than those of `calibrate_uncertainty`: what is chosen by a case does not judge it.

    Args:
        errors: see `calibrate_uncertainty`, as all others.
        stds: (n,).
        subjects: (n,).
        level: p.

    Raises:
        ValueError: when there are no cases, shapes differ, or a number is not finite.

    Example:
        Where solutions agree and all err alike, they say nothing, and the floor is their error:

        >>> choose_floor(np.full(20, 3.0), np.zeros(20), np.arange(20))
        3.0
    """
    errors, stds, names = _checked(errors, stds, subjects)
    if not errors.size:
        raise ValueError("there are no cases to choose a floor from: expected at least one.")
    weights = _weights(names)
    floors = np.maximum(np.quantile(np.abs(errors), FLOORS), np.finfo(float).tiny)

    def width(floor: float) -> float:
        scales = np.sqrt(stds**2 + floor**2)
        return _weighted_quantile(np.abs(errors) / scales, weights, level) * float(weights @ scales)

    return float(min(floors, key=width))


def coverage(errors: np.ndarray, half_widths: np.ndarray) -> float:
    """Share of the truths that lie in their intervals.

    Example:
        >>> coverage(np.array([0.5, -2.0]), np.array([1.0, 1.0]))
        0.5
    """
    return float(np.mean(np.abs(errors) <= half_widths))


def _checked(errors: np.ndarray, stds: np.ndarray, subjects: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    errors, stds, names = (
        np.asarray(errors, float).ravel(),
        np.asarray(stds, float).ravel(),
        np.asarray(subjects).ravel(),
    )
    finite = np.isfinite(errors).all() and np.isfinite(stds).all()
    if not errors.shape == stds.shape == names.shape or not finite:
        raise ValueError(
            f"{errors.size} errors, {stds.size} standard deviations and {names.size} subjects: expected as many of each, all "
            "finite; leave out cases without an answer."
        )
    return errors, stds, names


def _weights(names: np.ndarray) -> np.ndarray:
    """Of each case, such that all subjects weigh the same and all cases together 1."""
    _, place, counts = np.unique(names, return_inverse=True, return_counts=True)
    return 1.0 / (counts[place] * len(counts))


def _weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The smallest value such that those up to it weigh at least the share."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    place = int(np.searchsorted(reached, share - ROUNDING))
    return float(values[order[min(place, len(order) - 1)]])
