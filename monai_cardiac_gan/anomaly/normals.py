"""Published diameters of the descending aorta's lumen in healthy adults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.anomaly.landmarks import Landmarks

__all__ = ["FEMALE", "MALE", "SEXES", "SOURCE", "NormalRange", "PulmonaryLevel", "normal_ranges", "pulmonary_level"]

MALE, FEMALE = "male", "female"
SEXES = (MALE, FEMALE)
SOURCE = (
    "Davis et al., J Cardiovasc Magn Reson 2014, 16:9: 447 healthy adults of 19 to 70 years, 1.5 T, mean and 2 standard "
    "deviations; not adjusted to body size"
)
AT_PULMONARY_ARTERY = {MALE: (20.6, 5.6), FEMALE: (18.9, 4.0)}
"""Mean and two standard deviations, mm (Davis et al. 2014: proximal descending aorta, at the level of the pulmonary artery)."""
BELOW = {MALE: (17.6, 5.1), FEMALE: (16.4, 4.0)}
"""The same, mm, `BELOW_MM` farther down (Davis et al. 2014: abdominal aorta)."""
BELOW_MM = 120.0
"""Distance of both levels (Davis et al. 2014)."""
REACH_MM = 40.0
"""How far beyond the two levels their numbers are still given: one level of the publication stands for a stretch,
not for the whole aorta."""
ARCH_TO_PULMONARY_MM = 15.0
"""From the arch's opening down to the left pulmonary artery in front of the aorta, which shows 10 to 20 mm below it in the
acquired volumes that were looked at."""
PULMONARY_TO_DIAPHRAGM_MM = 110.0
"""From there to the lung's end; 92 to 129 mm, median 110 mm, in 13 people."""


@dataclass(frozen=True)
class NormalRange:
    """Diameters of healthy people at one level.

    Attributes:
        sex: ``"male"`` or ``"female"``.
        mean_mm: mean diameter.
        low_mm: mean less 2 standard deviations.
        high_mm: mean and 2 standard deviations.
        source: where it was published.
    """

    sex: str
    mean_mm: float
    low_mm: float
    high_mm: float
    source: str = SOURCE


@dataclass(frozen=True)
class PulmonaryLevel:
    """Where the pulmonary artery is taken to lie.

    Attributes:
        mm_from_top: below the top of the track.
        rule: how that was taken, one sentence.
    """

    mm_from_top: float
    rule: str


def pulmonary_level(landmarks: Landmarks) -> PulmonaryLevel:
    """The level of the pulmonary artery, which the normal values refer to: taken from the landmarks, not looked for itself.

    Args:
        landmarks: of the same track.

    Example:
        >>> pulmonary_level(Landmarks(is_arch_seen=True, diaphragm_mm=None)).mm_from_top
        15.0
    """
    if landmarks.is_arch_seen:
        return PulmonaryLevel(
            ARCH_TO_PULMONARY_MM,
            f"the pulmonary artery is taken to lie {ARCH_TO_PULMONARY_MM:g} mm below the aortic arch, with "
            f"which the track begins",
        )
    if landmarks.diaphragm_mm is not None:
        return PulmonaryLevel(
            landmarks.diaphragm_mm - PULMONARY_TO_DIAPHRAGM_MM,
            f"the pulmonary artery is taken to lie {PULMONARY_TO_DIAPHRAGM_MM:g} mm above the diaphragm, "
            f"because the track does not "
            "reach the aortic arch",
        )
    return PulmonaryLevel(
        0.0,
        "the pulmonary artery is taken to lie at the top of the track, because neither the aortic arch nor "
        "the diaphragm was found: "
        "the levels of the normal values may be off",
    )


def normal_ranges(mm_from_top: float, pulmonary_mm: float, sex: str | None = None) -> tuple[NormalRange, ...]:
    """What is normal at one level: linear between the two published levels, constant for 40 mm beyond them.

    The publication's regression on body surface area is not used: its coefficients were not at hand. Healthy people who are
    large have somewhat wider aortas than the range says.

    Args:
        mm_from_top: of the level, below the top of the track.
        pulmonary_mm: where the pulmonary artery lies, see `pulmonary_level`.
        sex: ``"male"``, ``"female"``, or None for both.

    Returns:
        One range for the sex that is given, one for each where none is; none more than 40 mm above the upper or below the lower
        level of the publication.

    Raises:
        ValueError: when the sex is another word.

    Example:
        Half-way between the two levels:

        >>> (normal,) = normal_ranges(75.0, 15.0, "male")
        >>> round(normal.mean_mm, 2), round(normal.low_mm, 2), round(normal.high_mm, 2)
        (19.1, 13.75, 24.45)
    """
    if sex is not None and sex not in SEXES:
        raise ValueError(f"the sex is {sex!r}: expected one of {', '.join(SEXES)}, or None for both.")
    below = mm_from_top - pulmonary_mm
    if not -REACH_MM <= below <= BELOW_MM + REACH_MM:
        return ()
    return tuple(_range(each, below) for each in (SEXES if sex is None else (sex,)))


def _range(sex: str, below: float) -> NormalRange:
    mean, twice = (
        float(np.interp(below, (0.0, BELOW_MM), ends))
        for ends in zip(AT_PULMONARY_ARTERY[sex], BELOW[sex], strict=True)
    )
    return NormalRange(sex, mean, mean - twice, mean + twice)
