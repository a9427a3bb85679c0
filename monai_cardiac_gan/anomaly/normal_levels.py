"""What the scores of levels are in normal people, along the vessel, between people and within one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from monai_cardiac_gan.anomaly.level_scores import SIGNS

__all__ = ["JudgedVessel", "NormalLevels", "ScoredLevels", "judge_left_out", "learn_normal_levels"]

FEWEST_PEOPLE = 3
"""From whom anything can be learnt: two tell no spread between people, and each must be left out once."""
GRID_MM = 5.0
"""Distance of the heights at which means are kept."""
HEIGHT_MM = 20.0
"""Standard deviation of the weights with which scores of one height are averaged."""
GAP_MM = 40.0
"""Levels nearer than this do not tell what is usual in a person: a lesion reaches that far."""
FEWEST_OWN = 3
"""Levels beyond the gap from which on a person's own say anything."""
OTHERS = 10.0
"""Levels that other people's variance counts as beside those of the person."""
SD_OF_MAD = 1.4826
"""Standard deviation of normally distributed values, in median absolute deviations."""
ALIKE = 3.0
"""Neighbouring levels that say as much as one."""
ALONG_MM = 8.0
"""Standard deviation of the weights with which neighbouring levels are averaged: lesions are longer than the distance of levels,
noise is not."""
TYPICAL_LARGEST = 0.95
"""Quantile over normal people of the largest level's score, by which each score is divided: there a verdict alarms, and a score
with a long tail does not decide for all."""
OF_OWN_VESSEL = frozenset({"width", "course"})
"""Scores that are measured against the rest of the person's vessel already."""
BOTH_WAYS = frozenset({"width", "wall"})
"""Scores that are unusual when they are small, too."""
POWER = 4
"""With which the scores of a level are joined: between their root mean square, where quiet ones drown a loud one, and the
largest alone."""
LEAST_VARIANCE = 1e-9
FAR = 1e-6
"""Weight of a score at any height, so that a height which nobody reaches is compared with all."""


@dataclass(frozen=True)
class ScoredLevels:
    """The scores of one person's levels.

    Attributes:
        heights_mm: (K,) below the top.
        scores: (K, J); NaN where a thing was not measured.
        is_compared: (K,) bool.
        signs: (J,) names of the scores; `SIGNS` has eight.

    Raises:
        ValueError: when shapes do not fit.
    """

    heights_mm: np.ndarray
    scores: np.ndarray
    is_compared: np.ndarray
    signs: tuple[str, ...] = SIGNS

    def __post_init__(self) -> None:
        count = len(self.heights_mm)
        if self.scores.shape != (count, len(self.signs)) or self.is_compared.shape != (count,):
            raise ValueError(
                f"heights {self.heights_mm.shape}, scores {self.scores.shape}, compared {self.is_compared.shape}: expected (K,), "
                f"(K, {len(self.signs)}) and (K,)."
            )

    def compared(self) -> np.ndarray:
        """(K, J) scores, NaN at levels that are not compared."""
        return np.where(self.is_compared[:, None], self.scores, np.nan)


@dataclass(frozen=True)
class JudgedVessel:
    """How unusual the levels of one person are.

    Attributes:
        signs: (K, J) each score beside normal people's, at least 0; 1 is the largest that vessels of one in twenty exceed.
        levels: (K,) fourth root of the sum of their fourth powers; 0 at levels that are not compared.
        score: of the person, that of the most unusual level.
        names: (J,) of the scores.
    """

    signs: np.ndarray
    levels: np.ndarray
    score: float
    names: tuple[str, ...] = SIGNS

    def leading(self, level: int) -> str:
        """Name of the score that makes a level most unusual."""
        return self.names[int(self.signs[level].argmax())]


