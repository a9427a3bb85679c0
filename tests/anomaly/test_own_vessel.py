from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.anomaly.own_vessel import (
    COURSE,
    DIAMETER,
    Covariance,
    VesselPrior,
    learn_prior,
    predict_beyond_gap,
)

HEIGHTS = np.arange(0.0, 150.0, 5.0)  # farther apart than the step of the thinning: all are used
PLAIN = Covariance(length_mm=40.0, std=2.0, offset_std=0.0, slope_std=0.0, noise_std=0.5)


def residuals(seed, count=1):
    return np.random.default_rng(seed).normal(0.0, 2.0, (len(HEIGHTS), count))


def kernel(first, second, covariance, middle):
    """The published formula, one pair of places after the other."""
    found = np.empty((len(first), len(second)))
    for row, s in enumerate(first):
        for column, t in enumerate(second):
            a = 3**0.5 * abs(s - t) / covariance.length_mm
            found[row, column] = (
                covariance.std**2 * (1 + a) * np.exp(-a)
                + covariance.offset_std**2
                + covariance.slope_std**2 * (s - middle) * (t - middle) / 2500
            )
    return found


@pytest.mark.parametrize("covariance", [PLAIN, DIAMETER, COURSE])
@pytest.mark.parametrize("wanted", [0.0, 72.5, 145.0])
def test_it_is_a_gaussian_conditioned_on_what_lies_beyond(covariance, wanted):
    """Mean and variance from the precision matrix of the joint distribution, which no formula of kriging enters."""
    values = residuals(1, 2)
    found = predict_beyond_gap(HEIGHTS, values, np.array([wanted]), 30.0, covariance)
    beyond = np.abs(HEIGHTS - wanted) >= 30
    places = np.append(HEIGHTS[beyond], wanted)
    joint = kernel(places, places, covariance, HEIGHTS[beyond].mean()) + covariance.noise_std**2 * np.eye(len(places))
    precision = np.linalg.inv(joint)
    np.testing.assert_allclose(
        found.values[0], -precision[-1, :-1] @ values[beyond] / precision[-1, -1], rtol=1e-6, atol=1e-6
    )
    np.testing.assert_allclose(found.stds[0], precision[-1, -1] ** -0.5, rtol=1e-6)


@given(seed=st.integers(0, 2**16), wanted=st.floats(0, 145), gap=st.floats(5, 60))
@settings(deadline=None, max_examples=40)
def test_nothing_within_the_gap_has_any_influence(seed, wanted, gap):
    values = residuals(seed)
    near = np.abs(HEIGHTS - wanted) < gap
    spoilt = np.where(near[:, None], 1e6, values)
    plain, other, without = (
        predict_beyond_gap(heights, each, np.array([wanted]), gap, DIAMETER)
        for heights, each in ((HEIGHTS, values), (HEIGHTS, spoilt), (HEIGHTS[~near], values[~near]))
    )
    for each in (other, without):
        np.testing.assert_array_equal(plain.values, each.values)
        np.testing.assert_array_equal(plain.stds, each.stds)


@given(seed=st.integers(0, 2**16), more=st.floats(-20, 20))
@settings(deadline=None, max_examples=25)
def test_who_is_wider_everywhere_is_expected_to_be(seed, more):
    """By as much, if people may differ by any offset."""
    free = replace(PLAIN, offset_std=1e3)
    values = residuals(seed)
    plain, wider = (predict_beyond_gap(HEIGHTS, each, HEIGHTS, 30.0, free) for each in (values, values + more))
    np.testing.assert_allclose(wider.values, plain.values + more, atol=1e-3)


def test_a_straight_line_is_carried_on_if_people_may_differ_by_any():
    line = (3.0 + 0.1 * HEIGHTS)[:, None]
    found = predict_beyond_gap(
        HEIGHTS, line, np.array([0.0, 70.0]), 30.0, replace(PLAIN, offset_std=1e3, slope_std=1e3)
    )
    np.testing.assert_allclose(found.values[:, 0], [3.0, 10.0], atol=1e-3)


@given(seed=st.integers(0, 2**16), wanted=st.floats(0, 145))
@settings(deadline=None, max_examples=25)
def test_head_and_feet_are_alike(seed, wanted):
    values, top = residuals(seed), HEIGHTS[-1]
    one = predict_beyond_gap(HEIGHTS, values, np.array([wanted]), 30.0, DIAMETER)
    other = predict_beyond_gap(top - HEIGHTS[::-1], values[::-1], np.array([top - wanted]), 30.0, DIAMETER)
    np.testing.assert_allclose(one.values, other.values, atol=1e-9)
    np.testing.assert_allclose(one.stds, other.stds, rtol=1e-9)


def test_the_wider_the_gap_the_less_is_known():
    stds = [
        predict_beyond_gap(HEIGHTS, residuals(0), np.array([70.0]), gap, PLAIN).stds[0]
        for gap in (5.0, 20.0, 35.0, 50.0)
    ]
    assert np.diff(stds).min() > 0.05
    assert stds[0] > PLAIN.noise_std
    assert stds[-1] < np.hypot(PLAIN.std, PLAIN.noise_std)


def test_without_a_gap_and_noise_a_measurement_predicts_itself():
    found = predict_beyond_gap(HEIGHTS, residuals(3), HEIGHTS, 0.0, replace(PLAIN, noise_std=1e-6))
    np.testing.assert_allclose(found.values, residuals(3), atol=1e-6)
    assert found.stds.max() < 1e-4


