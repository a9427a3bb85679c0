"""Files for 3D Slicer beside the volumes: the centre line with its diameters, and the colours of what was painted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from monai_cardiac_gan.atomic import write_json, write_text
from monai_cardiac_gan.reporting.subject_results import LevelResult, SubjectResults

__all__ = ["write_centre_line", "write_colours"]

SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
"""Identifier of the format, as 3D Slicer 5 writes it; the address itself has moved."""
# Okabe and Ito's colours, which the colour-blind tell apart: blue, bluish green, vermilion, orange.
ACQUIRED_COLOUR, COMPARED_COLOUR, DIFFERING_COLOUR = (0, 114, 178), (0, 158, 115), (213, 94, 0)
PAINTED_COLOUR, PAINTED_OPACITY = (230, 159, 0), 128
FULL = 255

Measure = tuple[str, str, Callable[[LevelResult], float]]
"""Name, unit (UCUM), and how it is read off a level."""
DISTANCE: Measure = ("distance from the top", "mm", lambda level: level.mm_from_top)
ACQUIRED: Measure = ("acquired diameter", "mm", lambda level: _number(level.area_equivalent_mm))
EXPECTED: Measure = ("expected diameter", "mm", lambda level: _number(level.expected_mm))
LOW: Measure = ("expected at least", "mm", lambda level: _number(level.low_mm))
HIGH: Measure = ("expected at most", "mm", lambda level: _number(level.high_mm))
SCORE: Measure = ("z", "1", lambda level: _number(level.z))


def write_centre_line(path: str | os.PathLike[str], results: SubjectResults) -> Path:
    """Write the acquired course as a Markups file (``.mrk.json``) of up to three parts.

    - ``descending aorta``: a curve through the centres of all levels whose diameter was measured, from the top down; along it
      the distance from the top and the acquired diameter;
    - ``compared levels``: a curve through those that were compared; along it the acquired and the expected diameter, the ends of
      its interval, and z, where each is known at all of them;
    - ``levels that differ``: a point list of the levels inside the stretches of the answer.

    Positions are LPS millimetres, as the file says. In 3D Slicer, colour a curve by a measurement under *Markups, Display,
    Scalars*.

    Args:
        path: of the file, ending in ``.mrk.json``, by which 3D Slicer knows it.
        results: of one subject.

    Returns:
        The path.

    Raises:
        ValueError: when the name has another ending, or no level has a diameter.

    Source: 3D Slicer's ``markups-schema-v1.0.3.json``.
    """
    if not str(path).endswith(".mrk.json"):
        raise ValueError(f"{path}: expected a name that ends in .mrk.json, by which 3D Slicer knows the format.")
    measured = [level for level in results.levels if level.area_equivalent_mm is not None]
    if not measured:
        raise ValueError("no level has a diameter, so that there is no centre line: write none for this subject.")
    compared = [level for level in measured if level.is_compared and level.expected_mm is not None]
    differing = [level for level in compared if _differs(level, results)]
    parts = [
        _markup("Curve", "descending aorta", ACQUIRED_COLOUR, measured, (DISTANCE, ACQUIRED)),
        _markup("Curve", "compared levels", COMPARED_COLOUR, compared, (ACQUIRED, EXPECTED, LOW, HIGH, SCORE)),
        _markup("Fiducial", "levels that differ", DIFFERING_COLOUR, differing, ()),
    ]
    return write_json(path, {"@schema": SCHEMA, "markups": [part for part in parts if part["controlPoints"]]})


def write_colours(path: str | os.PathLike[str]) -> Path:
    """Write the colour table (``.ctbl``) of the label map of painted voxels: 0 background, 1 hole as painted.

    One line a label: its value, a name without spaces, red, green, blue and opacity, 0 to 255.
    """
    red, green, blue = PAINTED_COLOUR
    lines = [
        "# Color table file",
        "# 2 values",
        "0 background 0 0 0 0",
        f"1 hole_as_painted {red} {green} {blue} {PAINTED_OPACITY}",
    ]
    return write_text(path, "\n".join(lines) + "\n")


def _differs(level: LevelResult, results: SubjectResults) -> bool:
    return any(each.from_mm <= level.mm_from_top <= each.to_mm for each in results.answer.stretches)


def _markup(
    kind: str, name: str, colour: tuple[int, int, int], levels: Sequence[LevelResult], measures: Sequence[Measure]
) -> dict[str, Any]:
    shade = [part / FULL for part in colour]
    return {
        "type": kind,
        "name": name,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": True,
        "fixedNumberOfControlPoints": True,
        "controlPoints": [_control_point(number, level) for number, level in enumerate(levels, start=1)],
        "measurements": [_measurement(*each, levels) for each in measures if _is_known(each, levels)],
        "display": {"color": shade, "selectedColor": shade, "pointLabelsVisibility": kind == "Fiducial"},
    }


def _control_point(number: int, level: LevelResult) -> dict[str, Any]:
    right, front, head = level.centre_mm
    return {
        "id": str(number),
        "label": f"{level.mm_from_top:.0f} mm {level.name}",
        "description": _description(level),
        "position": [-right, -front, head],
        "selected": True,
        "locked": True,
        "visibility": True,
        "positionStatus": "defined",
    }


def _description(level: LevelResult) -> str:
    parts = [f"slice {level.slice}", f"acquired {level.area_equivalent_mm:.1f} mm"]
    if level.expected_mm is not None:
        parts.append(f"expected {level.expected_mm:.1f} mm")
    if level.low_mm is not None and level.high_mm is not None:
        parts.append(f"interval {level.low_mm:.1f} to {level.high_mm:.1f} mm")
    return ", ".join(parts)


def _is_known(measure: Measure, levels: Sequence[LevelResult]) -> bool:
    """At all levels: the format has no number for one that is missing."""
    return all(measure[2](level) == measure[2](level) for level in levels)


def _measurement(
    name: str, unit: str, read: Callable[[LevelResult], float], levels: Sequence[LevelResult]
) -> dict[str, Any]:
    values = [read(level) for level in levels]
    return {"name": name, "enabled": True, "units": unit, "printFormat": "%.1f %s", "controlPointValues": values}


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
