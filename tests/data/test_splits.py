import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.data import given_split, same_person_groups, split_subjects, volume_digest

subjects = st.dictionaries(
    st.text(min_size=1, max_size=3),
    st.lists(st.integers(0, 12).map(str), min_size=1, max_size=3),
    min_size=2,
    max_size=20,
)


@given(subjects)
def test_groups_are_a_partition_and_identical_volumes_share_one(digests):
    groups = same_person_groups(digests)
    assert sorted(name for group in groups for name in group) == sorted(digests)
    place = {name: number for number, group in enumerate(groups) for name in group}
    for a in digests:
        for b in digests:
            if set(digests[a]) & set(digests[b]):
                assert place[a] == place[b]


def test_groups_are_joined_through_a_third():
    assert same_person_groups({"a": ["1"], "b": ["2"], "c": ["1", "2"], "d": ["3"]}) == [["a", "b", "c"], ["d"]]


@given(count=st.integers(2, 60), fraction=st.floats(0.05, 0.95), seed=st.integers(0, 99))
def test_every_group_lies_on_one_side_and_both_sides_are_filled(count, fraction, seed):
    groups = [[f"{i}a", f"{i}b"] for i in range(count)]
    sides = split_subjects(groups, fraction, seed)
    assert all(sides[a] == sides[b] for a, b in groups)
    train = sum(sides[a] == "train" for a, _ in groups)
    assert train == np.clip(round(fraction * count), 1, count - 1)
    assert sides == split_subjects(groups, fraction, seed)


def test_the_publications_numbers():
    sides = split_subjects([[str(i)] for i in range(297)])
    assert sum(side == "train" for side in sides.values()) == 238  # 80 % of 297; the paper counts 237


def test_too_few_subjects_and_odd_fractions_are_refused():
    with pytest.raises(ValueError, match=r"fewer than two different subjects to split \(usable: \['a', 'b'\]\)"):
        split_subjects([["a", "b"]])
    with pytest.raises(ValueError, match="the training fraction is 1"):
        split_subjects([["a"], ["b"]], 1.0)


def test_the_digest_sees_values_and_shape_but_not_the_type():
    volume = np.arange(24).reshape(2, 3, 4)
    assert volume_digest(volume) == volume_digest(volume.astype(np.float64))
    assert volume_digest(volume) == volume_digest(np.asfortranarray(volume))
    assert volume_digest(volume) != volume_digest(volume.reshape(2, 4, 3))
    assert volume_digest(volume) != volume_digest(volume[::-1])


def test_a_given_split_is_kept_and_joins_the_volumes_of_one_person():
    groups = [["a", "b"], ["c"], ["d"]]
    assert given_split(groups, {}) is None
    assert given_split(groups, {"b": "test", "c": "train", "d": "train"}) == {
        "a": "test",
        "b": "test",
        "c": "train",
        "d": "train",
    }


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"a": "train", "b": "test", "c": "test"}, r"\['a', 'b'\] are to be in \['test', 'train'\]"),
        ({"a": "validation", "c": "test"}, r"are to be in \['validation'\]: expected 'train' or 'test'"),
        ({"a": "train"}, r"for some subjects \(not for \['c'\]\)"),
        ({"a": "train", "c": "train"}, "names one side only"),
    ],
)
def test_a_split_that_cannot_be_kept_is_refused(wanted, message):
    with pytest.raises(ValueError, match=message):
        given_split([["a", "b"], ["c"]], wanted)
