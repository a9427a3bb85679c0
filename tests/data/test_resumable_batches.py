import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from monai_cardiac_gan.data import ResumableBatches

quick = settings(deadline=None, max_examples=60)
alone = st.just(1)
seeds = st.integers(0, 2**32)


@st.composite
def samplings(draw, processes=alone):
    """Arguments that are allowed."""
    count = draw(processes)
    size, share = draw(st.integers(count, 60)), draw(st.integers(1, 12))
    drop_last = draw(st.booleans()) and size >= share * count
    return {
        "data": range(size),
        "batch_size": share * count,
        "shuffle": draw(st.booleans()),
        "drop_last": drop_last,
        "seed": draw(seeds),
        "count": count,
    }


def flat(batches):
    return [index for batch in batches for index in batch]


@given(arguments=samplings(), epochs=st.integers(1, 3))
@quick
def test_each_index_comes_once_an_epoch(arguments, epochs):
    batches, size = ResumableBatches(**arguments), len(arguments["data"])
    for _ in range(epochs):
        seen = flat(batches)
        assert len(set(seen)) == len(seen)
        kept = size - size % arguments["batch_size"] if arguments["drop_last"] else size
        assert len(seen) == kept
        assert set(seen) <= set(range(size))


@given(arguments=samplings())
@quick
def test_all_batches_are_whole_but_the_last(arguments):
    sizes, size = [len(batch) for batch in ResumableBatches(**arguments)], arguments["batch_size"]
    assert all(each == size for each in sizes[:-1])
    assert sizes[-1] == size if arguments["drop_last"] else 1 <= sizes[-1] <= size


@given(arguments=samplings(st.integers(1, 4)), epoch=st.integers(0, 20), data=st.data())
@quick
def test_going_on_is_the_tail_of_the_straight_run(arguments, epoch, data):
    straight, resumed = ResumableBatches(**arguments), ResumableBatches(**arguments)
    first = data.draw(st.integers(0, len(straight)))
    for _ in range(epoch):
        iter(straight)
    resumed.continue_from(epoch, first)
    assert list(resumed) == list(straight)[first:]
    assert list(resumed) == list(straight)  # and so is the epoch after


@given(arguments=samplings(), other=seeds, epoch=st.integers(0, 1000))
@quick
def test_order_depends_on_seed_and_epoch_alone(arguments, other, epoch):
    np.random.seed(other % 2**32)  # noqa: NPY002 (the global state is what must not matter)
    first, second = ResumableBatches(**arguments), ResumableBatches(**arguments | {"batch_size": 1, "drop_last": False})
    flat(first)  # another history
    first.continue_from(epoch)
    second.continue_from(epoch)
    order = flat(second)
    assert flat(first) == order[: len(first) * arguments["batch_size"]]
    if not arguments["shuffle"]:
        assert order == sorted(order)


def test_seeds_and_epochs_have_orders_of_their_own():
    orders = set()
    for seed in range(5):
        batches = ResumableBatches(range(50), 10, seed=seed)
        orders |= {tuple(flat(batches)) for _ in range(5)}
    assert len(orders) == 25


def test_every_place_is_as_likely():
    batches, epochs = ResumableBatches(range(6), 2, seed=3), 3000
    places = np.zeros((6, 6))
    for _ in range(epochs):
        places[flat(batches), np.arange(6)] += 1
    expected = epochs / 6
    assert np.abs(places - expected).max() < 5 * np.sqrt(expected * 5 / 6)  # five standard deviations


@given(arguments=samplings(st.integers(1, 5)), epoch=st.integers(0, 5))
@quick
def test_parts_of_all_processes_are_the_whole_batch(arguments, epoch):
    count = arguments["count"]
    parts = [ResumableBatches(**arguments, rank=rank) for rank in range(count)]
    whole = ResumableBatches(**arguments | {"count": 1})
    for sampler in (*parts, whole):
        sampler.continue_from(epoch)
    of_parts, of_whole = list(zip(*parts, strict=True)), list(whole)
    for each, batch in zip(of_parts, of_whole, strict=False):
        assert len({len(part) for part in each}) == 1  # all bring as many
        joined = flat(each)
        assert joined == batch[: len(joined)]
        assert len(batch) - len(joined) < count  # what cannot be shared
    assert flat(of_whole[len(of_parts) :]) == flat(of_whole)[len(of_parts) * arguments["batch_size"] :]
    assert len(flat(of_whole[len(of_parts) :])) < count


