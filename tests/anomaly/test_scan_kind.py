import numpy as np
import pytest

from monai_cardiac_gan.anomaly import learn_kind


def scans(count, mean=0.0, seed=0, size=40):
    source = np.random.default_rng(seed)
    return {f"s{number}": mean + source.normal(0, 1, size) for number in range(count)}


def test_scans_of_the_kind_lie_within_the_limit_as_often_as_promised():
    """One in n + 1 lies beyond, if all are drawn alike."""
    inside = [learn_kind(scans(19, seed=seed)).distance(scans(1, seed=1000 + seed)["s0"]) <= 1 for seed in range(300)]
    assert 0.91 <= np.mean(inside) <= 0.99  # 19 in 20


def test_another_kind_lies_beyond():
    kind = learn_kind(scans(12))
    assert kind.distance(scans(1, mean=3.0, seed=5)["s0"]) > 1.5
    assert kind.distance(kind.mean) == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="2 scans: expected at least 3"):
        learn_kind(scans(2))
    with pytest.raises(ValueError, match=r"the texture is \(3,\): expected \(40,\)"):
        learn_kind(scans(5)).distance(np.zeros(3))


def test_scans_that_are_alike_in_all_do_not_divide_by_zero():
    kind = learn_kind(dict.fromkeys("abc", np.ones(4)))
    assert kind.distance(np.ones(4)) == 0
    assert kind.distance(np.zeros(4)) > 1
