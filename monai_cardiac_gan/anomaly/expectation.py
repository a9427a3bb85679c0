"""What is expected at the levels of a vessel: from the rest of it and from what networks paint; and how far it differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.anomaly.own_vessel import COURSE, DIAMETER, OwnVessel, VesselPrior, predict_beyond_gap

__all__ = ["Expectation", "ExpectationModel", "Levels", "Measured", "expect_vessel"]

ROUNDS = 5
"""Stretches that are taken out of the own vessel at most, the most different first."""


@dataclass(frozen=True)
class ExpectationModel:
    r"""What expectations are made with, learnt from normal people.

    .. math:: \hat{d} = o + \beta \, (p - b - o)

    with o the diameter that the own vessel predicts and p the painted one.

    Attributes:
        prior: the mean vessel.
        gap_mm: slices nearer than this have no part in what is expected of a level.
        painted_weight: :math:`\beta`, 0 to 1.
        painted_bias_mm: b, by how much painted diameters are too large.
        scale: root mean square of the differences in these people, in standard deviations that the own vessel gives; all
            standard deviations are multiplied by it.
        diameter_limit: |z| that no level of a normal person exceeds, in a share `level` of them.
        course_scale: `scale` of the distance from the course, along each axis.
        course_limit: the same limit for that distance.
        level: share of normal people all of whose levels lie within the limits.
        subjects: how many people it was learnt from.
    """

    prior: VesselPrior
    gap_mm: float
    painted_weight: float
    painted_bias_mm: float
    scale: float
    diameter_limit: float
    course_scale: float
    course_limit: float
    level: float
    subjects: int


@dataclass(frozen=True)
class Measured:
    """What was measured along one vessel.

    Attributes:
        heights_mm: (n,) below the top.
        diameters_mm: (n,).
        centres_mm: (n, 2) along the first two axes in RAS+.
    """

    heights_mm: np.ndarray
    diameters_mm: np.ndarray
    centres_mm: np.ndarray


@dataclass(frozen=True)
class Levels:
    """Where it is compared.

    Attributes:
        heights_mm: (K,) below the top.
        diameters_mm: (K,) acquired; NaN where there is none.
        centres_mm: (K, 2) acquired.
        painted_mm: (K,) diameters in what the networks paint; NaN where there is none.
        is_compared: (K,) bool, levels that can be compared.
    """

    heights_mm: np.ndarray
    diameters_mm: np.ndarray
    centres_mm: np.ndarray
    painted_mm: np.ndarray
    is_compared: np.ndarray


@dataclass(frozen=True)
class Expectation:
    """What is expected at K levels; NaN where nothing can be expected.

    Attributes:
        expected_mm: (K,) diameter.
        std_mm: (K,) its standard deviation.
        z: (K,) (acquired - expected) / std.
        own_mm: (K,) diameter that the own vessel alone predicts.
        displacement_mm: (K,) distance of the acquired centre from the predicted course.
        displacement: (K,) the same in standard deviations of one coordinate.
        is_wide: (K,) bool, compared and wider than expected.
        is_narrow: (K,) bool.
        is_displaced: (K,) bool, compared and beside the course.
    """

    expected_mm: np.ndarray
    std_mm: np.ndarray
    z: np.ndarray
    own_mm: np.ndarray
    displacement_mm: np.ndarray
    displacement: np.ndarray
    is_wide: np.ndarray
    is_narrow: np.ndarray
    is_displaced: np.ndarray


def expect_vessel(measured: Measured, levels: Levels, model: ExpectationModel) -> Expectation:
    """Expect diameters and centres of all levels.

    What differs must not spoil the expectation of its neighbours: the stretch that differs most is taken out of the own vessel,
    all is predicted again, and so on until nothing that is left differs.

    Args:
        measured: along the vessel; slices of levels that are not compared should be left out.
        levels: where it is compared.
        model: see `ExpectationModel`.
    """
    usable = np.ones(len(measured.heights_mm), bool)
    found = _expected(measured, levels, model, usable)
    outside = np.zeros(len(levels.heights_mm), bool)
    for _ in range(ROUNDS):
        worst = _worst_stretch(found, levels, model, outside)
        if worst is None:
            break
        outside |= worst
        tried = usable & ~_near(measured.heights_mm, levels.heights_mm, worst)
        again = _expected(measured, levels, model, tried)
        if not np.isfinite(again.expected_mm[levels.is_compared]).all():
            break  # too little is left of the vessel
        usable, found = tried, again
    return found


def _expected(measured: Measured, levels: Levels, model: ExpectationModel, usable: np.ndarray) -> Expectation:
    prior, wanted = model.prior, levels.heights_mm
    deviations = (measured.diameters_mm - prior.diameters_at(measured.heights_mm))[:, None]
    own = predict_beyond_gap(measured.heights_mm, deviations, wanted, model.gap_mm, DIAMETER, usable)
    own_mm = own.values[:, 0] + prior.diameters_at(wanted)
    pull = model.painted_weight * (levels.painted_mm - model.painted_bias_mm - own_mm)
    expected = own_mm + np.where(np.isfinite(pull), pull, 0.0)
    std = own.stds * model.scale
    z = (levels.diameters_mm - expected) / std
    away, displacement = _displacement(measured, levels, model, usable)
    differs = levels.is_compared & (np.abs(z) > model.diameter_limit)
    displaced = levels.is_compared & (displacement > model.course_limit)
    return Expectation(expected, std, z, own_mm, away, displacement, differs & (z > 0), differs & (z < 0), displaced)


def _displacement(
    measured: Measured, levels: Levels, model: ExpectationModel, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    prior, wanted = model.prior, levels.heights_mm
    deviations = measured.centres_mm - prior.course_at(measured.heights_mm)
    course: OwnVessel = predict_beyond_gap(measured.heights_mm, deviations, wanted, model.gap_mm, COURSE, usable)
    away = np.linalg.norm(levels.centres_mm - course.values - prior.course_at(wanted), axis=1)
    return away, away / (course.stds * model.course_scale)


def _worst_stretch(
    found: Expectation, levels: Levels, model: ExpectationModel, outside: np.ndarray
) -> np.ndarray | None:
    """Neighbouring levels that differ alike, around the one that differs most of those not yet taken out."""
    kinds = np.where(found.is_wide, 1, np.where(found.is_narrow, 2, np.where(found.is_displaced, 3, 0)))
    excess = np.maximum(np.abs(found.z) / model.diameter_limit, found.displacement / model.course_limit)
    excess = np.where((kinds > 0) & ~outside & np.isfinite(excess), excess, 0.0)
    if not excess.any():
        return None
    worst = int(excess.argmax())
    chosen = np.zeros(len(kinds), bool)
    for run in _runs(kinds):
        if run.start <= worst < run.stop:
            chosen[run] = True
    return chosen


def _runs(kinds: np.ndarray) -> Iterator[slice]:
    """Stretches of equal kinds."""
    ends = np.flatnonzero(np.diff(kinds)) + 1
    for start, stop in zip([0, *ends], [*ends, len(kinds)], strict=True):
        yield slice(int(start), int(stop))


def _near(heights_mm: np.ndarray, levels_mm: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(n,) places within a level's distance of one of the chosen levels: a stretch does not end where its last level lies."""
    step = float(np.median(np.diff(levels_mm))) if len(levels_mm) > 1 else np.inf
    away: np.ndarray = np.abs(heights_mm[:, None] - levels_mm[chosen]).min(1)
    return away < step