@given(arguments=samplings(st.integers(1, 4)), first=st.integers(0, 3))
@quick
def test_the_length_is_that_of_a_whole_epoch(arguments, first):
    batches = ResumableBatches(**arguments)
    length = len(batches)
    assert length == len(list(batches))
    batches.continue_from(0, min(first, length))
    assert len(list(batches)) == length - min(first, length)
    assert len(batches) == length


def test_weights_say_how_often_an_item_comes():
    weights, size, epochs = np.array([3.0, 0.0, 1.0, 2.0, 2.0, 0.5]), 6, 2000
    batches = ResumableBatches(range(size), 4, seed=1, weights=list(weights))
    epochs_drawn = [flat(batches) for _ in range(epochs)]
    assert {len(drawn) for drawn in epochs_drawn} == {size}
    counts = np.bincount(flat(epochs_drawn), minlength=size)
    share = weights / weights.sum()
    scatter = np.sqrt(epochs * size * share * (1 - share))
    assert (np.abs(counts - epochs * size * share) <= 5 * scatter).all()  # five standard deviations


@given(arguments=samplings(st.integers(1, 3)), epoch=st.integers(0, 20), data=st.data())
@quick
def test_weighted_epochs_go_on_and_are_shared_as_well(arguments, epoch, data):
    size = len(arguments["data"])
    weights = data.draw(st.lists(st.floats(0.1, 9), min_size=size, max_size=size))
    parts = [ResumableBatches(**arguments, weights=weights, rank=rank) for rank in range(arguments["count"])]
    whole = ResumableBatches(**arguments | {"count": 1}, weights=weights)
    first = data.draw(st.integers(0, len(parts[0])))
    for _ in range(epoch):
        iter(whole)
    straight = list(whole)
    for part in parts:
        part.continue_from(epoch, first)
    joined = [flat(each) for each in zip(*parts, strict=True)]
    assert joined == [batch[: len(each)] for batch, each in zip(straight[first:], joined, strict=False)]
    assert all(part.epoch == epoch + 1 for part in parts)


def test_weights_do_not_count_in_the_order_of_the_data():
    assert flat(ResumableBatches(range(5), 2, shuffle=False, weights=[0, 0, 0, 0, 1])) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "weights", [[1.0, 1.0], [1.0] * 8, [1.0] * 6 + [-0.5], [0.0] * 7, [1.0] * 6 + [float("nan")], []]
)
def test_odd_weights_are_refused(weights):
    with pytest.raises(ValueError, match=f"there are {len(weights)} weights .* for 7 items: expected one for each"):
        ResumableBatches(range(7), 2, weights=weights)


def test_a_loader_takes_it():
    data = list(range(100, 107))
    batches = ResumableBatches(data, 3, shuffle=False)
    batches.continue_from(0, 1)
    loader = DataLoader(data, batch_sampler=batches)
    assert [batch.tolist() for batch in loader] == [[103, 104, 105], [106]]
    assert [batch.tolist() for batch in loader] == [[100, 101, 102], [103, 104, 105], [106]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0 for 1 processes: expected a positive multiple of their number"),
        ({"batch_size": 5, "count": 2}, "batch_size is 5 for 2 processes: expected a positive multiple"),
        ({"batch_size": 4, "count": 0}, "batch_size is 4 for 0 processes: expected a positive multiple"),
        ({"batch_size": 4, "count": 2, "rank": 2}, "rank is 2 of 2 processes: expected 0 to 1, one for each process"),
        ({"batch_size": 4, "rank": -1}, "rank is -1 of 1 processes: expected 0 to 0"),
        ({"batch_size": 8, "drop_last": True}, "the data hold 7 items, expected at least 8: take a smaller batch_size"),
        ({"batch_size": 16, "count": 8}, "the data hold 7 items, expected at least 8: take a smaller batch_size"),
        ({"batch_size": 1, "data": []}, "the data hold 0 items, expected at least 1"),
    ],
)
def test_what_gives_no_batches_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ResumableBatches(**{"data": range(7), **arguments})
