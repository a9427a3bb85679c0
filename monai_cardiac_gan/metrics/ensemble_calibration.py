"""Do several answers differ as far as they are wrong?"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from monai_cardiac_gan.metrics.ensemble_scores import checked_ensemble

__all__ = ["calibrated_coverage", "central_interval", "spread_skill_ratio"]

LEVEL = 0.9
"""Share of the truths that a central interval shall hold."""


def central_interval(samples: Tensor, level: float = LEVEL) -> tuple[Tensor, Tensor]:
    r"""Central interval of an ensemble, wide enough for a truth that is one more draw from the same distribution.

    Quantile p lies at position :math:`p (K + 1)` of the sorted samples 1 to K, between two of them linearly (Weibull's rule,
    type 6 of Hyndman and Fan 1996). A further draw falls between neighbours of the sorted samples with probability 1 / (K +
    1), so the interval holds it with probability `level`. The usual rule (type 7, position 1 + p (K - 1)) is too narrow: of
    16 calibrated samples its 90 % interval holds 79 %. Where the position lies beyond the samples, for 90 % with fewer than
    19, the interval ends at the outermost ones and holds less; see `calibrated_coverage`.

    Args:
        samples: (K, ...), at least 2.
        level: of the interval, 0 to 1.

    Returns:
        Lower and upper ends, (...) each.

    Raises:
        ValueError: when there are fewer than two samples, or the level is no share.

    Example:
        >>> [end.item() for end in central_interval(torch.arange(1.0, 40.0))]
        [2.0, 38.0]

    Source: Hyndman and Fan 1996, "Sample quantiles in statistical packages", definition 6.
    """
    _check(len(samples), level)
    ordered = samples.detach().as_subclass(Tensor).double().sort(0).values
    lower, upper = (_at(ordered, position) for position in _positions(len(samples), level))
    return lower, upper


def calibrated_coverage(count: int, level: float = LEVEL) -> float:
    """Share of the truths in the `central_interval` of a calibrated ensemble of so many samples.

    Args:
        count: K, at least 2.
        level: of the interval.

    Raises:
        ValueError: when there are fewer than two samples, or the level is no share.

    Example:
        >>> round(calibrated_coverage(19), 3), round(calibrated_coverage(16), 3), round(calibrated_coverage(4), 3)
        (0.9, 0.882, 0.6)
    """
    _check(count, level)
    lower, upper = _positions(count, level)
    return (upper - lower) / (count + 1)


def spread_skill_ratio(samples: Tensor, truths: Tensor) -> float:
    r"""Spread of an ensemble over the error of its mean: 1 where calibrated, below where the samples are too much alike.

    .. math:: \sqrt{\frac{K + 1}{K} \cdot \frac{\operatorname{mean} s^2}{\operatorname{mean} (\bar x - y)^2}}

    with the variance :math:`s^2` of the samples, K - 1 in the denominator. The mean of K samples errs by (K + 1) / K of the
    variance where truth and samples are of one distribution. Twice the mean :math:`s^2` is the mean square of the difference
    of two samples, so this is the diversity of the samples over that of a calibrated ensemble with the same mean.

    Args:
        samples: (K, ...), at least 2.
        truths: (...), all that are pooled.

    Returns:
        0 or more; infinite where the mean is right everywhere, NaN where the samples are alike there, too.

    Raises:
        ValueError: when there are fewer than two samples, or the shapes differ.

    Example:
        >>> round(spread_skill_ratio(torch.tensor([[-1.0], [1.0]]), torch.tensor([3.0**0.5])), 6)
        1.0

    Source: Fortin et al. 2014, "Why should ensemble spread match the RMSE of the ensemble mean?".
    """
    samples, truths = checked_ensemble(samples, truths)
    _check(len(samples), LEVEL)
    variance = samples.var(0).mean()
    error = (samples.mean(0) - truths).square().mean()
    return ((len(samples) + 1) / len(samples) * variance / error).sqrt().item()


def _positions(count: int, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    lower = max(1.0, round(tail * (count + 1), 9))  # 0.05 * 20 is not 1 in binary
    return lower, count + 1 - lower


def _at(ordered: Tensor, position: float) -> Tensor:
    below = math.floor(position)
    return torch.lerp(ordered[below - 1], ordered[min(below, len(ordered) - 1)], position - below)


def _check(count: int, level: float) -> None:
    if count < 2:
        raise ValueError(f"there is {count} sample: expected at least 2, whose spread says something.")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: expected a share between 0 and 1, such as 0.9.")
