"""How good one volume is, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["HIGHEST_GRADE", "LOWEST_GRADE", "QualityReport"]

LOWEST_GRADE, HIGHEST_GRADE = 0.0, 4.0
"""Likert scale of the publication: 0 not usable, 4 excellent."""


@dataclass(frozen=True)
class QualityReport:
    """Image-quality grade of a volume.

    Attributes:
        grade: 0 (not usable) to 4 (excellent).
        reasons: name of a measure -> its number, what the grade rests on; empty for a grade that a person gave.
        grader: who graded: `"person"` or the name of a method.

    Raises:
        ValueError: when the grade leaves its range.

    Example:
        >>> QualityReport(4.5, {}, "person")
        Traceback (most recent call last):
        ...
        ValueError: the grade is 4.5: expected a number from 0 (not usable) to 4 (excellent).
    """

    grade: float
    reasons: Mapping[str, float] = field(default_factory=dict)
    grader: str = "person"

    def __post_init__(self) -> None:
        if not LOWEST_GRADE <= self.grade <= HIGHEST_GRADE:
            raise ValueError(
                f"the grade is {self.grade}: expected a number from {LOWEST_GRADE:g} (not usable) to {HIGHEST_GRADE:g} "
                "(excellent)."
            )
