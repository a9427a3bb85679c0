"""How far acquired pixels lie from the expected ones, measured by how far normal people's do."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["SPREAD_FACTOR", "deviation_map", "learn_spread_factor", "pixel_spread"]

SPREAD_FACTOR = 1.4
"""Root mean square of acquired - expected in standard deviations of drawn answers: 1.2 to 1.5 over all but the surest tenth of
the pixels of ten people (docs/concepts/anomaly.md). An answer's own distance from the typical one and the truth's add up."""
FLOOR = 0.1
"""Standard deviation that no pixel is expected to be surer than, grey values of -1 to 1: about a scan's noise in blood."""
SMOOTH_PX = 1.5
"""Of the spread, which sixteen answers tell to a fifth only."""


def pixel_spread(answers: np.ndarray, factor: float = SPREAD_FACTOR) -> np.ndarray:
    r"""How far a pixel may lie from what is expected of it.

    .. math:: \sigma = \sqrt{(c \, G * s)^2 + f^2}

    with s the standard deviation of the answers, G a Gaussian of 1.5 pixels, the factor c, and the floor f = 0.1.

    Args:
        answers: (S, K, H, W) images that were drawn for each of K levels, -1 to 1.
        factor: c, learnt from normal people (`learn_spread_factor`).

    Returns:
        (K, H, W).

    Raises:
        ValueError: when there are fewer than two answers, or the factor is not positive.

    Example:
        >>> answers = np.stack([np.zeros((1, 9, 9)), np.full((1, 9, 9), 0.4)])
        >>> pixel_spread(answers, factor=1.0)[0, 4, 4].round(3)
        np.float64(0.224)
    """
    answers = np.asarray(answers, np.float64)
    if answers.ndim != 4 or len(answers) < 2 or not factor > 0:
        raise ValueError(
            f"answers are {answers.shape} and the factor {factor}: expected (S, K, H, W) with at least two answers, and a "
            "positive factor; draw more answers."
        )
    smooth = ndimage.gaussian_filter(answers.std(0), (0, SMOOTH_PX, SMOOTH_PX))
    spread: np.ndarray = np.hypot(factor * smooth, FLOOR)
    return spread


def deviation_map(acquired: np.ndarray, expected: np.ndarray, spread: np.ndarray, counts: np.ndarray) -> np.ndarray:
    r"""The anomaly map :math:`z = (y - \hat{y}) / \sigma`, 0 where nothing was expected.

    Args:
        acquired: (K, H, W), -1 to 1.
        expected: the same.
        spread: (K, H, W), see `pixel_spread`.
        counts: (K, H, W) bool, true where pixels were hidden and lie inside the field of view.

    Returns:
        (K, H, W): above 0 brighter than expected, below 0 darker.

    Raises:
        ValueError: when shapes differ.

    Example:
        >>> deviation_map(np.full((1, 1, 2), 0.5), np.zeros((1, 1, 2)), np.full((1, 1, 2), 0.25), np.array([[[True, False]]]))
        array([[[2., 0.]]])
    """
    if not acquired.shape == expected.shape == spread.shape == counts.shape:
        raise ValueError(
            f"acquired {acquired.shape}, expected {expected.shape}, spread {spread.shape}, counts {counts.shape}: expected one "
            "shape (K, H, W)."
        )
    difference = np.asarray(acquired, np.float64) - expected
    found: np.ndarray = np.where(counts, difference / spread, 0.0)
    return found


def learn_spread_factor(squares: np.ndarray, variances: np.ndarray) -> float:
    r"""The factor c of `pixel_spread` from normal people, each of the same weight:

    .. math:: c^2 = \frac{\sum_i \overline{(y - \hat{y})^2_i}}{\sum_i \overline{s^2_i}}

    Args:
        squares: (n,) mean squared difference over the pixels of each person.
        variances: (n,) mean variance of the answers over the same pixels.

    Raises:
        ValueError: when there is no person, or no answer differs from another.

    Example:
        >>> learn_spread_factor(np.array([0.5, 0.3]), np.array([0.2, 0.2]))
        1.4142135623730951
    """
    total = float(np.sum(variances))
    if not len(variances) or not total > 0:
        raise ValueError(
            f"{len(variances)} people whose answers have a variance of {total} in all: expected at least one person, and answers "
            "that differ; draw them with other latents."
        )
    return float(np.sqrt(np.sum(squares) / total))
