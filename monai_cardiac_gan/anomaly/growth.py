"""How much a vessel grew between two scans of one person, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from scipy import ndimage

__all__ = ["Alignment", "LevelGrowth", "Vessel", "align_vessels", "growth_between"]

CONFIDENCE_95 = 1.959964
"""97.5 % quantile of the standard normal distribution."""
DAYS_A_YEAR = 365.25
STEP_MM = 2.0
"""Of the positions at which two vessels are compared to align them."""
LARGEST_SHIFT_MM = 120.0
OVERLAP_SHARE = 0.7
"""Of the shorter of both that they must share; short stretches of different levels look alike."""
LARGEST_MISFIT_MM = 1.5
"""Root mean square distance of two courses, from which on they are not believed to belong together. A course with
jitter of 0.3 mm fits itself to 0.5 mm, where it was cut and tilted; one in five of other people's courses fits to 1.5 mm."""
SMOOTH_MM = 10.0
"""Standard deviation of the Gaussian along the centre line before its length is taken: jitter of centres makes no way."""
SMOOTHED_SIGMAS = 3.0
"""Reach of that Gaussian."""
POSITION_SD_MM = 3.0
"""Standard deviation of where the same level of two scans is taken: the arch's opening lay 2.3 mm (at most 5.7) elsewhere in 13
acquired volumes that were tilted by 5 degrees either way with noise of 3 %; a new breath comes on top."""


@dataclass(frozen=True)
class Vessel:
    """One scan of a vessel, from the top down.

    Attributes:
        centres_mm: (n, 3) scanner millimetres (RAS+).
        diameters_mm: (n,).
        is_arch_seen: whether the aortic arch is seen above it (`find_landmarks`).
        from_arch_mm: height of the arch above the first level, where that is seen; levels next to it may not be measured.

    Raises:
        ValueError: when there are fewer than two levels, the shapes disagree, or a number is not finite.
    """

    centres_mm: np.ndarray
    diameters_mm: np.ndarray
    is_arch_seen: bool
    from_arch_mm: float = 0.0

    def __post_init__(self) -> None:
        centres, diameters = (np.asarray(each, dtype=np.float64) for each in (self.centres_mm, self.diameters_mm))
        if diameters.ndim != 1 or len(diameters) < 2 or centres.shape != (len(diameters), 3):
            raise ValueError(
                f"centres have shape {centres.shape}, diameters {diameters.shape}: expected (n, 3) and (n,) "
                "of two levels or more."
            )
        if not (np.isfinite(centres).all() and np.isfinite(diameters).all()):
            raise ValueError("a centre or diameter is not finite: leave out levels without a measurement.")
        object.__setattr__(self, "centres_mm", centres)
        object.__setattr__(self, "diameters_mm", diameters)

    @cached_property
    def along_mm(self) -> np.ndarray:
        """(n,) length of the centre line from its upper end; how the person lay does not change it."""
        steps = np.linalg.norm(np.diff(self.centres_mm, axis=0), axis=1)
        sigma = SMOOTH_MM / max(float(np.median(steps)), float(np.finfo(np.float32).eps))
        margin = min(len(self.centres_mm) - 1, int(np.ceil(SMOOTHED_SIGMAS * sigma)))
        # mirrored through its ends, a straight line stays one
        line = np.pad(self.centres_mm, ((margin, margin), (0, 0)), mode="reflect", reflect_type="odd")
        smooth = ndimage.gaussian_filter1d(line, sigma, axis=0, truncate=SMOOTHED_SIGMAS)[margin : -margin or None]
        return np.append(0.0, np.linalg.norm(np.diff(smooth, axis=0), axis=1).cumsum())


@dataclass(frozen=True)
class Alignment:
    """How positions along two scans of a vessel belong together.

    Attributes:
        shift_mm: what is added to a position along the earlier one to have the later one's.
        rule: how it was found, one sentence.
    """

    shift_mm: float
    rule: str


@dataclass(frozen=True)
class LevelGrowth:
    """Change of the diameter at one level.

    Attributes:
        earlier_mm: diameter at the earlier date.
        later_mm: diameter at the later date.
        mm_per_year: change.
        low_mm_per_year: lower end of its 95 % interval.
        high_mm_per_year: upper end.
    """

    earlier_mm: float
    later_mm: float
    mm_per_year: float
    low_mm_per_year: float
    high_mm_per_year: float


def align_vessels(earlier: Vessel, later: Vessel) -> Alignment | None:
    """Find the same levels in two scans, which may lie elsewhere and show more or less of the vessel.

    Where both begin at the aortic arch, positions are counted from there. Where not, the shift is taken at which both courses fit
    best, after an offset and a tilt: the person may lie elsewhere, and the vessel may have become wider.

    Returns:
        The alignment; None when the best fit is no better than 1.5 mm. Where both begin at the arch, the rule says so if they fit
        no better.
    """
    if earlier.is_arch_seen and later.is_arch_seen:
        shift = earlier.from_arch_mm - later.from_arch_mm
        rule = "levels are matched by their distance from the aortic arch along the centre line"
        return Alignment(shift, rule + _doubt(_misfit_mm(earlier, later, shift)))
    shifts = np.arange(-LARGEST_SHIFT_MM, LARGEST_SHIFT_MM + 1, STEP_MM)
    misfits = [_misfit_mm(earlier, later, float(shift)) for shift in shifts]
    best = int(np.argmin(misfits))
    if misfits[best] > LARGEST_MISFIT_MM:
        return None
    return Alignment(
        float(shifts[best]),
        f"levels are matched by the vessel's course, which fits to {misfits[best]:.1f} mm, because not both scans reach the "
        "aortic arch",
    )


