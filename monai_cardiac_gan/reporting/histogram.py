"""A small histogram, laid out for a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Bar", "Histogram", "histogram"]

WIDTH, HEIGHT, FOOT = 280, 90, 18
"""Drawing units; the foot holds the numbers of the axis."""
MOST_BARS = 20
GAP = 1.0


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram: place in drawing units, ends and how many values lie in it."""

    x: float
    y: float
    width: float
    height: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Histogram:
    """Bars over an axis; lengths in drawing units."""

    width: int
    height: int
    foot: float
    bars: tuple[Bar, ...]


def histogram(values: Sequence[float], bar: float) -> Histogram | None:
    """Count values in bars of one width, at most 20; None where there are no values.

    Args:
        values: what is counted.
        bar: width of a bar, doubled until 20 hold all values; they begin at a multiple of it.

    Example:
        >>> [(each.low, each.count) for each in histogram([20.1, 20.9, 22.5], 1.0).bars]
        [(20.0, 2), (21.0, 0), (22.0, 1)]
    """
    if not len(values):
        return None
    while (max(values) // bar - min(values) // bar) >= MOST_BARS:
        bar *= 2
    edges = bar * np.arange(min(values) // bar, max(values) // bar + 2)
    counts, _ = np.histogram(values, edges)
    width, top, foot = WIDTH / len(counts), counts.max(), HEIGHT - FOOT
    return Histogram(
        WIDTH, HEIGHT, foot,
        tuple(
            Bar(round(place * width, 2), round(foot * (1 - count / top), 2), round(width - GAP, 2),
                round(foot * count / top, 2), float(edges[place]), float(edges[place + 1]), int(count))
            for place, count in enumerate(counts)
        ),
    )  # fmt: skip
