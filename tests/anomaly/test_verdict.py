import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monai_cardiac_gan.anomaly import judge, normals_needed

SCORES = st.floats(-100, 100).map(lambda value: round(value, 1))


@given(normals=st.lists(SCORES, min_size=1, max_size=40), score=SCORES, alpha=st.floats(0.01, 0.5))
def test_laws_of_a_p_value(normals, score, alpha):
    found = judge(score, normals, alpha)
    assert found.p_value == (1 + sum(each >= score for each in normals)) / (len(normals) + 1)
    assert 1 / (len(normals) + 1) <= found.p_value <= 1
    assert judge(score + 1, normals, alpha).p_value <= found.p_value
    transformed = judge(math.atan(score / 50), [math.atan(each / 50) for each in normals], alpha)
    assert transformed.p_value == found.p_value  # any monotonic score says the same
    least = 1 / (len(normals) + 1)
    assert (found.is_alarm is None) == (least > alpha + 1e-9)


@pytest.mark.parametrize("normals", [19, 25, 60])
def test_normal_people_raise_as_many_alarms_as_asked_for(normals):
    """All n + 1 are drawn alike: p is uniform on 1 / (n + 1) to 1, so that the rate is floor(alpha (n + 1)) / (n + 1)."""
    source, draws, alpha = np.random.default_rng(0), 4000, 0.1
    scores = source.gamma(2.0, size=(draws, normals + 1))
    alarms = sum(bool(judge(row[0], row[1:], alpha).is_alarm) for row in scores)
    rate = math.floor(alpha * (normals + 1)) / (normals + 1)
    low, high = stats.binom.interval(0.999, draws, rate)
    assert low <= alarms <= high


def test_equal_scores_count_against_an_alarm():
    assert judge(5.0, [5.0] * 30).p_value == 1.0
    assert judge(5.0, [5.0] * 30).is_alarm is False


@pytest.mark.parametrize(("normals", "is_alarm"), [(18, None), (19, True)])
def test_too_few_normal_people_raise_no_alarm(normals, is_alarm):
    found = judge(1000.0, np.arange(normals))
    assert found.is_alarm is is_alarm
    assert normals_needed(0.05) == 19
    assert ("are needed for an alarm" in found.sentence) == (is_alarm is None)


@pytest.mark.parametrize(
    ("score", "normals", "alpha", "message"),
    [
        (math.nan, [1.0], 0.05, "the score is nan and there are 1 normal people: expected a finite score"),
        (1.0, [], 0.05, "there are 0 normal people"),
        (1.0, [math.inf], 0.05, "expected a finite score, and at least one finite score of a normal person"),
        (1.0, [1.0], 0.0, "alpha is 0.0: expected a share of false alarms between 0 and 1, such as 0.05"),
    ],
)
def test_what_cannot_be_judged_is_refused(score, normals, alpha, message):
    with pytest.raises(ValueError, match=message):
        judge(score, normals, alpha)
