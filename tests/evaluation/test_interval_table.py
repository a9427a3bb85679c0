import numpy as np
import pytest

from monai_cardiac_gan.evaluation import subject_intervals
from monai_cardiac_gan.evaluation.comparison import MetricRow


def tables(values):
    return {f"s{number}": [MetricRow("distance", None, {"mine": float(value)})] for number, value in enumerate(values)}


def test_fewer_than_five_people_have_no_interval():
    assert subject_intervals(tables([1, 2, 3, 4])) is None
    assert subject_intervals(tables([1, 2, 3, 4, 5])) is not None


def test_the_interval_is_that_of_the_normal_law_for_many_people():
    values = np.random.default_rng(0).normal(3, 2, 200)
    found = subject_intervals(tables(values))["distance"]["mine"]
    half = 1.96 * values.std() / np.sqrt(200)
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_people_who_agree_have_an_interval_without_width():
    found = subject_intervals(tables([2] * 6))["distance"]["mine"]
    assert (found.low, found.mean, found.high) == (2.0, 2.0, 2.0)
