"""Growth at the levels of a subject's vessel since an earlier scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from monai_cardiac_gan.anomaly import LevelGrowth, Vessel, align_vessels, growth_between
from monai_cardiac_gan.reporting.subject_results import AnswerKind, GrowthResult, LevelResult, SubjectResults

__all__ = ["ERROR_MM", "grown_since"]

ERROR_MM = 0.5
"""Standard deviation of one diameter: between the 0.18 mm of a diameter that is measured again in the same acquisition and the
0.6 mm by which diameters differ from those that were set by eye, whose own error is in that (a mean absolute difference of
0.47 mm; `benchmarks/lumens.py`). How far two scans of one day differ is not known; no such pair was at hand."""
LEAST_LEVELS = 2


def grown_since(earlier: SubjectResults, later: SubjectResults, error_mm: float = ERROR_MM) -> SubjectResults:
    """The later results with the growth at each level that both scans show (`anomaly.growth_between`).

    Args:
        earlier: of the same subject, with a date.
        later: of a later date.
        error_mm: standard deviation of one diameter.

    Raises:
        ValueError: when a date is missing or not after the earlier one, a scan has fewer than two measured levels, or the two
            vessels cannot be aligned.
    """
    first, second = earlier.subject.date, later.subject.date
    if first is None or second is None:
        raise ValueError(
            f"the dates of the two scans are {[first, second]}: expected both; name them in the data list (date)."
        )
    before, after = _measured(earlier), _measured(later)
    if min(len(before), len(after)) < LEAST_LEVELS:
        raise ValueError(
            f"{len(before)} and {len(after)} levels were measured: expected at least {LEAST_LEVELS} in both scans."
        )
    vessels = _vessel(before, earlier), _vessel(after, later)
    alignment = align_vessels(*vessels)
    if alignment is None:
        raise ValueError(
            "the courses of the two scans do not fit each other: is it the same person, and the aorta in both?"
        )
    found = growth_between(*vessels, (first, second), error_mm, alignment)
    pairs = [(level, each) for level, each in zip(after, found, strict=True) if each is not None]
    growth = tuple(_rounded(level.mm_from_top, each, first) for level, each in pairs)
    return replace(later, growth=growth, growth_rule=alignment.rule + _caution(earlier, growth))


def _caution(earlier: SubjectResults, growth: Sequence[GrowthResult]) -> str:
    """What the reader of the later scan's page cannot see there."""
    date, cautions = earlier.subject.date, []
    if not growth:
        cautions.append(f"the scan of {date} shows none of the levels that this one does")
    if earlier.answer.kind == AnswerKind.CANNOT_TELL:
        cautions.append(f'the answer for the scan of {date} is "{earlier.answer.headline}"')
    return "".join(f"; {each}" for each in cautions)


def _rounded(mm_from_top: float, found: LevelGrowth, earlier_date: str) -> GrowthResult:
    return GrowthResult(
        mm_from_top=mm_from_top,
        earlier_mm=round(found.earlier_mm, 2),
        later_mm=round(found.later_mm, 2),
        mm_per_year=round(found.mm_per_year, 3),
        low_mm_per_year=round(found.low_mm_per_year, 3),
        high_mm_per_year=round(found.high_mm_per_year, 3),
        earlier_date=earlier_date,
    )


def _measured(results: SubjectResults) -> list[LevelResult]:
    return [level for level in results.levels if level.is_compared and level.area_equivalent_mm is not None]


def _vessel(levels: list[LevelResult], results: SubjectResults) -> Vessel:
    return Vessel(
        np.array([level.centre_mm for level in levels]),
        np.array([level.area_equivalent_mm for level in levels]),
        results.scan.is_arch_seen,
        levels[0].mm_from_top,
    )
