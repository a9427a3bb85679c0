"""A cohort as a table: one row a volume."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai_cardiac_gan.data import write_table
from monai_cardiac_gan.reporting.notable_levels import farthest_level, largest_level
from monai_cardiac_gan.reporting.report_volume import ReportedVolume

__all__ = ["COLUMNS", "write_cohort_table"]

COLUMNS = (
    "subject",
    "image",
    "date",
    "answer",
    "headline",
    "alarm",
    "p_value",
    "farthest_z",
    "farthest_z_mm_from_top",
    "largest_diameter_mm",
    "largest_mm_from_top",
    "largest_place",
    "largest_expected_mm",
    "grade",
    "track_confidence",
    "folder",
    "error",
)
"""Of the table. ``farthest_z`` is the z that lies farthest from 0, with its sign, of the levels that are compared; the largest
diameter (area-equivalent) is among those, too, where there are any, and ``largest_expected_mm`` is its level's. ``alarm`` and
``p_value`` are the verdict's, empty where there is none, or too few normal people for an alarm."""


def write_cohort_table(path: str | os.PathLike[str], volumes: Sequence[ReportedVolume]) -> Path:
    """Write one row a volume, in their order; numbers to 0.01, what is not known is empty.

    Args:
        path: of the CSV file.
        volumes: reported, or failed with an error.

    Returns:
        The path.
    """
    return write_table(path, COLUMNS, map(_row, volumes))


def _row(volume: ReportedVolume) -> dict[str, Any]:
    row: dict[str, Any] = {
        "subject": volume.subject,
        "image": volume.image,
        "folder": volume.folder,
        "error": volume.error,
    }
    if (results := volume.results) is None:
        return row
    row |= {"date": results.subject.date, "answer": results.answer.kind, "headline": results.answer.headline}
    if results.verdict is not None:
        row |= {"alarm": results.verdict.is_alarm, "p_value": results.verdict.p_value}
    row |= {"grade": results.scan.grade, "track_confidence": results.scan.track_confidence}
    if (farthest := farthest_level(results.levels)) is not None:
        row |= {"farthest_z": farthest.z, "farthest_z_mm_from_top": farthest.mm_from_top}
    if (largest := largest_level(results.levels)) is not None:
        row |= {
            "largest_diameter_mm": largest.area_equivalent_mm,
            "largest_mm_from_top": largest.mm_from_top,
            "largest_place": largest.name,
            "largest_expected_mm": largest.expected_mm,
        }
    return row
