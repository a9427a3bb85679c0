import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from monai_cardiac_gan.evaluation.subject_interval import estimate_by_subject, subject_interval


def test_people_are_drawn_whole():
    """Copies of a patch make nothing surer."""
    values = np.random.default_rng(0).normal(size=40)
    once = subject_interval(values, np.arange(40))
    often = subject_interval(np.repeat(values, 30), np.repeat(np.arange(40), 30))
    assert often == pytest.approx(once, abs=1e-9)
    half = norm.ppf(0.975) * values.std() / np.sqrt(40)
    assert once == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)


@settings(max_examples=10, deadline=None)
@given(counts=st.lists(st.integers(1, 6), min_size=5, max_size=8))
def test_each_person_weighs_the_same_in_an_estimate(counts):
    people = np.repeat(np.arange(len(counts)), counts)
    found = estimate_by_subject(people.astype(float), people)
    assert found.mean == pytest.approx((len(counts) - 1) / 2)
    alone = subject_interval(np.arange(float(len(counts))), np.arange(len(counts)))
    assert (found.low, found.high) == alone


def test_few_people_have_no_interval_and_missing_values_do_not_count():
    values = np.array([1.0, 2, 3, 4, np.nan])
    assert subject_interval(values, list("abcde")) is None
    assert estimate_by_subject(values, list("abcde")).low is None
    assert estimate_by_subject(values, list("abcde")).mean == 2.5
    assert estimate_by_subject(np.full(3, np.nan), list("abc")) is None
    assert subject_interval(np.full(5, 0.25), list("abcde")) == (0.25, 0.25)
