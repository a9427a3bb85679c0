"""How sure a mean over patches is: intervals over the people that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import bootstrap

__all__ = ["Estimate", "estimate_by_subject", "subject_interval"]

FEWEST_FOR_INTERVAL = 5
"""Subjects; a bootstrap over fewer says nothing."""
RESAMPLES = 9999
"""Of the bootstrap, as SciPy has it."""


@dataclass(frozen=True)
class Estimate:
    """A mean, and how sure it is.

    Attributes:
        mean: of what was measured.
        low: lower end of its 95 % interval; None for fewer than 5 subjects.
        high: upper end.
    """

    mean: float
    low: float | None = None
    high: float | None = None


def estimate_by_subject(values: np.ndarray, subjects: Sequence[str] | np.ndarray, seed: int = 0) -> Estimate | None:
    """Mean over the subjects of the mean of each, so that every subject weighs the same, and its bootstrapped 95 % interval.

    Args:
        values: (n,), NaN where there is none.
        subjects: (n,) whose each is.
        seed: of the bootstrap.

    Returns:
        The estimate; None where there is no value.

    Example:
        >>> estimate_by_subject(np.array([1.0, 1.0, 1.0, 5.0, np.nan]), ["anna", "anna", "anna", "ben", "ben"])
        Estimate(mean=3.0, low=None, high=None)
    """
    values, names = np.asarray(values, dtype=float), np.asarray(subjects)
    there = ~np.isnan(values)
    if not there.any():
        return None
    people = np.unique(names[there])
    means = np.array([values[there & (names == name)].mean() for name in people])
    return Estimate(float(means.mean()), *(subject_interval(means, people, seed) or (None, None)))


def subject_interval(
    values: np.ndarray, subjects: Sequence[str] | np.ndarray, seed: int = 0
) -> tuple[float, float] | None:
    """95 % interval of the mean of all values, by a bootstrap (percentiles) that draws whole subjects.

    Args:
        values: (n,), NaN where there is none.
        subjects: (n,) whose each is.
        seed: of the bootstrap.

    Returns:
        Lower and upper end; None for fewer than 5 subjects with a value. Equal values give a point.

    Example:
        >>> subject_interval(np.arange(10.0), list("aabbccddee"))
        (2.1, 6.9)

    Source: Davison and Hinkley 1997, "Bootstrap methods and their application", section 3.8 (hierarchical data, whole groups
    drawn).
    """
    values, names = np.asarray(values, dtype=float), np.asarray(subjects)
    there = ~np.isnan(values)
    people, place = np.unique(names[there], return_inverse=True)
    if len(people) < FEWEST_FOR_INTERVAL:
        return None
    sums, counts = np.bincount(place, values[there]), np.bincount(place).astype(float)
    if np.ptp(values[there]) == 0:
        return float(values[there][0]), float(values[there][0])

    def mean(sums: Any, counts: Any, axis: int = -1) -> Any:
        return sums.sum(axis) / counts.sum(axis)

    rng = np.random.default_rng(seed)
    found = bootstrap(
        (sums, counts), mean, n_resamples=RESAMPLES, paired=True, vectorized=True, method="percentile", rng=rng
    ).confidence_interval
    return float(found.low), float(found.high)
