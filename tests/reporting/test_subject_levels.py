from dataclasses import replace

import numpy as np
import pytest
from fake_vessel import AORTA_MM, ORIGIN, SPACING, measured_vessel, model_of

from monai_cardiac_gan.evaluation.measured_vessel import GAP_IN_TRACK
from monai_cardiac_gan.reporting.subject_levels import above_normals, compare_vessel, level_results
from monai_cardiac_gan.transforms import FileSlices

GAP = range(12, 18)
"""Slices that the track leaves out, 60 to 85 mm below its top."""


@pytest.fixture(scope="module")
def with_gap():
    image, vessel, expected = measured_vessel([*range(GAP.start), *range(GAP.stop, 30)])
    return FileSlices.of(image), compare_vessel(vessel, expected, model_of(diameter_limit=2.5))


def results_of(compared, files, sex=None):
    return level_results(compared, [f"level {place}" for place in range(len(compared.levels.heights_mm))], files, sex)


def test_where_the_track_is_interrupted_a_diameter_is_expected_and_none_measured(with_gap):
    files, compared = with_gap
    found = [level for level in results_of(compared, files) if level.slice in GAP]
    assert [level.mm_from_top for level in found] == [65.0, 75.0, 85.0]
    for level in found:
        assert (level.is_compared, level.reason, level.confidence) == (False, GAP_IN_TRACK, 0.0)
        assert (level.inscribed_mm, level.area_equivalent_mm, level.area_mm2, level.eccentricity) == (None,) * 4
        assert (level.z, level.displacement_mm) == (None, None)
        assert level.expected_mm == pytest.approx(22.0, abs=0.1)
        # the predicted centre stands for the one that is missing
        assert level.centre_mm[:2] == pytest.approx(np.add(ORIGIN[:2], AORTA_MM), abs=0.5)


def test_the_interval_is_the_limit_in_standard_deviations_on_either_side(with_gap):
    files, compared = with_gap
    for level, std in zip(results_of(compared, files), compared.expectation.std_mm, strict=True):
        assert level.high_mm - level.expected_mm == pytest.approx(2.5 * std, abs=0.011)
        assert level.expected_mm - level.low_mm == pytest.approx(2.5 * std, abs=0.011)


def test_names_and_slices_come_in_the_order_of_the_levels(with_gap):
    files, compared = with_gap
    found = results_of(compared, files)
    assert [level.name for level in found] == [f"level {place}" for place in range(14)]
    assert [level.slice for level in found] == [29 - round(level.mm_from_top / SPACING[2]) for level in found]


@pytest.mark.parametrize(("sex", "shown"), [(None, ["male", "female"]), ("female", ["female"]), ("male", ["male"])])
def test_a_known_sex_narrows_the_normals(with_gap, sex, shown):
    files, compared = with_gap
    for level in results_of(compared, files, sex):
        assert [normal.sex for normal in level.normals] == shown


def test_a_level_of_which_nothing_can_be_expected_is_not_compared_and_says_why():
    image, vessel, expected = measured_vessel()
    kept = vessel.heights_mm <= 35
    reasons = tuple(None if each else "hard to see" for each in kept)
    compared = compare_vessel(replace(vessel, reasons=reasons), expected, model_of())
    assert not compared.levels.is_compared.any()
    found = results_of(compared, FileSlices.of(image))
    assert [level.reason for level in found[4:]] == ["hard to see"] * 10
    for level in found[:4]:
        assert level.expected_mm is None
        assert level.area_equivalent_mm == pytest.approx(22.0, abs=0.1)
        assert "beyond a gap of 30 mm to expect a diameter here" in level.reason


def test_wide_levels_count_that_are_compared_and_lie_above_all_ranges(with_gap):
    files, compared = with_gap
    level = results_of(compared, files)[1]
    high = max(normal.high_mm for normal in level.normals)
    wide = replace(level, area_equivalent_mm=high + 0.1)
    others = [
        replace(level, area_equivalent_mm=high),
        replace(wide, is_compared=False),
        replace(wide, area_equivalent_mm=None),
        replace(wide, normals=()),
    ]
    assert above_normals([wide, *others, wide]) == 2