def _doubt(misfit_mm: float) -> str:
    """Of courses that were laid upon each other by another rule; infinite where they share too little to tell."""
    if not LARGEST_MISFIT_MM < misfit_mm < np.inf:
        return ""
    return f", but the courses lie {misfit_mm:.1f} mm apart there: is it the same person, and the aorta in both?"


def growth_between(
    earlier: Vessel,
    later: Vessel,
    dates: tuple[str, str],
    error_mm: float | Sequence[float],
    alignment: Alignment,
    position_sd_mm: float = POSITION_SD_MM,
) -> list[LevelGrowth | None]:
    r"""Growth per year at each level of the later scan, with its 95 % interval.

    .. math:: g = \frac{d_2 - d_1}{t} \pm 1.96 \, \frac{\sqrt{2 \sigma^2 + (s \, \sigma_p)^2}}{t}

    with the diameters d, the years between the scans t, the error of one diameter :math:`\sigma`, the slope s of the
    diameter along the earlier vessel, and the error of the position :math:`\sigma_p`.

    Args:
        earlier: vessel at the first date.
        later: at the second.
        dates: of both, ISO 8601 (``"2026-11-27"``).
        error_mm: standard deviation of one measured diameter; a number, or one for each level of the later scan.
        alignment: see `align_vessels`.
        position_sd_mm: standard deviation of the position of the same level in two scans.

    Returns:
        One entry for each level of the later scan; None where the earlier one does not show it.

    Raises:
        ValueError: when a date is none, the second is not after the first, or an error is negative.

    Example:
        A tube that grew from 22 to 23 mm in two years, measured to 0.5 mm:

        >>> line = np.array([[0.0, 0.0, -10.0 * k] for k in range(4)])
        >>> tubes = [Vessel(line, np.full(4, diameter), True) for diameter in (22.0, 23.0)]
        >>> years = ("2024-01-01", "2025-12-31")
        >>> growth = growth_between(*tubes, years, 0.5, align_vessels(*tubes))[0]
        >>> [round(v, 2) for v in (growth.mm_per_year, growth.low_mm_per_year, growth.high_mm_per_year)]
        [0.5, -0.19, 1.19]
    """
    years = _years(dates)
    sigma = np.broadcast_to(np.asarray(error_mm, dtype=np.float64), later.diameters_mm.shape)
    if not (np.all(sigma >= 0) and position_sd_mm >= 0):
        raise ValueError(
            f"the errors are {error_mm} mm of a diameter and {position_sd_mm} mm of a position: expected 0 or more."
        )
    places = earlier.along_mm + alignment.shift_mm
    slopes = np.abs(np.gradient(earlier.diameters_mm, places))
    return [
        _growth(earlier, place, diameter, places, slopes, (error, position_sd_mm), years)
        for place, diameter, error in zip(later.along_mm, later.diameters_mm, sigma, strict=True)
    ]


def _growth(
    earlier: Vessel,
    place: float,
    diameter: float,
    places: np.ndarray,
    slopes: np.ndarray,
    errors: tuple[float, float],
    years: float,
) -> LevelGrowth | None:
    if not places[0] <= place <= places[-1]:
        return None
    before = float(np.interp(place, places, earlier.diameters_mm))
    slope = float(np.interp(place, places, slopes))
    half = CONFIDENCE_95 * float(np.sqrt(2 * errors[0] ** 2 + (slope * errors[1]) ** 2)) / years
    rate = (float(diameter) - before) / years
    return LevelGrowth(before, float(diameter), rate, rate - half, rate + half)


def _years(dates: tuple[str, str]) -> float:
    try:
        first, second = (date.fromisoformat(each) for each in dates)
    except ValueError as error:
        raise ValueError(f"the dates are {list(dates)}: expected two of the form 2026-11-27.") from error
    if not first < second:
        raise ValueError(f"the dates are {list(dates)}: expected the earlier scan first, and a day between them.")
    return (second - first).days / DAYS_A_YEAR


def _misfit_mm(earlier: Vessel, later: Vessel, shift: float) -> float:
    """Root mean square distance of the two courses at this shift, less an offset and a tilt; infinite if too little overlaps."""
    shifted, places = earlier.along_mm + shift, later.along_mm
    start, stop = max(shifted[0], places[0]), min(shifted[-1], places[-1])
    if stop - start < OVERLAP_SHARE * min(shifted[-1] - shifted[0], places[-1]):
        return float("inf")
    both = np.arange(start, stop, STEP_MM)
    apart = [
        np.interp(both, places, after) - np.interp(both, shifted, before)
        for before, after in zip(earlier.centres_mm.T[:2], later.centres_mm.T[:2], strict=True)
    ]
    straight = np.stack([np.ones_like(both), both - both.mean()], 1)
    left = np.stack(apart, 1)
    left -= straight @ np.linalg.lstsq(straight, left, rcond=None)[0]
    return float(np.sqrt((left**2).sum(1).mean()))
