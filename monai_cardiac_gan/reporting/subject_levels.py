"""The levels of one vessel as they are reported: where, how wide, how wide it should be, and what is normal there."""

from __future__ import annotations

import numpy as np

from monai_cardiac_gan.anomaly import Expectation, ExpectationModel, Levels, normal_ranges, pulmonary_level
from monai_cardiac_gan.evaluation import MeasuredVessel
from monai_cardiac_gan.inferers import ExpectedVessel
from monai_cardiac_gan.reporting.subject_results import LevelResult, NormalRange
from monai_cardiac_gan.transforms import FileSlices

__all__ = ["above_normals", "level_results"]


def level_results(
    expected: ExpectedVessel,
    vessel: MeasuredVessel,
    levels: Levels,
    expectation: Expectation,
    model: ExpectationModel,
    names: tuple[str, ...],
    files: FileSlices,
    sex: str | None,
) -> tuple[LevelResult, ...]:
    """All levels from the top down.

    Args:
        expected: where they lie.
        vessel: what was acquired.
        levels: what is compared.
        expectation: of these levels.
        model: with the limits.
        names: of the levels.
        files: numbers of the slices as in the file.
        sex: for the published ranges; None gives those of both.
    """
    pulmonary = pulmonary_level(vessel.landmarks).mm_from_top
    return tuple(
        _level(
            place, int(row), name, expected, vessel, levels, expectation, model, files, _normals(height, pulmonary, sex)
        )
        for place, (row, name, height) in enumerate(zip(expected.levels, names, levels.heights_mm, strict=True))
    )


def above_normals(levels: tuple[LevelResult, ...]) -> int:
    """How many compared levels are wider than the widest published range for them."""
    return sum(
        level.is_compared
        and level.area_equivalent_mm is not None
        and bool(level.normals)
        and level.area_equivalent_mm > max(normal.high_mm for normal in level.normals)
        for level in levels
    )


def _normals(height: float, pulmonary: float, sex: str | None) -> tuple[NormalRange, ...]:
    found = normal_ranges(float(height), pulmonary, sex)
    return tuple(NormalRange(each.sex, each.mean_mm, each.low_mm, each.high_mm, each.source) for each in found)


def _level(
    place: int,
    row: int,
    name: str,
    expected: ExpectedVessel,
    vessel: MeasuredVessel,
    levels: Levels,
    expectation: Expectation,
    model: ExpectationModel,
    files: FileSlices,
    normals: tuple[NormalRange, ...],
) -> LevelResult:
    slice_index = int(expected.patches.slices[row])
    own = vessel.row_of(slice_index)
    lumen = None if own is None else vessel.lumens[own]
    centre = expected.course_mm[row] if own is None else vessel.track.centres_mm[own]
    size = expected.patches.pixels.shape[-1]
    index = np.append(centre - expected.course_mm[row] + size // 2, [0.0, 1.0])
    point = (expected.patches.affines[row] @ index)[:3]
    wanted, half = expectation.expected_mm[place], model.diameter_limit * expectation.std_mm[place]
    x, y, z = (round(float(value), 2) for value in point)
    return LevelResult(
        mm_from_top=round(float(levels.heights_mm[place]), 2),
        slice=files.number(point),
        name=name,
        centre_mm=(x, y, z),
        inscribed_mm=None if lumen is None else _rounded(lumen.inscribed_mm),
        area_equivalent_mm=None if lumen is None else _rounded(lumen.area_equivalent_mm),
        area_mm2=None if lumen is None else _rounded(lumen.area_mm2),
        eccentricity=None if lumen is None else _rounded(lumen.eccentricity, 3),
        confidence=0.0 if own is None else round(float(vessel.track.confidence[own]), 3),
        is_compared=bool(levels.is_compared[place]),
        reason=vessel.reason_of(slice_index),
        expected_mm=_rounded(wanted),
        low_mm=_rounded(wanted - half),
        high_mm=_rounded(wanted + half),
        z=_rounded(expectation.z[place]),
        painted_mm=_rounded(levels.painted_mm[place]),
        own_mm=_rounded(expectation.own_mm[place]),
        displacement_mm=_rounded(expectation.displacement_mm[place]),
        normals=normals,
    )


def _rounded(value: float, digits: int = 2) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
