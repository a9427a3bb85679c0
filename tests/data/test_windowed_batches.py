import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.data import ResumableBatches, WindowedBatches

SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=9)


def shards_of(sizes):
    ends = np.cumsum([0, *sizes])
    return [np.arange(low, high) for low, high in itertools.pairwise(ends)]


@given(sizes=SIZES, window=st.integers(1, 10), seed=st.integers(0, 9), size=st.integers(1, 5))
def test_each_epoch_gives_every_patch_once(sizes, window, seed, size):
    batches = WindowedBatches(shards_of(sizes), size, window, seed=seed)
    for _ in range(2):
        assert sorted(index for batch in batches for index in batch) == list(range(sum(sizes)))


@given(sizes=SIZES, window=st.integers(1, 10), seed=st.integers(0, 9))
def test_a_volume_is_done_with_before_the_next_window_begins(sizes, window, seed):
    shards = shards_of(sizes)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    order = owner[[index for batch in WindowedBatches(shards, 1, window, seed=seed) for index in batch]]
    unfinished = [len(set(order[:place]) & set(order[place:])) for place in range(len(order))]
    assert max(unfinished) <= window


def test_a_window_of_all_mixes_as_well_as_a_full_shuffle():
    shards = shards_of([20] * 50)
    owner = np.repeat(np.arange(50), 20)

    def volumes_in_a_batch(batches):
        return np.mean([len(set(owner[batch])) for batch in batches])

    full = volumes_in_a_batch(ResumableBatches(range(1000), 20))
    assert volumes_in_a_batch(WindowedBatches(shards, 20, 50)) == pytest.approx(full, rel=0.05)
    expected = 10 * (1 - 0.9**20)
    assert volumes_in_a_batch(WindowedBatches(shards, 20, 10)) == pytest.approx(expected, rel=0.05)


def test_it_goes_on_in_the_middle_of_an_epoch():
    whole, rest = (WindowedBatches(shards_of([5, 4, 6]), 4, 2, seed=1) for _ in range(2))
    list(whole)
    rest.continue_from(1, 2)
    assert list(whole)[2:] == list(rest)


def test_odd_arguments_are_refused():
    with pytest.raises(ValueError, match="the window is 0: expected at least 1 volume"):
        WindowedBatches(shards_of([3]), 1, 0)
    with pytest.raises(ValueError, match="weights are given: a streamed set takes each patch once"):
        WindowedBatches(shards_of([3]), 1, weights=[1, 2, 3])
