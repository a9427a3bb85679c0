"""What is expected at the levels of a vessel: from the rest of it and from what networks paint; and how far it differs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.anomaly.own_vessel import COURSE, DIAMETER, OwnVessel, VesselPrior, predict_beyond_gap

__all__ = ["Expectation", "ExpectationModel", "Levels", "Measured", "expect_vessel"]

ROUNDS = 5
"""Stretches that are taken out of the own vessel at most."""


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

    What differs must not spoil the expectation of its neighbours: the stretch without which the rest differs least is taken out
    of the own vessel, up to the next levels that do not differ, all is predicted again, and so on until nothing that is left
    differs, at most `ROUNDS` times. (The stretch that differs most need not be the culprit: a large one makes its neighbours
    differ, too.) A stretch without which too little of the vessel would be left stays.

    Args:
        measured: along the vessel; slices of levels that are not compared should be left out.
        levels: where it is compared.
        model: see `ExpectationModel`.
    """
    usable = np.ones(len(measured.heights_mm), bool)
    found = _expected(measured, levels, model, usable)
    outside = np.zeros(len(levels.heights_mm), bool)
    for _ in range(ROUNDS):
        stretches = [each for each in _stretches(found) & ~outside if each.any()]
        tries = [_without(each, measured, levels, model, usable) for each in stretches]
        tries = [each for each in tries if not _lost(each.found, found, levels)]
        if not tries:
            break
        best = min(tries, key=lambda each: _difference(each, levels, model, outside))
        outside, usable, found = outside | best.stretch, best.usable, best.found
    return found


@dataclass(frozen=True)
class _Without:
    """What is expected when a stretch has no part in it."""

    stretch: np.ndarray
    usable: np.ndarray
    found: Expectation


def _without(
    stretch: np.ndarray, measured: Measured, levels: Levels, model: ExpectationModel, usable: np.ndarray
) -> _Without:
    usable = usable & ~_near(measured.heights_mm, levels.heights_mm, stretch)
    return _Without(stretch, usable, _expected(measured, levels, model, usable))


def _lost(found: Expectation, before: Expectation, levels: Levels) -> bool:
    """Whether a level was left without expectation."""
    lost = levels.is_compared & np.isfinite(before.expected_mm) & ~np.isfinite(found.expected_mm)
    return bool(lost.any())


def _difference(tried: _Without, levels: Levels, model: ExpectationModel, outside: np.ndarray) -> tuple[float, int]:
    """By how much all other levels exceed the limits, and how many levels are taken out for that."""
    excess = np.maximum(np.abs(tried.found.z) / model.diameter_limit, tried.found.displacement / model.course_limit)
    others = levels.is_compared & ~outside & ~tried.stretch
    return float(np.nansum(np.maximum(excess[others] - 1, 0.0))), int(tried.stretch.sum())


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


def _stretches(found: Expectation) -> np.ndarray:
    """(r, K) bool, the stretches of neighbouring levels that differ alike."""
    kinds = np.where(found.is_wide, 1, np.where(found.is_narrow, 2, np.where(found.is_displaced, 3, 0)))
    numbers = np.cumsum(np.diff(kinds, prepend=kinds[:1]) != 0)
    stretches: np.ndarray = numbers == np.unique(numbers[kinds > 0])[:, None]
    return stretches


def _near(heights_mm: np.ndarray, levels_mm: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(n,) places up to the levels next to the chosen ones: what differs has shoulders, on which it differs less."""
    order = np.argsort(levels_mm)
    found: np.ndarray = np.interp(heights_mm, levels_mm[order], chosen[order].astype(float)) > 0
    return found
