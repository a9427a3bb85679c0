from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.metrics import real_vs_real


class Halves:
    """Remembers which samples, numbered from 0, came into either half."""

    def __init__(self):
        self.seen = []

    def __call__(self, first, second):
        self.seen.append(tuple(tuple(half[:, 0].int().tolist()) for half in (first, second)))
        return 0.0


def mean_difference(first, second):
    return (first.mean() - second.mean()).abs().item()


def numbered(count):
    return torch.arange(float(count))[:, None]


@settings(max_examples=30, deadline=None)
@given(subjects=st.lists(st.sampled_from("abcdef"), min_size=2, max_size=40), seed=st.integers(0, 10))
def test_no_subject_is_in_both_halves_and_no_sample_in_none(subjects, seed):
    if len(set(subjects)) < 2:
        subjects[0] = "g"
    halves = Halves()
    real_vs_real(halves, numbered(len(subjects)), subjects, seed=seed, repeats=2)
    for first, second in halves.seen:
        assert sorted(first + second) == list(range(len(subjects)))
        assert {subjects[i] for i in first}.isdisjoint(subjects[i] for i in second)
        assert first
        assert second
        assert abs(len(first) - len(second)) <= max(Counter(subjects).values())


@pytest.mark.parametrize(("count", "per_subject"), [(10, 1), (11, 1), (12, 3)])
def test_halves_are_equal_where_subjects_allow(count, per_subject):
    halves = Halves()
    subjects = None if per_subject == 1 else [str(i // per_subject) for i in range(count)]
    real_vs_real(halves, numbered(count), subjects, repeats=4)
    assert {min(len(first), len(second)) for first, second in halves.seen} == {count // 2}
    assert len(set(halves.seen)) > 1


def test_the_value_of_independent_samples_is_that_of_two_small_samples():
    """Means of N / 2 standard normal numbers differ by a normal number of variance 4 / N."""
    count, sets, expected = 100, 50, np.sqrt(2 / np.pi) * np.sqrt(4 / 100)
    generator = torch.Generator().manual_seed(0)
    values = [
        real_vs_real(mean_difference, torch.randn(count, 1, generator=generator), repeats=10) for _ in range(sets)
    ]
    assert np.mean(values) == pytest.approx(expected, rel=0.12)  # 500 halves, not all independent


def test_the_value_by_subject_sees_how_persons_differ():
    """Three persons of one value each: one stands alone, and lies 3, 0 or 3 from the mean of the others."""
    real, subjects = torch.tensor([[0.0], [2.0], [4.0]]).repeat_interleave(50, 0), np.repeat(["a", "b", "c"], 50)
    value = real_vs_real(mean_difference, real, subjects, repeats=200)
    assert value == pytest.approx(2.0, abs=3 * np.sqrt(2 / 200))
    assert real_vs_real(mean_difference, real, repeats=50) < 0.5


def test_numbers_by_name_are_averaged_by_name():
    @dataclass
    class Sizes:
        smaller: int
        larger: int

    def sizes(first, second):
        return Sizes(*sorted((len(first), len(second))))

    assert real_vs_real(sizes, numbered(9)) == {"smaller": 4.0, "larger": 5.0}
    assert real_vs_real(lambda *halves: vars(sizes(*halves)), numbered(9)) == {"smaller": 4.0, "larger": 5.0}


def test_the_seed_decides():
    real = torch.randn(50, 1, generator=torch.Generator().manual_seed(0))
    first, again, other = (real_vs_real(mean_difference, real, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_one_subject_for_each_sample_is_asked_for():
    with pytest.raises(ValueError, match=r"there are 4 real samples and subjects of shape \[3\], expected one subject"):
        real_vs_real(mean_difference, numbered(4), ["a", "b", "c"])


@pytest.mark.parametrize(("count", "subjects"), [(3, ["a", "a", "a"]), (1, None), (0, None)])
def test_less_than_two_subjects_have_no_halves(count, subjects):
    with pytest.raises(ValueError, match=f"{count} real samples of . subjects have no two halves: give samples of at"):
        real_vs_real(mean_difference, numbered(count), subjects)


def test_no_repeats_are_refused():
    with pytest.raises(ValueError, match="repeats is 0, expected 1 or more pairs of halves"):
        real_vs_real(mean_difference, numbered(4), repeats=0)
