"""How unusual a person is among normal people, with a false-alarm rate that is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["ALPHA", "Verdict", "judge", "normals_needed"]

ALPHA = 0.05
"""False alarms among normal people that are accepted, a share."""
ROUNDING = 1e-9
"""Shares that differ by less are equal."""


@dataclass(frozen=True)
class Verdict:
    """A person's score among those of normal people.

    Attributes:
        score: the person's, higher for more unusual.
        p_value: conformal; normal people have p <= a in a share of at most a, for every a.
        more_unusual: how many of the normal people have a score at least as high.
        normals: how many there are.
        alpha: share of false alarms.
        is_alarm: whether p <= alpha; None where the normal people are too few to tell (`normals_needed`).
    """

    score: float
    p_value: float
    more_unusual: int
    normals: int
    alpha: float
    is_alarm: bool | None

    @property
    def sentence(self) -> str:
        """What may be said.

        Example:
            >>> judge(3.0, [1.0, 2.0]).sentence
            'more unusual than all 2 known normal people; 19 are needed for an alarm at 0.05'
            >>> judge(1.5, [1.0, 2.0]).sentence
            'as unusual as 1 of 2 known normal people, or less; 19 are needed for an alarm at 0.05'
            >>> judge(3.0, range(-20, 0)).sentence
            'more unusual than all 20 known normal people (p = 0.048)'
        """
        if self.more_unusual:
            known = f"as unusual as {self.more_unusual} of {self.normals} known normal people, or less"
        else:
            known = f"more unusual than all {self.normals} known normal people"
        if self.is_alarm is None:
            return f"{known}; {normals_needed(self.alpha)} are needed for an alarm at {self.alpha:g}"
        return f"{known} (p = {self.p_value:.2g})"


def judge(score: float, normals: Sequence[float] | np.ndarray, alpha: float = ALPHA) -> Verdict:
    r"""Hold a person's score against those of normal people, one score each.

    .. math:: p = \frac{1 + \#\{i : s_i \ge s\}}{n + 1}

    If the person is normal, too, and all n + 1 are exchangeable, then :math:`P(p \le \alpha) \le \alpha` for every
    :math:`\alpha`, whatever the score is. The probability is over the drawing of all of them: of one set of normal people the
    rate of false alarms may be higher. For people of another kind, such as those of another scanner, nothing is promised.

    Args:
        score: of the person, finite, higher for more unusual.
        normals: (n,) of normal people whom nothing was trained or tuned on, found in the same way.
        alpha: share of false alarms, between 0 and 1.

    Raises:
        ValueError: when a score is not finite, there are no normal people, or alpha is not between 0 and 1.

    Example:
        Two of nineteen normal people are at least as unusual:

        >>> found = judge(17.0, range(19))
        >>> found.p_value, found.is_alarm, judge(18.5, range(19)).is_alarm
        (0.15, False, True)

    Source: Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a random world", section 2; for anomalies Bates et al.
    2023, "Testing for outliers with conformal p-values".
    """
    known = np.asarray(normals, float).ravel()
    if not known.size or not np.isfinite(known).all() or not math.isfinite(score):
        raise ValueError(
            f"the score is {score} and there are {known.size} normal people: expected a finite score, and at least one finite "
            "score of a normal person; leave out people without an answer."
        )
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}: expected a share of false alarms between 0 and 1, such as {ALPHA}.")
    above = int((known >= score).sum())
    p_value = (1 + above) / (known.size + 1)
    enough = known.size >= normals_needed(alpha)
    return Verdict(float(score), p_value, above, known.size, alpha, p_value <= alpha + ROUNDING if enough else None)


def normals_needed(alpha: float = ALPHA) -> int:
    r"""Least number of normal people for an alarm, :math:`\lceil 1 / \alpha \rceil - 1`: with fewer no p is small enough.

    Example:
        >>> normals_needed(0.05), normals_needed(0.1)
        (19, 9)
    """
    return math.ceil(round(1 / alpha, 6)) - 1
