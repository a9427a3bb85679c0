import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.anomaly import deviation_map, learn_spread_factor, pixel_spread
from monai_cardiac_gan.anomaly.anomaly_map import FLOOR

SHAPE = (2, 8, 8)


def test_answers_that_agree_leave_the_floor():
    np.testing.assert_allclose(pixel_spread(np.full((5, *SHAPE), 0.3)), FLOOR)


@given(factor=st.floats(0.5, 3), step=st.floats(0.0, 0.5))
def test_even_answers_have_their_standard_deviation(factor, step):
    """Two answers 2 step apart: standard deviation step, the same everywhere, so that smoothing changes nothing."""
    answers = np.stack([np.full(SHAPE, -step), np.full(SHAPE, step)])
    np.testing.assert_allclose(pixel_spread(answers, factor), np.hypot(factor * step, FLOOR))


def test_the_map_is_in_spreads_where_it_counts():
    acquired, expected = np.full(SHAPE, 0.4), np.full(SHAPE, 0.1)
    counts = np.zeros(SHAPE, bool)
    counts[:, 2:4] = True
    found = deviation_map(acquired, expected, np.full(SHAPE, 0.15), counts)
    np.testing.assert_allclose(found[counts], 2.0)
    assert (found[~counts] == 0).all()


def test_errors_as_large_as_the_factor_say_give_unit_variance():
    """Acquired images that differ by c times the answers' spread: the factor that is learnt is c, and maps have variance 1."""
    source, c = np.random.default_rng(0), 1.7
    spread = source.uniform(0.5, 0.8, (1, 64, 64)).mean() * np.ones((1, 64, 64))
    answers = spread * source.standard_normal((400, 1, 64, 64))
    acquired = c * spread * source.standard_normal((1, 64, 64))
    factor = learn_spread_factor(np.array([np.mean(acquired**2)]), np.array([answers.var(0).mean()]))
    assert factor == pytest.approx(c, rel=0.03)
    found = deviation_map(
        acquired, np.zeros_like(acquired), pixel_spread(answers, factor), np.ones(acquired.shape, bool)
    )
    assert found.std() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("answers", [np.zeros((1, *SHAPE)), np.zeros(SHAPE)])
def test_one_answer_has_no_spread(answers):
    with pytest.raises(ValueError, match=r"expected \(S, K, H, W\) with at least two answers, and a positive factor"):
        pixel_spread(answers)


def test_what_does_not_fit_is_refused():
    ones = np.ones(SHAPE)
    with pytest.raises(ValueError, match="a positive factor"):
        pixel_spread(np.zeros((3, *SHAPE)), factor=0.0)
    with pytest.raises(ValueError, match="expected one shape"):
        deviation_map(ones, ones[:1], ones, ones.astype(bool))
    with pytest.raises(ValueError, match="0 people whose answers have a variance of 0"):
        learn_spread_factor(np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="1 people whose answers have a variance of 0"):
        learn_spread_factor(np.ones(1), np.zeros(1))