@dataclass(frozen=True)
class NormalLevels:
    r"""Normal people's scores: of person p at the height h, for each score,

    .. math:: x_p(h) = \mu(h) + b_p + e_p(h), \quad b \sim N(0, \tau^2), \; e \sim N(0, s^2)

    Attributes:
        heights_mm: (G,) below the top, every 5 mm.
        means: (G, J) :math:`\mu` there; NaN for a score that nobody has.
        between: (J,) variance :math:`\tau^2` between people.
        within: (J,) variance :math:`s^2` within one.
        scale: (J,) largest score of a vessel that one normal person in twenty exceeds (`TYPICAL_LARGEST`).
        people: how many.
        signs: (J,) names of the scores.
    """

    heights_mm: np.ndarray
    means: np.ndarray
    between: np.ndarray
    within: np.ndarray
    scale: np.ndarray
    people: int
    signs: tuple[str, ...] = SIGNS

    def mean_at(self, heights_mm: np.ndarray) -> np.ndarray:
        r"""(K, J) :math:`\mu(h)`; beyond the ends those of the ends."""
        return np.stack([np.interp(heights_mm, self.heights_mm, column) for column in self.means.T], 1)

    def deviations(self, vessel: ScoredLevels) -> np.ndarray:
        r"""(K, J) how far scores lie from what is usual in such people and in this one, averaged along the vessel.

        .. math:: z_j = \frac{x_j - \mu(h_j) - k \, m_j}{\sqrt{s_j^2 + (1 - k) \, \tau^2}}, \quad
            k = \frac{\tau^2}{\tau^2 + 3 s^2 / n_j}, \quad s_j^2 = \max\left(s^2, \frac{10 s^2 + n_j d_j^2}{10 + n_j}\right)

        with the median m of the :math:`n_j` levels at least 40 mm away, less :math:`\mu`: what the person's own levels say of b,
        shrunk towards other people as far as they are few; and their standard deviation d (from the median absolute deviation),
        joined to other people's: where networks paint a person worse than others, all of him is noisier. Width and course are
        measured against the own vessel already: k = 0 and s for them. NaN where nothing was measured.
        """
        residuals = vessel.compared() - self.mean_at(vessel.heights_mm)
        among_all = np.array([name not in OF_OWN_VESSEL for name in self.signs])
        shrunk, left = np.zeros(residuals.shape), np.tile(self.between, (len(residuals), 1))
        noise = np.tile(self.within, (len(residuals), 1))
        for row, height in enumerate(vessel.heights_mm):
            far = residuals[np.abs(vessel.heights_mm - height) >= GAP_MM]
            count = np.isfinite(far).sum(0)
            told = among_all & (count >= FEWEST_OWN)
            between, within, far, count = self.between[told], self.within[told], far[:, told], count[told]
            middle = np.nanmedian(far, axis=0)
            own = (SD_OF_MAD * np.nanmedian(np.abs(far - middle), axis=0)) ** 2
            k = between / (between + ALIKE * within / count)
            shrunk[row, told], left[row, told] = k * middle, (1 - k) * between
            noise[row, told] = np.maximum(within, (OTHERS * within + count * own) / (OTHERS + count))
        return _along(vessel, (residuals - shrunk) / np.sqrt(noise + left))

    def judge(self, vessel: ScoredLevels) -> JudgedVessel:
        """How unusual a person's levels are.

        Raises:
            ValueError: when no level is compared.
        """
        if not vessel.is_compared.any():
            raise ValueError("no level is compared: expected at least one; give a volume that shows more of the aorta.")
        return self.judged(self.unusual(vessel))

    def unusual(self, vessel: ScoredLevels) -> np.ndarray:
        """(K, J) deviations that count, at least 0; 0 where nothing was measured or compared."""
        found = _one_sided(self.deviations(vessel), self.signs)
        return np.nan_to_num(np.where(vessel.is_compared[:, None], found, 0.0))

    def judged(self, unusual: np.ndarray) -> JudgedVessel:
        """Scores (K, J) of a vessel's levels, see `unusual`, joined."""
        signs = unusual / self.scale
        levels = (signs**POWER).sum(1) ** (1 / POWER)
        return JudgedVessel(signs, levels, float(levels.max()), self.signs)


def learn_normal_levels(people: Mapping[str, ScoredLevels]) -> NormalLevels:
    """Learn from normal people.

    Each score is divided by the largest that vessels of normal people have, each beside all the others: with themselves among
    the known they would look more usual than a further person does.

    Args:
        people: name -> levels.

    Raises:
        ValueError: when there are fewer than three people, or their scores have different names.
    """
    return _learn(people)[0]


