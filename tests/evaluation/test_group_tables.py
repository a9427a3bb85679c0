import numpy as np
import torch
from few_patches import FewPatches, noisy, numbered

from monai_cardiac_gan.evaluation import People, protocol_of
from monai_cardiac_gan.evaluation.group_tables import TRAINING, GroupTables
from monai_cardiac_gan.evaluation.patch_measures import PatchMeasure


def difference(generated, real):
    return (generated.mean() - real.mean()).abs()


def brightness_of(calls=None):
    def measured(patches):
        if calls is not None:
            calls.append(len(patches))
        return patches.mean((1, 2, 3))

    return {"brightness": PatchMeasure(measured, {"difference": difference})}


def test_every_column_is_the_difference_of_the_people_that_the_protocol_names():
    people = People(noisy({"h": 0.6}), noisy({"a": 0.0, "b": 0.2}, seed=1))
    protocol = protocol_of(people, 1000)
    tables = GroupTables(people, [protocol], brightness_of())
    (row,) = tables.rows(protocol, {"black": {"brightness": torch.full((12,), -1.0)}})
    found = [row.values["black"], row.values[TRAINING], row.lowest, row.highest]
    # a against h and b; b against a and h
    np.testing.assert_allclose(found, [1.6, 0.5, 0.1, 0.4], atol=0.02)
    np.testing.assert_allclose(row.real_vs_real, (0.1 + 0.4) / 2, atol=0.02)


def test_real_patches_are_measured_once():
    people, calls = People(noisy({"h": 0.6}), noisy({"a": 0.0, "b": 0.2}, seed=1)), []
    protocols = [protocol_of(people, 1000), protocol_of(people, 6)]
    tables = GroupTables(people, protocols, brightness_of(calls))
    for protocol in protocols * 2:
        tables.rows(protocol, {})
    assert len(calls) == 1
    assert calls[0] <= 36


def test_each_generated_patch_has_the_field_of_view_of_a_held_out_patch_that_it_stands_against():
    people = People(numbered({"h": 12}), numbered({"a": 12, "b": 12}, 100))
    protocol = protocol_of(people, 6)
    tables = GroupTables(people, [protocol], brightness_of())
    seen = tables.as_seen(protocol, torch.zeros(20, 1, 16, 16))
    _, valid = people.read(people.evenly_spaced(["h"], 6))
    assert torch.equal(seen == 0, valid)
    assert torch.equal(seen == -1, ~valid)


def test_identical_people_never_stand_against_each_other():
    twin = np.full((12, 16, 16), 0.5)
    people = People(
        noisy({"h": 0.0}, side=16),
        FewPatches({"a": 12, "b": 12, "c": 12}, np.concatenate([twin, 0 * twin, twin]), None, [["a", "c"]]),
    )
    protocol = protocol_of(people, 1000)
    tables = GroupTables(people, [protocol], brightness_of())
    assert protocol.splits == [["a"], ["b"]]
    assert tables.real(people.others(["a"]), 24)["brightness"].max() < 0.1  # c stands nowhere
