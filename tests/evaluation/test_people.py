import numpy as np
import pytest
import torch
from few_patches import numbered

from monai_cardiac_gan.evaluation import People

SIDE = 16


def people(**settings):
    return People(numbered({"la_1": 3, "ph_1": 4}), numbered({"la_2": 5, "la_3": 2, "ph_2": 4}, 100), **settings)


def test_a_group_holds_those_whose_names_fit():
    assert (people(pattern="la_*").held_out, people(pattern="la_*").train) == (["la_1"], ["la_2", "la_3"])
    assert people().names == ["la_1", "la_2", "la_3", "ph_1", "ph_2"]
    assert people(pattern="la_*").others(["la_2"]) == ["la_1", "la_3"]


def test_patches_and_their_fields_of_view_come_from_the_right_set_in_the_order_asked_for():
    group = people()
    rows = np.array([16, 0, 7, 6])
    patches, valid = group.read(rows)
    assert patches[:, 0, 0, 0].tolist() == [109, 0, 100, 6]
    assert valid[:, 0, 0].sum(1).tolist() == [1 + number % SIDE for number in (109, 0, 100, 6)]
    assert group.subjects(rows) == ["ph_2", "la_1", "la_2", "ph_1"]
    assert patches.shape == valid.shape == torch.Size([4, 1, SIDE, SIDE])


def test_patches_are_evenly_spaced_over_people():
    group = people(pattern="la_*")
    assert group.evenly_spaced(["la_2", "la_3"], 3).tolist() == [7, 10, 13]
    assert group.evenly_spaced(["la_2", "la_1"], 8).tolist() == [0, 1, 2, 7, 8, 9, 10, 11]


def test_of_identical_subjects_one_stands_for_all_but_copies_are_looked_for_among_all():
    train = numbered({"la_2": 5, "la_3": 2, "la_4": 3}, 100, identical=[["la_2", "la_4"]])
    group = People(numbered({"la_1": 3}), train)
    assert group.train == ["la_2", "la_3"]
    assert group.stands_for == {"la_2": ["la_4"]}
    assert "la_4" not in group.names
    assert len(group.training_rows()) == 10
    assert set(group.persons(group.training_rows())) == {"la_2", "la_3"}


def test_a_pattern_that_fits_nobody_is_refused():
    with pytest.raises(ValueError, match=r"no held-out subject is called like 'x_\*': expected names such as 'la_1'"):
        people(pattern="x_*")
    with pytest.raises(ValueError, match="no training subject is called like 'la_1': expected names such as 'la_2'"):
        people(pattern="la_1")


def test_a_person_on_both_sides_is_refused_by_name_and_by_identical_image():
    for train in (numbered({"la_1": 2}), numbered({"la_9": 2}, identical=[["la_1", "la_9"]])):
        with pytest.raises(ValueError, match=r"\['la_1'\] are held out and in the training"):
            People(numbered({"la_1": 3}), train)
