"""What is expected at the levels of a vessel: from the rest of it and from what networks paint; and how far it differs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.anomaly.abnormal_stretches import DETOUR, WIDENING, abnormal_stretches
from monai_cardiac_gan.anomaly.own_vessel import COURSE, DIAMETER, OwnVessel, VesselPrior, predict_beyond_gap

__all__ = ["Expectation", "ExpectationModel", "Levels", "Measured", "expect_vessel"]


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

    What does not belong to the rest of the vessel must not tell what is usual there: abnormal stretches of the diameter, and of
    the course, are taken out first (`abnormal_stretches`). A long dilation would else make itself usual and its normal neighbours
    look narrow.

    Args:
        measured: along the vessel; slices of levels that are not compared should be left out.
        levels: where it is compared.
        model: see `ExpectationModel`.
    """
    prior, heights = model.prior, measured.heights_mm
    wide = (measured.diameters_mm - prior.diameters_at(heights))[:, None]
    beside = measured.centres_mm - prior.course_at(heights)
    usual = ~abnormal_stretches(heights, wide, DIAMETER, WIDENING)
    own = predict_beyond_gap(heights, wide, levels.heights_mm, model.gap_mm, DIAMETER, usual)
    straight = ~abnormal_stretches(heights, beside, COURSE, DETOUR)
    course = predict_beyond_gap(heights, beside, levels.heights_mm, model.gap_mm, COURSE, straight)
    return _compared(levels, own, course, model)


def _compared(levels: Levels, own: OwnVessel, course: OwnVessel, model: ExpectationModel) -> Expectation:
    own_mm = own.values[:, 0] + model.prior.diameters_at(levels.heights_mm)
    pull = model.painted_weight * (levels.painted_mm - model.painted_bias_mm - own_mm)
    expected = own_mm + np.where(np.isfinite(pull), pull, 0.0)
    std = own.stds * model.scale
    z = (levels.diameters_mm - expected) / std
    away = np.linalg.norm(levels.centres_mm - course.values - model.prior.course_at(levels.heights_mm), axis=1)
    displacement = away / (course.stds * model.course_scale)
    differs = levels.is_compared & (np.abs(z) > model.diameter_limit)
    displaced = levels.is_compared & (displacement > model.course_limit)
    return Expectation(expected, std, z, own_mm, away, displacement, differs & (z > 0), differs & (z < 0), displaced)
