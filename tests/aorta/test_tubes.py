import itertools

import numpy as np
import pytest

from monai_cardiac_gan.aorta.circles import CircleCandidates
from monai_cardiac_gan.aorta.tubes import (
    DRIFT_WEIGHT_PER_MM,
    GROWTH_WEIGHT_PER_MM,
    LARGEST_SLOPE,
    REWARD_OFFSET,
    Tube,
    find_tubes,
    join_tubes,
)


def random_slices(rng, count, each):
    return [
        CircleCandidates(rng.uniform(0, 10, (each, 2)), rng.uniform(5, 8, each), rng.uniform(0.3, 1.0, each))
        for _ in range(count)
    ]


def best_by_trial(slices, slice_mm):
    """Every chain without gaps, tried one by one."""
    best = -np.inf
    for start, stop in itertools.combinations(range(len(slices) + 1), 2):
        for chain in itertools.product(*(range(len(found.scores)) for found in slices[start:stop])):
            picks = [
                (found.centres[i], found.radii[i], found.scores[i])
                for found, i in zip(slices[start:stop], chain, strict=True)
            ]
            total = sum(score - REWARD_OFFSET for _, _, score in picks)
            for (c0, r0, _), (c1, r1, _) in itertools.pairwise(picks):
                drift = np.linalg.norm(c1 - c0)
                total -= DRIFT_WEIGHT_PER_MM * drift + GROWTH_WEIGHT_PER_MM * abs(r1 - r0)
                total -= np.inf if drift > LARGEST_SLOPE * slice_mm else 0
            best = max(best, total)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_dynamic_programming_finds_the_best_of_all_chains(seed):
    # slices 20 mm apart: no gap is allowed, so that all chains can be tried
    slices = random_slices(np.random.default_rng(seed), 5, 3)
    (tube,) = find_tubes(slices, 1.0, 1, 20.0)
    assert tube.total == pytest.approx(best_by_trial(slices, 20.0))


def straight(count, centre, score=0.9, radius=10.0):
    return [CircleCandidates(np.array([centre]), np.array([radius]), np.array([score])) for _ in range(count)]


def test_a_gap_of_less_than_a_centimetre_is_bridged_and_a_longer_one_is_not():
    empty = CircleCandidates(np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    slices = straight(10, (30.0, 30.0))
    bridged = find_tubes([*slices, empty, empty, *slices], 1.0, 2, 3.0)
    parted = find_tubes([*slices, *[empty] * 5, *slices], 1.0, 2, 3.0)
    assert [len(tube.slices) for tube in bridged] == [20]
    assert [len(tube.slices) for tube in parted] == [10, 10]


def test_a_jump_to_another_vessel_ends_the_tube():
    slices = [*straight(10, (30.0, 30.0)), *straight(6, (60.0, 30.0))]
    assert find_tubes(slices, 1.0, 1, 3.0)[0].slices.tolist() == list(range(10))


def test_tubes_are_disjoint_and_best_first():
    slices = [
        CircleCandidates(np.array([[20.0, 20.0], [60.0, 60.0]]), np.array([9.0, 9.0]), np.array([0.7, 0.9]))
        for _ in range(8)
    ]
    tubes = find_tubes(slices, 1.0, 5, 3.0)
    assert [tube.centres_mm[0].tolist() for tube in tubes] == [[60.0, 60.0], [20.0, 20.0]]
    assert tubes[0].total == pytest.approx(8 * (0.9 - REWARD_OFFSET))


def test_nothing_is_found_where_no_circle_is_worth_it():
    assert find_tubes(straight(10, (30.0, 30.0), score=0.4), 1.0, 3, 3.0) == []
    assert find_tubes([], 1.0, 3, 3.0) == []


def vessel(first, last, x=40.0, radius=11.0):
    count = last - first + 1
    return Tube(
        np.arange(first, last + 1),
        np.full((count, 2), [x, 50.0]),
        np.full(count, radius),
        np.full(count, 0.8),
        count * 0.3,
    )


def test_parts_of_one_hidden_vessel_are_joined_in_order():
    middle, lower, upper = vessel(20, 39), vessel(0, 11, x=44.0), vessel(48, 60, radius=10.0)
    whole = join_tubes(middle, [upper, middle, lower], 3.0)
    assert whole.slices.tolist() == [*range(12), *range(20, 40), *range(48, 61)]
    assert whole.centres_mm[:, 0].tolist() == [44.0] * 12 + [40.0] * 33
    assert whole.total == pytest.approx(45 * 0.3)
    assert len(whole.scores) == len(whole.radii_mm) == 45


@pytest.mark.parametrize(
    "other",
    [vessel(52, 70), vessel(45, 70, x=50.0), vessel(45, 70, radius=16.0), vessel(30, 70)],
    ids=["too far", "too far aside", "too wide", "beside it"],
)
def test_other_vessels_are_not_joined(other):
    chosen = vessel(20, 40)
    assert join_tubes(chosen, [chosen, other], 3.0) is chosen
