import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.inferers import calibrate_uncertainty, coverage


def drawn(seed, count, bias=0.5):
    """Errors of cases whose spread is right but for a common error that the solutions share."""
    source = np.random.default_rng(seed)
    stds = source.uniform(0.1, 2.0, count)
    return source.normal(0, np.sqrt(stds**2 + bias**2)), stds


@given(seed=st.integers(0, 2**16), level=st.sampled_from([0.5, 0.8, 0.9]))
@settings(deadline=None, max_examples=20)
def test_new_cases_lie_in_their_intervals_as_often_as_wanted(seed, level):
    found = calibrate_uncertainty(*drawn(seed, 2000), level)
    errors, stds = drawn(seed + 1, 20000)
    assert coverage(errors, found.half_width(stds)) == pytest.approx(level, abs=0.04)


def test_with_normal_errors_the_intervals_are_as_narrow_as_the_closed_form_ones():
    errors, stds = drawn(0, 100000)
    found = calibrate_uncertainty(errors, stds, 0.9)
    ideal = 1.645 * np.sqrt(stds**2 + 0.5**2)
    assert found.half_width(stds).mean() == pytest.approx(ideal.mean(), rel=0.03)
    assert found.count == 100000


def test_a_few_cases_that_are_far_off_and_spread_widely_do_not_widen_the_others():
    source = np.random.default_rng(0)
    stds = np.concatenate([np.full(900, 0.1), np.full(100, 5.0)])
    errors = source.normal(0, np.sqrt(stds**2 + 0.3**2))
    found = calibrate_uncertainty(errors, stds)
    assert found.half_width(0.1) < 0.9  # their root mean square, 1.6, would say 2.6
    assert coverage(errors, found.half_width(stds)) == pytest.approx(0.9, abs=0.01)


@given(scale=st.floats(0.01, 100))
@settings(deadline=None, max_examples=20)
def test_intervals_have_the_unit_of_the_errors(scale):
    errors, stds = drawn(3, 200)
    one, other = calibrate_uncertainty(errors, stds), calibrate_uncertainty(scale * errors, scale * stds)
    np.testing.assert_allclose(other.half_width(scale * stds), scale * one.half_width(stds), rtol=1e-6)


def test_the_sign_of_an_error_does_not_matter():
    errors, stds = drawn(5, 100)
    assert calibrate_uncertainty(errors, stds) == calibrate_uncertainty(-errors, stds)


def test_solutions_that_spread_too_far_get_narrower_intervals():
    source = np.random.default_rng(0)
    found = calibrate_uncertainty(source.normal(0, 1, 5000), np.full(5000, 3.0))
    assert found.half_width(3.0) == pytest.approx(1.645, abs=0.1)


@pytest.mark.parametrize(
    ("errors", "stds", "message"),
    [
        (np.ones(3), np.ones(4), "3 errors and 4 standard deviations: expected as many of both"),
        (np.array([1.0, np.nan]), np.ones(2), "all finite; leave out cases without an answer"),
        (np.ones(8), np.ones(8), "8 cases for a level of 0.9: expected a level between 0 and 1 and at least 9 cases"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(errors, stds, message):
    with pytest.raises(ValueError, match=message):
        calibrate_uncertainty(errors, stds)


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5])
def test_levels_are_shares(level):
    with pytest.raises(ValueError, match="expected a level between 0 and 1"):
        calibrate_uncertainty(np.ones(100), np.ones(100), level)
