from itertools import combinations
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.metrics import subject_splits


@settings(max_examples=60, deadline=None)
@given(people=st.integers(2, 14), data=st.data())
def test_splits_are_different_and_never_the_one_that_they_are_the_floor_of(people, data):
    size, most = data.draw(st.integers(1, people - 1)), data.draw(st.integers(1, 30))
    names = [f"s{number:02}" for number in range(people)]
    without = data.draw(st.permutations(names))[:size]
    splits = subject_splits(names, size, without, most, seed=data.draw(st.integers(0, 3)))
    others = set(names) - set(without)
    used = 1 + (len(others) == size)
    assert len(splits) == len(set(splits)) == min(most, comb(people, size) - used)
    for side in splits:
        assert len(set(side)) == size
        assert set(side) not in (set(without), others)


def test_few_splits_are_all_given():
    names = ["a", "b", "c", "d", "e"]
    assert subject_splits(names, 2, ["b", "d"]) == [pair for pair in combinations(names, 2) if pair != ("b", "d")]


def test_of_two_equal_sides_neither_is_its_own_floor():
    assert subject_splits(["a", "b"], 1, ["a"]) == []
    assert subject_splits(["a", "b", "c", "d"], 2, ["a", "b"]) == [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")]


def test_the_seed_decides_which_are_drawn():
    names = [f"s{number}" for number in range(13)]
    first, again, other = (subject_splits(names, 3, names[:3], seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("size", [0, 3, 4])
def test_neither_side_may_be_empty(size):
    with pytest.raises(ValueError, match=f"{size} of 3 people shall stand on one side: expected 1 to 2"):
        subject_splits(["a", "b", "c"], size)


def test_a_name_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="expected each name once: give one of several identical subjects"):
        subject_splits(["a", "b", "a"], 1)


def test_no_splits_are_refused():
    with pytest.raises(ValueError, match="at most 0 splits are asked for, expected 1 or more"):
        subject_splits(["a", "b"], 1, most=0)
