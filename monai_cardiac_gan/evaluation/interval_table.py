"""How far a number may move with other held-out people: bootstrap over subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.evaluation.comparison import DIGITS, MetricRow, direction_of

__all__ = ["LEAST_SUBJECTS", "SubjectInterval", "format_intervals", "subject_intervals"]

LEAST_SUBJECTS = 5
"""With fewer there are less than 126 different draws, and an interval of 95 % says more than is known."""
DRAWS = 2000
COVERAGE = 0.95


@dataclass(frozen=True)
class SubjectInterval:
    """Mean of a number over held-out people, each compared singly, with its percentile bootstrap interval of 95 %."""

    mean: float
    low: float
    high: float


def subject_intervals(
    tables: Mapping[str, Sequence[MetricRow]], seed: int = 0
) -> dict[str, dict[str, SubjectInterval]] | None:
    """Means over people and their intervals.

    People are drawn with replacement, not patches: slices of one person are not independent. The numbers of single people are
    averaged, because a sample with the patches of one person twice would be full of nearest neighbours at no distance.

    Args:
        tables: held-out person -> rows of its own table, all of the same metrics.
        seed: of the draws.

    Returns:
        Metric -> label -> interval; None with fewer than five people.

    Example:
        >>> tables = {f"s{number}": [MetricRow("distance", None, {"mine": float(number)})] for number in range(5)}
        >>> subject_intervals(tables)["distance"]["mine"]
        SubjectInterval(mean=2.0, low=0.8, high=3.2)

    Source: Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13.
    """
    if len(tables) < LEAST_SUBJECTS:
        return None
    drawn = np.random.default_rng(seed).integers(len(tables), size=(DRAWS, len(tables)))
    found: dict[str, dict[str, SubjectInterval]] = {}
    for rows in zip(*tables.values(), strict=True):
        numbers = {label: np.array([row.values[label] for row in rows]) for label in rows[0].values}
        found[rows[0].metric] = {label: _interval(values, drawn) for label, values in numbers.items()}
    return found


def format_intervals(intervals: Mapping[str, Mapping[str, SubjectInterval]]) -> str:
    """The intervals as a Markdown table.

    Example:
        >>> print(format_intervals({"recall": {"mine": SubjectInterval(0.5, 0.4, 0.61)}}).splitlines()[-1])
        | recall | higher | 0.5 [0.4, 0.61] |
    """
    labels = list(next(iter(intervals.values()), {}))
    lines = [f"| metric | better | {' | '.join(labels)} |", "|---|---|" + "---:|" * len(labels)]
    for metric, by_label in intervals.items():
        cells = [
            f"{each.mean:.{DIGITS}g} [{each.low:.{DIGITS}g}, {each.high:.{DIGITS}g}]" for each in by_label.values()
        ]
        lines.append(f"| {metric} | {direction_of(metric.rsplit('/', 1)[-1])} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval(values: np.ndarray, drawn: np.ndarray) -> SubjectInterval:
    low, high = np.quantile(values[drawn].mean(1), [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return SubjectInterval(float(values.mean()), float(low), float(high))
