"""One page over all subjects of a cohort, each linking to its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monai_cardiac_gan.reporting.histogram import histogram
from monai_cardiac_gan.reporting.notable_levels import farthest_level, largest_level
from monai_cardiac_gan.reporting.page import write_page
from monai_cardiac_gan.reporting.picture_strip import nearest_picture, thumbnail
from monai_cardiac_gan.reporting.subject_results import PAGE as SUBJECT_PAGE
from monai_cardiac_gan.reporting.subject_results import Pictures, SubjectResults

__all__ = ["PAGE", "CohortRow", "write_cohort_page"]

PAGE, TEMPLATE = "cohort.html", "cohort.html.j2"
DIAMETER_BAR_MM, Z_BAR = 1.0, 0.5
"""Widths of the bars of the two distributions."""


@dataclass(frozen=True)
class CohortRow:
    """One volume of a cohort; None where a thing is not known.

    Attributes:
        subject: name of the person.
        image: file of the volume.
        folder: of its page, relative to the cohort's; None where there is no page.
        reason: why there is none.
        answer: of `AnswerKind`.
        headline: the answer as a sentence.
        z: that lies farthest from 0, with its sign.
        where: height and name of that level.
        where_mm: height of that level, mm from the top.
        largest_mm: largest area-equivalent diameter.
        expected_mm: expected there.
        grade: image quality, 0 to 4.
        confidence: of the localisation, 0 to 1.
        date: of the scan, ISO 8601.
        thumbnail: picture of the level that lies farthest from what is expected, or of the middle, as a data URL.
    """

    subject: str
    image: str
    folder: str | None = None
    reason: str | None = None
    answer: str | None = None
    headline: str | None = None
    z: float | None = None
    where: str | None = None
    where_mm: float | None = None
    largest_mm: float | None = None
    expected_mm: float | None = None
    grade: float | None = None
    confidence: float | None = None
    date: str | None = None
    thumbnail: str | None = None

    @classmethod
    def from_results(cls, results: SubjectResults, folder: str) -> CohortRow:
        """The row of a subject that has a page.

        Args:
            results: of the subject.
            folder: of its page, relative to the cohort's.
        """
        farthest, largest = farthest_level(results.levels), largest_level(results.levels)
        return cls(
            results.subject.name,
            results.subject.image,
            folder=folder,
            answer=results.answer.kind,
            headline=results.answer.headline,
            z=None if farthest is None else farthest.z,
            where=None if farthest is None else f"{farthest.mm_from_top:.0f} mm, {farthest.name}",
            where_mm=None if farthest is None else farthest.mm_from_top,
            largest_mm=None if largest is None else largest.area_equivalent_mm,
            expected_mm=None if largest is None else largest.expected_mm,
            grade=results.scan.grade,
            confidence=results.scan.track_confidence,
            date=results.subject.date,
            thumbnail=_thumbnail(results.pictures, None if farthest is None else farthest.mm_from_top),
        )

    @classmethod
    def from_failure(cls, subject: str, image: str, reason: str) -> CohortRow:
        """The row of a volume that could not be reported."""
        return cls(subject, image, reason=reason)


def write_cohort_page(folder: Path, rows: Sequence[CohortRow]) -> Path:
    """Write ``cohort.html``: a table that can be sorted, distributions, and what failed.

    Args:
        folder: of the page; the folders of the rows lie in it.
        rows: in the order of the table.

    Returns:
        The page.
    """
    reported = [row for row in rows if row.reason is None]
    diameters = [row.largest_mm for row in reported if row.largest_mm is not None]
    distances = [abs(row.z) for row in reported if row.z is not None]
    return write_page(
        folder / PAGE,
        TEMPLATE,
        subject_page=SUBJECT_PAGE,
        rows=reported,
        failures=[row for row in rows if row.reason is not None],
        counts=Counter(row.answer for row in reported),
        distributions={
            "largest diameter, mm": histogram(diameters, DIAMETER_BAR_MM),
            "largest |z|": histogram(distances, Z_BAR),
        },
    )


def _thumbnail(pictures: Pictures | None, mm_from_top: float | None) -> str | None:
    if pictures is None or not pictures.slices:
        return None
    middle = len(pictures.slices) // 2
    return thumbnail(pictures, middle if mm_from_top is None else nearest_picture(pictures.slices, mm_from_top))
