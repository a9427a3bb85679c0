import pytest
from few_patches import numbered

from monai_cardiac_gan.evaluation import People, protocol_of, protocols_of_subjects


def people(held_out, train, identical=()):
    return People(numbered(held_out), numbered(train, 100, identical=identical))


def test_all_samples_are_as_large_as_the_smallest_that_stands_somewhere():
    group = people({"h1": 10, "h2": 12}, {"t1": 5, "t2": 30, "t3": 30})
    protocol = protocol_of(group, 1000)
    assert protocol.patches == 15  # t1 and h1, one of the splits
    assert protocol_of(group, 8).patches == 8
    assert [set(split) for split in protocol.splits].count({"h1", "h2"}) == 0
    assert len(protocol.splits) == protocol.possible_splits == 9
    assert (protocol.held_out, protocol.training) == (["h1", "h2"], ["t1", "t2", "t3"])


def test_more_splits_than_needed_are_drawn():
    protocol = protocol_of(people({"h1": 9, "h2": 9, "h3": 9}, {f"t{n}": 9 for n in range(10)}), 1000)
    assert (len(protocol.splits), protocol.possible_splits, protocol.patches) == (20, 285, 27)


def test_identical_subjects_stand_once():
    group = people({"h1": 9}, {"t1": 9, "t2": 9, "t3": 9}, identical=[["t1", "t3"]])
    protocol = protocol_of(group, 1000)
    assert protocol.training == ["t1", "t2"]
    assert protocol.splits == [["t1"], ["t2"]]
    assert protocol.stands_for == {"t1": ["t3"]}
    assert "t1 stands for t3, too." in str(protocol)


def test_single_people_have_samples_of_one_size_and_the_same_splits_without_their_own():
    protocols = protocols_of_subjects(people({"h1": 10, "h2": 12}, {"t1": 9, "t2": 30}), 1000)
    assert {name: each.patches for name, each in protocols.items()} == {"h1": 9, "h2": 9}
    assert protocols["h1"].splits == [["h2"], ["t1"], ["t2"]]
    assert protocols["h2"].splits == [["h1"], ["t1"], ["t2"]]
    assert protocols["h1"].training == ["t1", "t2"]


@pytest.mark.parametrize("few", ["h2", "t1"])
def test_people_with_few_patches_do_not_stand_alone(few):
    counts = {"h1": 20, "h2": 22, "t1": 20, "t2": 24} | {few: 3}
    held_out, train = ({name: count for name, count in counts.items() if name[0] == side} for side in "ht")
    protocols = protocols_of_subjects(people(held_out, train), 1000)
    assert few not in protocols
    assert protocols["h1"].left_out == [few]
    assert protocols["h1"].patches >= 20
    assert [few] not in protocols["h1"].splits
    assert f"Too few patches to stand alone: {few}." in str(protocols["h1"])


def test_two_people_have_no_other_split():
    group = people({"h1": 9}, {"t1": 9})
    for protocol in (protocol_of(group, 1000), protocols_of_subjects(group, 1000)["h1"]):
        assert protocol.splits == []
        assert protocol.possible_splits == 0
        assert "Real vs real: none" in str(protocol)


def test_the_protocol_says_sizes_people_splits_and_seed():
    text = str(protocol_of(people({"h1": 9, "h2": 9}, {"t1": 9, "t2": 9}), 1000, seed=3))
    assert text.startswith("18 patches on either side of each comparison, evenly spaced; seed 3. Held out: h1, h2;")
    assert "Training patches: t1, t2. Real vs real: mean (lowest to highest)" in text
    assert "between 2 people and all others, over 4 of 4 such splits" in text
