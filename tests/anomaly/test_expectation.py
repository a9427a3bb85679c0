from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.anomaly import ExpectationModel, Levels, Measured, VesselPrior, expect_vessel
from monai_cardiac_gan.anomaly.own_vessel import COURSE, DIAMETER, predict_beyond_gap

PRIOR = VesselPrior(np.array([0.0, 220.0]), np.array([23.0, 19.0]), np.zeros((2, 2)), 10)
MODEL = ExpectationModel(PRIOR, 30.0, 0.0, 0.0, 1.0, 3.0, 1.0, 3.0, 0.9, 10)


def usual(mm):
    return 23.0 - mm * 4 / 220


def dilated(mm, more=12.0):
    """Between 100 and 140 mm."""
    return usual(mm) + np.where((mm >= 100) & (mm <= 140), more, 0.0)


def test_a_usual_vessel_is_as_expected(make_person):
    found = expect_vessel(*make_person(usual), MODEL)
    np.testing.assert_allclose(found.expected_mm, usual(make_person(usual)[1].heights_mm), atol=1e-9)
    np.testing.assert_allclose(found.z, 0.0, atol=1e-9)
    np.testing.assert_allclose(found.displacement_mm, 0.0, atol=1e-9)
    assert not (found.is_wide | found.is_narrow | found.is_displaced).any()


@pytest.mark.parametrize(("more", "flags"), [(12.0, "is_wide"), (-12.0, "is_narrow")])
def test_what_differs_does_not_spoil_the_expectation_of_its_neighbours(make_person, more, flags):
    measured, levels = make_person(lambda mm: dilated(mm, more))
    found = expect_vessel(measured, levels, MODEL)
    inside = (levels.heights_mm > 100) & (levels.heights_mm < 140)
    other = found.is_narrow if more > 0 else found.is_wide
    np.testing.assert_array_equal(getattr(found, flags), inside)
    assert not other.any()
    np.testing.assert_allclose(found.expected_mm, usual(levels.heights_mm), atol=0.1)
    raw = predict_beyond_gap(
        measured.heights_mm,
        (measured.diameters_mm - usual(measured.heights_mm))[:, None],
        np.array([85.0]),
        30.0,
        DIAMETER,
    )
    assert abs(raw.values[0, 0]) > 2  # with the stretch the level above it would be expected so much wider or narrower


def test_two_stretches_are_taken_out_one_after_the_other(make_person):
    def both(mm):
        return usual(mm) + np.where((mm >= 30) & (mm <= 50), 15.0, 0.0) - np.where((mm >= 160) & (mm <= 180), 12.0, 0.0)

    measured, levels = make_person(both)
    found = expect_vessel(measured, levels, MODEL)
    np.testing.assert_array_equal(found.is_wide, (levels.heights_mm > 30) & (levels.heights_mm < 50))
    np.testing.assert_array_equal(found.is_narrow, (levels.heights_mm > 160) & (levels.heights_mm < 180))


def test_a_vessel_of_which_nothing_would_be_left_is_judged_with_all_of_it(make_person):
    """A jump half-way: without one half the other's outer levels have no slices beyond the gap."""
    measured, levels = make_person(lambda mm: usual(mm) + np.where(mm > 50, 30.0, 0.0))
    found = expect_vessel(measured, levels, MODEL)
    assert np.isfinite(found.expected_mm).all()
    assert (found.is_wide | found.is_narrow).any()


def test_levels_of_which_nothing_was_expected_from_the_start_keep_nothing_in(make_person):
    """With so wide a gap the two in the middle see too few slices, with and without a stretch."""
    wide_gap = replace(MODEL, gap_mm=107.0)
    measured, levels = make_person(lambda mm: usual(mm) + np.where((mm > 60) & (mm < 80), 20.0, 0.0))
    found = expect_vessel(measured, levels, wide_gap)
    assert levels.heights_mm[np.isnan(found.expected_mm)].tolist() == [105.0, 115.0]
    assert levels.heights_mm[found.is_wide].tolist() == [65.0, 75.0]
    kept = np.isfinite(found.expected_mm)
    np.testing.assert_allclose(found.expected_mm[kept], usual(levels.heights_mm[kept]), atol=1e-6)


@pytest.mark.parametrize(("more", "flags"), [(-8.0, "is_narrow"), (5.0, "is_wide")])
def test_the_shoulders_of_a_stretch_do_not_make_its_neighbours_differ_the_other_way(make_person, more, flags):
    measured, levels = make_person(lambda mm: usual(mm) + more * np.exp(-0.5 * ((mm - 120) / 12) ** 2))
    found = expect_vessel(measured, levels, MODEL)
    assert {115.0, 125.0} <= set(levels.heights_mm[getattr(found, flags)]) <= {105.0, 115.0, 125.0, 135.0}
    np.testing.assert_allclose(found.expected_mm, usual(levels.heights_mm), atol=0.5)
    assert not (found.is_narrow if more > 0 else found.is_wide).any()