def judge_left_out(people: Mapping[str, ScoredLevels]) -> dict[str, JudgedVessel]:
    """Each normal person beside all the others: what a further person's score is held against (`judge`).

    Means and variances are those of the others. What scores are divided by is of all of them.

    Raises:
        ValueError: see `learn_normal_levels`.
    """
    normals, unusual = _learn(people)
    return {name: normals.judged(each) for name, each in zip(people, unusual, strict=True)}


def _learn(people: Mapping[str, ScoredLevels]) -> tuple[NormalLevels, list[np.ndarray]]:
    """What all teach, and how each deviates from what the others do."""
    vessels = list(people.values())
    if len({each.signs for each in vessels}) > 1:
        raise ValueError(
            "the scores of some people have other names than those of others: expected one set; score them again."
        )
    if len(vessels) < FEWEST_PEOPLE:
        raise ValueError(f"{len(vessels)} normal people: expected at least {FEWEST_PEOPLE}; give more of them.")
    sums = _Sums.of(vessels)
    unusual = [sums.without(place).unusual(vessel) for place, vessel in enumerate(vessels)]
    largest = [each.max(0) for each in unusual]
    scale = np.maximum(np.quantile(largest, TYPICAL_LARGEST, axis=0), np.sqrt(LEAST_VARIANCE))
    return replace(sums.without(None), scale=scale), unusual


@dataclass(frozen=True)
class _Sums:
    """Weighted sums over the levels of each person at some heights, so that each is left out at little cost."""

    vessels: Sequence[ScoredLevels]
    heights_mm: np.ndarray
    weighted: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, vessels: Sequence[ScoredLevels]) -> _Sums:
        """Of all people."""
        grid = np.arange(0.0, max(float(each.heights_mm.max()) for each in vessels) + GRID_MM, GRID_MM)
        parts = []
        for vessel in vessels:
            nearness = np.exp(-0.5 * ((grid[:, None] - vessel.heights_mm) / HEIGHT_MM) ** 2) + FAR
            scores = vessel.compared()
            known = np.isfinite(scores)
            parts.append((nearness @ np.where(known, scores, 0.0), nearness @ known))
        weighted, weights = (np.array(each) for each in zip(*parts, strict=True))
        return cls(vessels, grid, weighted, weights)

    def without(self, place: int | None) -> NormalLevels:
        """What all but one teach, or all, without a scale."""
        kept = np.arange(len(self.vessels)) != (-1 if place is None else place)
        weights = self.weights[kept].sum(0)
        means = np.where(weights > 0, self.weighted[kept].sum(0) / np.where(weights > 0, weights, 1.0), np.nan)
        signs = self.vessels[0].signs
        ones = np.ones(len(signs))
        plain = NormalLevels(self.heights_mm, means, ones, ones, ones, int(kept.sum()), signs)
        chosen = [each for row, each in enumerate(self.vessels) if kept[row]]
        residuals = [each.compared() - plain.mean_at(each.heights_mm) for each in chosen]
        middles = np.array([_medians(each) for each in residuals])
        rest = np.concatenate([each - middle for each, middle in zip(residuals, middles, strict=True)])
        return replace(plain, between=_variance(middles), within=_variance(rest))


def _medians(values: np.ndarray) -> np.ndarray:
    """(J,) over the rows, NaN for columns without any."""
    found = [column[np.isfinite(column)] for column in values.T]
    return np.array([np.median(column) if len(column) else np.nan for column in found])


def _variance(values: np.ndarray) -> np.ndarray:
    found = [column[np.isfinite(column)] for column in values.T]
    return np.maximum([column.var() if len(column) else 1.0 for column in found], LEAST_VARIANCE)


def _one_sided(deviations: np.ndarray, signs: Sequence[str]) -> np.ndarray:
    both = np.array([name in BOTH_WAYS for name in signs])
    found: np.ndarray = np.where(both, np.abs(deviations), np.maximum(deviations, 0.0))
    return found


def _along(vessel: ScoredLevels, values: np.ndarray) -> np.ndarray:
    """Means over neighbouring levels, of those that were measured; NaN where a level itself was not."""
    weights = np.exp(-0.5 * ((vessel.heights_mm[:, None] - vessel.heights_mm) / ALONG_MM) ** 2)
    known = np.isfinite(values)
    means = (weights @ np.where(known, values, 0.0)) / np.maximum(weights @ known, FAR)
    found: np.ndarray = np.where(known, means, np.nan)
    return found