def test_one_slice_in_four_millimetres_is_used():
    heights = np.arange(0.0, 150.0, 1.0)
    values = np.where(heights[:, None] % 4 == 0, 1.0, np.nan)  # the first of each step
    found = predict_beyond_gap(heights, values, np.array([70.0]), 30.0, PLAIN, usable=np.isfinite(values[:, 0]))
    spread = np.where(heights % 4 == 0, 1.0, 1e6)[:, None]
    np.testing.assert_array_equal(
        predict_beyond_gap(heights, spread, np.array([70.0]), 30.0, PLAIN).values, found.values
    )


@pytest.mark.parametrize(("slices", "is_known"), [(4, False), (5, True)])
def test_from_five_slices_on_something_is_predicted(slices, is_known):
    values = np.full((len(HEIGHTS), 1), np.nan)
    usable = np.zeros(len(HEIGHTS), bool)
    values[-slices:], usable[-slices:] = 1.0, True
    found = predict_beyond_gap(HEIGHTS, values, np.array([20.0]), 30.0, DIAMETER, usable)
    assert np.isfinite([found.values[0, 0], found.stds[0]]).tolist() == [is_known] * 2


@pytest.mark.parametrize(
    ("values", "gap", "usable"),
    [
        (np.zeros(30), 30.0, None),
        (np.zeros((29, 1)), 30.0, None),
        (np.zeros((30, 1)), -1.0, None),
        (np.zeros((30, 1)), np.nan, None),
        (np.zeros((30, 1)), 30.0, np.ones(7, bool)),
    ],
)
def test_what_does_not_fit_is_refused(values, gap, usable):
    with pytest.raises(
        ValueError, match=r"heights \(30,\), residuals .* mm: expected \(n,\), \(n, c\), \(n,\) and at least 0"
    ):
        predict_beyond_gap(HEIGHTS, values, HEIGHTS, gap, DIAMETER, usable)


def test_a_measurement_that_is_none_is_refused():
    values = residuals(0)
    values[:2] = np.nan
    with pytest.raises(
        ValueError, match="2 of 30 measurements are not finite: leave them out, or mark them as not usable"
    ):
        predict_beyond_gap(HEIGHTS, values, HEIGHTS, 30.0, DIAMETER)


def test_the_prior_of_people_who_taper_alike_tapers_so():
    heights = np.arange(0.0, 201.0, 2.0)
    tapered = 24.0 - 0.02 * heights
    prior = learn_prior([heights] * 2, [tapered - 1, tapered + 1], [np.zeros((len(heights), 2))] * 2)
    inner = (prior.heights_mm > 45) & (prior.heights_mm < 155)  # averages over 12 mm reach beyond the ends
    np.testing.assert_allclose(prior.diameters_mm[inner], 24.0 - 0.02 * prior.heights_mm[inner], atol=0.01)
    assert prior.heights_mm[[0, 1, -1]].tolist() == [0.0, 5.0, 200.0]
    assert prior.subjects == 2


def test_beyond_its_ends_the_prior_is_that_of_the_ends():
    prior = VesselPrior(np.array([0.0, 10.0]), np.array([24.0, 20.0]), np.array([[0.0, 1.0], [2.0, 5.0]]), 1)
    assert prior.diameters_at(np.array([-5.0, 5.0, 99.0])).tolist() == [24.0, 22.0, 20.0]
    assert prior.course_at(np.array([-5.0, 5.0, 99.0])).tolist() == [[0.0, 1.0], [1.0, 3.0], [2.0, 5.0]]


@given(shift=st.tuples(st.floats(-99, 99), st.floats(-99, 99)))
@settings(deadline=None, max_examples=25)
def test_where_in_the_scanner_a_person_lay_does_not_matter(shift):
    heights = np.arange(0.0, 201.0, 5.0)
    course = np.stack([np.sin(heights / 50), 0.1 * heights], 1)
    wide = [np.full(len(heights), 20.0)] * 2
    one, other = (learn_prior([heights] * 2, wide, [course, course + each]) for each in (0.0, np.array(shift)))
    np.testing.assert_allclose(one.course_mm, other.course_mm, atol=1e-9)
    middle = (heights >= 40) & (heights <= 180)
    np.testing.assert_allclose(one.course_mm, course - course[middle].mean(0), atol=1e-9)


def test_a_tracks_order_does_not_matter():
    heights = np.arange(0.0, 201.0, 5.0)
    course = np.stack([np.sin(heights / 50), 0.1 * heights], 1)
    one = learn_prior([heights], [20 + heights / 50], [course])
    other = learn_prior([heights[::-1]], [20 + heights[::-1] / 50], [course[::-1]])
    np.testing.assert_allclose(one.diameters_mm, other.diameters_mm, rtol=1e-12)
    np.testing.assert_array_equal(one.course_mm, other.course_mm)


def test_without_people_nothing_is_learnt():
    with pytest.raises(ValueError, match="there is no track to learn from: expected at least one"):
        learn_prior([], [], [])


@pytest.mark.parametrize(("diameters", "course"), [(3, (2, 2)), (2, (2, 3)), (2, (3, 2))])
def test_a_prior_of_other_shapes_is_refused(diameters, course):
    with pytest.raises(
        ValueError, match=r"heights \(2,\), diameters .*: expected \(m,\), \(m,\) and \(m, 2\) with at least one"
    ):
        VesselPrior(np.zeros(2), np.zeros(diameters), np.zeros(course), 1)