def test_a_displaced_stretch_is_seen_and_does_not_displace_its_neighbours(make_person):
    def bulge(mm):
        return np.stack([np.where((mm >= 100) & (mm <= 120), 40.0, 0.0), 0 * mm], 1)

    measured, levels = make_person(usual, bulge)
    found = expect_vessel(measured, levels, MODEL)
    inside = (levels.heights_mm > 100) & (levels.heights_mm < 120)
    np.testing.assert_array_equal(found.is_displaced, inside)
    np.testing.assert_allclose(found.displacement_mm, np.where(inside, 40.0, 0.0), atol=0.5)
    assert not (found.is_wide | found.is_narrow).any()


def test_distances_are_told_in_standard_deviations_of_one_coordinate(make_person):
    measured, levels = make_person(usual)
    away = replace(levels, centres_mm=np.tile([3.0, 4.0], (22, 1)))
    found = expect_vessel(measured, away, replace(MODEL, course_scale=2.0, course_limit=np.inf))
    stds = predict_beyond_gap(measured.heights_mm, measured.centres_mm, levels.heights_mm, 30.0, COURSE).stds
    np.testing.assert_allclose(found.displacement_mm, 5.0, atol=1e-9)
    np.testing.assert_allclose(found.displacement, 5.0 / (2 * stds), rtol=1e-9)


@given(weight=st.floats(0, 1), bias=st.floats(-3, 3), painted=st.floats(10, 40), scale=st.floats(0.5, 3))
@settings(deadline=None, max_examples=25)
def test_what_is_painted_pulls_by_its_weight(weight, bias, painted, scale):
    slices, heights = np.arange(0.0, 221.0, 2.0), np.arange(5.0, 220.0, 10.0)
    measured = Measured(slices, usual(slices), np.zeros((111, 2)))
    levels = Levels(heights, usual(heights) + 1, np.zeros((22, 2)), np.full(22, painted), np.ones(22, bool))
    model = replace(MODEL, painted_weight=weight, painted_bias_mm=bias, scale=scale, diameter_limit=np.inf)
    found = expect_vessel(measured, levels, model)
    np.testing.assert_allclose(found.expected_mm, found.own_mm + weight * (painted - bias - found.own_mm), rtol=1e-12)
    own = predict_beyond_gap(measured.heights_mm, np.zeros((111, 1)), levels.heights_mm, 30.0, DIAMETER)
    np.testing.assert_allclose(found.std_mm, scale * own.stds, rtol=1e-12)
    np.testing.assert_allclose(found.z, (levels.diameters_mm - found.expected_mm) / found.std_mm, rtol=1e-12)


def test_where_nothing_was_painted_the_own_vessel_speaks_alone(make_person):
    measured, levels = make_person(usual, painted=lambda mm: np.where(mm < 100, np.nan, 30.0))
    found = expect_vessel(measured, levels, replace(MODEL, painted_weight=0.5, diameter_limit=np.inf))
    bare = levels.heights_mm < 100
    np.testing.assert_array_equal(found.expected_mm[bare], found.own_mm[bare])
    np.testing.assert_allclose(found.expected_mm[~bare], (found.own_mm[~bare] + 30) / 2)


def test_what_is_not_compared_is_never_flagged(make_person):
    flags = np.ones(22, bool)
    flags[[0, 10, 11, 12, 13]] = False
    measured, levels = make_person(dilated, is_compared=flags)
    levels.diameters_mm[0], levels.centres_mm[0] = 90.0, 500.0
    found = expect_vessel(measured, levels, MODEL)
    assert found.z[0] > MODEL.diameter_limit
    assert found.displacement[0] > MODEL.course_limit
    assert not (found.is_wide | found.is_narrow | found.is_displaced)[~flags].any()


def test_a_level_without_a_measurement_has_an_expectation_and_no_difference(make_person):
    measured, levels = make_person(usual)
    levels.diameters_mm[3], levels.centres_mm[3], levels.is_compared[3] = np.nan, np.nan, False
    found = expect_vessel(measured, levels, MODEL)
    assert found.expected_mm[3] == pytest.approx(usual(levels.heights_mm[3]))
    assert np.isnan([found.z[3], found.displacement_mm[3], found.displacement[3]]).all()
    assert np.isfinite(np.delete(found.z, 3)).all()


def test_a_vessel_too_short_for_the_gap_expects_nothing(make_person):
    measured, levels = make_person(usual)
    found = expect_vessel(measured, levels, replace(MODEL, gap_mm=300.0))
    assert np.isnan([found.expected_mm, found.std_mm, found.z, found.displacement]).all()
    assert not (found.is_wide | found.is_narrow | found.is_displaced).any()
