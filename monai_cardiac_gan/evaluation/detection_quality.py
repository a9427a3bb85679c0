"""How well scores tell what is abnormal: areas under curves, Dice at thresholds, alarms, with intervals over subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, rankdata

__all__ = [
    "CaseScores",
    "area_under_roc",
    "average_precision",
    "best_dice",
    "binomial_band",
    "dice_at",
    "with_interval",
]

FEWEST_FOR_INTERVAL = 5
"""Subjects; a bootstrap over fewer says nothing."""
DRAWS = 500
COVERAGE = 0.95
THRESHOLDS = 200
"""That are tried for the best Dice, quantiles of the scores."""


@dataclass(frozen=True)
class CaseScores:
    """Scores of one subject.

    Attributes:
        normal: (n,) of what is normal.
        abnormal: (m,) of what is not.
    """

    normal: np.ndarray
    abnormal: np.ndarray


def area_under_roc(normal: np.ndarray, abnormal: np.ndarray) -> float:
    r"""Probability that something abnormal has a higher score than something normal, ties counted half:

    .. math:: \mathrm{AUROC} = \frac{U}{n \, m}

    with the statistic U of Mann and Whitney, from ranks; NaN without either.

    Example:
        >>> area_under_roc(np.array([0.0, 1.0, 2.0]), np.array([1.5, 3.0]))
        0.8333333333333334

    Source: Hanley and McNeil 1982, "The meaning and use of the area under a receiver operating characteristic curve".
    """
    if not len(normal) or not len(abnormal):
        return float("nan")
    ranks = rankdata(np.concatenate([abnormal, normal]))[: len(abnormal)].sum()
    return float(ranks - len(abnormal) * (len(abnormal) + 1) / 2) / (len(normal) * len(abnormal))


def average_precision(normal: np.ndarray, abnormal: np.ndarray) -> float:
    r"""Area under the curve of precision over recall, as a sum over thresholds:

    .. math:: \mathrm{AP} = \sum_i (R_i - R_{i-1}) \, P_i

    NaN without anything abnormal. MONAI's `compute_average_precision` gives the same, in a loop over all values.

    Example:
        >>> round(average_precision(np.array([0.0, 1.0, 2.0]), np.array([1.5, 3.0])), 4)
        0.8333
    """
    if not len(abnormal):
        return float("nan")
    scores = np.concatenate([abnormal, normal])
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(order < len(abnormal))
    last = np.append(np.diff(scores[order]) != 0, True)  # equal scores are one threshold
    recall, precision = hits[last] / len(abnormal), hits[last] / (np.flatnonzero(last) + 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def dice_at(maps: np.ndarray, truth: np.ndarray, threshold: float) -> float:
    r"""Dice coefficient :math:`2 |A \cap B| / (|A| + |B|)` of pixels above a threshold, over all images together.

    Example:
        >>> dice_at(np.array([0.1, 0.9, 0.8]), np.array([False, True, False]), 0.5)
        0.6666666666666666
    """
    found = maps > threshold
    total = int(found.sum()) + int(truth.sum())
    return float(2 * (found & truth).sum() / total) if total else float("nan")


def best_dice(maps: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """The highest Dice of some thresholds, and that threshold: an oracle, for whoever chooses it on the same images.

    Example:
        >>> best_dice(np.array([0.1, 0.9, 0.8]), np.array([False, True, False]))[0]
        1.0
    """
    tried = np.unique(np.quantile(maps, np.linspace(0, 1, THRESHOLDS)))
    found = [dice_at(maps, truth, threshold) for threshold in tried]
    place = int(np.argmax(np.nan_to_num(found)))
    return float(np.nan_to_num(found[place])), float(tried[place])


def with_interval(
    statistic: Callable[[np.ndarray, np.ndarray], float], cases: Sequence[CaseScores], seed: int = 0
) -> tuple[float, float | None, float | None]:
    """A statistic of all cases' scores together, and its 95 % interval by a bootstrap (percentiles) that draws whole subjects.

    Args:
        statistic: of normal and abnormal scores.
        cases: one a subject.
        seed: of the draws.

    Returns:
        The statistic and the ends of its interval; None for fewer than five subjects.

    Example:
        >>> cases = [CaseScores(np.array([0.0, 1.0]), np.array([2.0]))] * 5
        >>> with_interval(area_under_roc, cases)
        (1.0, 1.0, 1.0)
    """

    def of(chosen: Sequence[CaseScores]) -> float:
        return statistic(*(np.concatenate([getattr(each, side) for each in chosen]) for side in ("normal", "abnormal")))

    if len(cases) < FEWEST_FOR_INTERVAL:
        return (of(cases) if cases else float("nan")), None, None
    random = np.random.default_rng(seed)
    drawn = [of([cases[row] for row in random.integers(len(cases), size=len(cases))]) for _ in range(DRAWS)]
    low, high = np.nanquantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return of(cases), float(low), float(high)


def binomial_band(rate: float, count: int, coverage: float = 0.99) -> tuple[int, int]:
    """Fewest and most alarms among some normal people in whom the rate is as promised.

    Example:
        >>> binomial_band(0.05, 100)
        (0, 11)
    """
    low, high = binom.interval(coverage, count, rate)
    return int(low), int(high)
