"""The aorta of one subject as a table: one row a level."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_cardiac_gan.anomaly import NormalRange
from monai_cardiac_gan.anomaly.normals import SEXES
from monai_cardiac_gan.data import write_table
from monai_cardiac_gan.reporting.subject_results import LevelResult

__all__ = ["COLUMNS", "write_aorta_table"]

NORMALS = tuple(f"normal_{sex}_{name}" for sex in SEXES for name in ("mean_mm", "low_mm", "high_mm"))
SOURCE = "normal_source"
COLUMNS = (
    "mm_from_top",
    "slice",
    "name",
    "x_mm",
    "y_mm",
    "z_mm",
    "inscribed_mm",
    "area_equivalent_mm",
    "area_mm2",
    "eccentricity",
    "expected_mm",
    "low_mm",
    "high_mm",
    "z",
    "painted_mm",
    "own_mm",
    "displacement_mm",
    "anomaly",
    "stands_out",
    "sign",
    "confidence",
    "is_compared",
    "reason",
    *NORMALS,
    SOURCE,
)
"""Of the table: those of `LevelResult`, the centre's coordinates (scanner millimetres, RAS+), and normal ranges by sex."""


def write_aorta_table(path: str | os.PathLike[str], levels: Sequence[LevelResult]) -> Path:
    """Write one row a level, from the top down; numbers to 0.01, what was not measured is empty.

    Args:
        path: of the CSV file.
        levels: of `SubjectResults`.

    Returns:
        The path.
    """
    return write_table(path, COLUMNS, map(_row, levels))


def _row(level: LevelResult) -> dict[str, Any]:
    x, y, z = level.centre_mm
    row = {name: value for name, value in vars(level).items() if name in COLUMNS}
    return row | {"x_mm": x, "y_mm": y, "z_mm": z, **_normals(level.normals)}


def _normals(normals: Sequence[NormalRange]) -> Mapping[str, Any]:
    row: dict[str, Any] = {}
    for each in normals:
        start = f"normal_{each.sex}_"
        row |= {f"{start}mean_mm": each.mean_mm, f"{start}low_mm": each.low_mm, f"{start}high_mm": each.high_mm}
    return row | ({SOURCE: "; ".join(sorted({each.source for each in normals}))} if normals else {})
