"""The levels of one vessel as they are reported: where, how wide, how wide it should be, and what is normal there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from monai_cardiac_gan.anomaly import (
    Expectation,
    ExpectationModel,
    Levels,
    NormalRange,
    expect_vessel,
    normal_ranges,
    pulmonary_level,
)
from monai_cardiac_gan.evaluation import MeasuredVessel, compared_levels
from monai_cardiac_gan.inferers import ExpectedVessel
from monai_cardiac_gan.reporting.subject_results import LevelResult
from monai_cardiac_gan.transforms import FileSlices

__all__ = ["ComparedVessel", "above_normals", "compare_vessel", "level_results"]


@dataclass(frozen=True)
class ComparedVessel:
    """One vessel beside what is expected of it.

    Attributes:
        vessel: what was acquired.
        expected: where its levels lie, and what was painted there.
        levels: what is compared.
        expectation: of these levels.
        model: that it was made with.
    """

    vessel: MeasuredVessel
    expected: ExpectedVessel
    levels: Levels
    expectation: Expectation
    model: ExpectationModel


def compare_vessel(vessel: MeasuredVessel, expected: ExpectedVessel, model: ExpectationModel) -> ComparedVessel:
    """Expect all levels of a vessel; those of which nothing can be expected are not compared."""
    levels = compared_levels(vessel, expected)
    expectation = expect_vessel(vessel.along(), levels, model)
    is_known = np.isfinite(expectation.z)
    return ComparedVessel(
        vessel, expected, replace(levels, is_compared=levels.is_compared & is_known), expectation, model
    )


def level_results(
    compared: ComparedVessel, names: Sequence[str], files: FileSlices, sex: str | None
) -> tuple[LevelResult, ...]:
    """All levels from the top down.

    Args:
        compared: acquired and expected.
        names: of the levels.
        files: numbers of the slices as in the file.
        sex: for the published ranges; None gives those of both.
    """
    pulmonary = pulmonary_level(compared.vessel.landmarks).mm_from_top
    return tuple(
        _level(compared, place, name, files, normal_ranges(float(compared.levels.heights_mm[place]), pulmonary, sex))
        for place, name in enumerate(names)
    )


def above_normals(levels: Sequence[LevelResult]) -> int:
    """How many compared levels are wider than the widest published range for them."""
    return sum(
        level.is_compared
        and level.area_equivalent_mm is not None
        and bool(level.normals)
        and level.area_equivalent_mm > max(normal.high_mm for normal in level.normals)
        for level in levels
    )


def _level(
    compared: ComparedVessel, place: int, name: str, files: FileSlices, normals: tuple[NormalRange, ...]
) -> LevelResult:
    row = int(compared.expected.levels[place])
    own = compared.vessel.row_of(int(compared.expected.patches.slices[row]))
    centre = _centre(compared, row, own)
    x, y, z = (round(float(value), 2) for value in centre)
    return LevelResult(
        mm_from_top=round(float(compared.levels.heights_mm[place]), 2),
        slice=files.number(centre),
        name=name,
        centre_mm=(x, y, z),
        is_compared=bool(compared.levels.is_compared[place]),
        reason=_reason(compared, place, row),
        normals=normals,
        **_acquired(compared.vessel, own),
        **_expected(compared, place),
    )


def _centre(compared: ComparedVessel, row: int, own: int | None) -> np.ndarray:
    """(3,) scanner millimetres of the acquired centre; of the predicted one where the track leaves the slice out."""
    expected = compared.expected
    centre = expected.course_mm[row] if own is None else compared.vessel.track.centres_mm[own]
    size = expected.patches.pixels.shape[-1]
    index = np.append(centre - expected.course_mm[row] + size // 2, [0.0, 1.0])
    point: np.ndarray = (expected.patches.affines[row] @ index)[:3]
    return point


def _reason(compared: ComparedVessel, place: int, row: int) -> str | None:
    """Why a level is not compared."""
    if compared.levels.is_compared[place]:
        return None
    return compared.vessel.reason_of(int(compared.expected.patches.slices[row])) or (
        f"too little of the vessel can be measured beyond a gap of {compared.model.gap_mm:g} mm to expect a diameter here"
    )


def _acquired(vessel: MeasuredVessel, own: int | None) -> dict[str, Any]:
    """What was measured on a slice of the track; nothing where the track leaves it out, or no lumen is seen."""
    lumen = None if own is None else vessel.lumens[own]
    return {
        "inscribed_mm": None if lumen is None else _rounded(lumen.inscribed_mm),
        "area_equivalent_mm": None if lumen is None else _rounded(lumen.area_equivalent_mm),
        "area_mm2": None if lumen is None else _rounded(lumen.area_mm2),
        "eccentricity": None if lumen is None else _rounded(lumen.eccentricity, 3),
        "confidence": 0.0 if own is None else round(float(vessel.track.confidence[own]), 3),
    }


def _expected(compared: ComparedVessel, place: int) -> dict[str, Any]:
    expectation = compared.expectation
    wanted = expectation.expected_mm[place]
    half = compared.model.diameter_limit * expectation.std_mm[place]
    return {
        "expected_mm": _rounded(wanted),
        "low_mm": _rounded(wanted - half),
        "high_mm": _rounded(wanted + half),
        "z": _rounded(expectation.z[place]),
        "painted_mm": _rounded(compared.levels.painted_mm[place]),
        "own_mm": _rounded(expectation.own_mm[place]),
        "displacement_mm": _rounded(expectation.displacement_mm[place]),
    }


def _rounded(value: float, digits: int = 2) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
