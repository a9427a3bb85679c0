import pickle

import numpy as np
import pytest

from monai_cardiac_gan.data import AortaPatchDataset, VolumeEntry, patch_stack
from monai_cardiac_gan.keys import Field, PatchColumn


def columns(level):
    return {
        PatchColumn.SLICE: level,
        PatchColumn.CENTRE_X: 63.25,
        PatchColumn.CENTRE_Y: 64.5,
        PatchColumn.DIAMETER: 24.0,
        PatchColumn.CONFIDENCE: 0.9,
        PatchColumn.PADDED: 0.125,
        "ignored": "x",
    }


@pytest.fixture
def patch_set(tmp_path, patch_set_maker):
    maker = patch_set_maker(tmp_path / "set")
    stored = {}
    for seed, split in enumerate(("train", "train", "test")):
        rng = np.random.default_rng(seed)
        patches = [rng.uniform(-1, 1, (128, 128)).astype(np.float16).astype(np.float32) for _ in range(3)]
        affines = [np.eye(4) + level for level in range(3)]
        valid = {PatchColumn.VALID_X_START: seed, PatchColumn.VALID_X_STOP: 100, PatchColumn.VALID_Y_START: 0}
        rows = [{**columns(level), **valid, PatchColumn.VALID_Y_STOP: 128} for level in range(3)]
        stored[f"s{seed}"] = patches
        maker.add(f"s{seed}", patches, affines, rows, split, grade=3.5)
    return maker.finish(VolumeEntry("s3", "s3.nii.gz", reason="blurred")), stored


def test_patches_come_back_as_they_were_with_what_is_known_of_them(patch_set):
    folder, stored = patch_set
    dataset = AortaPatchDataset(folder, "train")
    assert len(dataset) == 6
    item = dataset[4]
    np.testing.assert_array_equal(item["image"][0].numpy(), stored["s1"][1])
    assert item["subject"] == "s1"
    assert item[Field.VOLUME] == item["image"].meta[PatchColumn.VOLUME] == "volume_00001"
    assert item["image"].meta[PatchColumn.SLICE] == 1
    assert item["image"].meta[PatchColumn.CENTRE_X] == 63.25
    assert item["image"].meta[PatchColumn.GRADE] == 3.5
    np.testing.assert_array_equal(item["image"].affine.numpy(), np.eye(4) + 1)
    inside = np.zeros((128, 128), bool)
    inside[1:100] = True
    np.testing.assert_array_equal(item[Field.VALID][0].numpy(), inside)


def test_some_patches_are_read_in_any_order_with_their_bounds(patch_set):
    folder, stored = patch_set
    dataset = AortaPatchDataset(folder)
    order = [8, 0, 4, 4, 1]
    pixels, bounds = dataset.read(order)
    for row, index in enumerate(order):
        subject = f"s{index // 3}"
        np.testing.assert_array_equal(pixels[row], stored[subject][index % 3].astype(np.float16))
        assert bounds[row].tolist() == [index // 3, 100, 0, 128]
    assert [part.tolist() for part in dataset.shards()] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    with pytest.raises(ValueError, match="no patches were asked for: expected at least one"):
        dataset.read([])


def test_bounds_are_those_of_all_patches_and_no_pixel_is_read_for_them(patch_set, monkeypatch):
    folder, _ = patch_set
    dataset = AortaPatchDataset(folder)
    expected = dataset.read(np.arange(9))[1]

    class Closed:
        def __getitem__(self, rows):
            raise AssertionError("pixels were read")

    opened = dataset._open_shard
    monkeypatch.setattr(dataset, "_shard", lambda name: (Closed(), opened(name)[1]))
    np.testing.assert_array_equal(dataset.all_bounds().numpy(), expected)


def test_splits_are_disjoint_and_together_all(patch_set):
    folder, _ = patch_set
    sides = [{item["subject"] for item in AortaPatchDataset(folder, split)} for split in ("train", "test", None)]
    assert sides == [{"s0", "s1"}, {"s2"}, {"s0", "s1", "s2"}]


def test_patches_are_mapped_not_loaded(patch_set):
    dataset = AortaPatchDataset(patch_set[0])
    patches, _ = dataset._shard("volumes/volume_00000")
    assert isinstance(patches, np.memmap)


def test_the_limit_spreads_over_the_split(patch_set):
    dataset = AortaPatchDataset(patch_set[0], limit=3)
    assert [(item["subject"], item["image"].meta[PatchColumn.SLICE]) for item in dataset] == [
        ("s0", 0),
        ("s1", 1),
        ("s2", 2),
    ]


def test_the_dataset_travels_to_other_processes(patch_set):
    dataset = AortaPatchDataset(patch_set[0], "test")
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy[1]["image"].numpy(), dataset[1]["image"].numpy())


def test_nothing_is_there_without_a_manifest(tmp_path):
    with pytest.raises(FileNotFoundError, match="no finished patch set lies here; run the bundle's `prepare`"):
        AortaPatchDataset(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "validation"}, "the split is 'validation': expected 'train', 'test' or None"),
        ({"limit": 0}, "the limit is 0: expected at least 1"),
    ],
)
def test_odd_arguments_are_refused(patch_set, arguments, message):
    with pytest.raises(ValueError, match=message):
        AortaPatchDataset(patch_set[0], **arguments)


def test_an_empty_split_is_refused(tmp_path, patch_set_maker):
    patch_set_maker(tmp_path / "set").finish()
    with pytest.raises(ValueError, match="holds no patches of the split 'train'; see its manifest"):
        AortaPatchDataset(tmp_path / "set", "train")


def test_patches_out_of_range_are_refused():
    with pytest.raises(ValueError, match="there are no patches: expected at least one"):
        patch_stack([])
    with pytest.raises(ValueError, match=r"patches range from 0 to 2: expected \[-1, 1\]; scale"):
        patch_stack([np.array([[0.0, 2.0]])])
    with pytest.raises(ValueError, match="patches range from nan"):
        patch_stack([np.array([[0.0, np.nan]])])


def test_half_precision_errs_by_an_eighth_of_a_grey_level_at_most():
    values = np.linspace(-1, 1, 128 * 128).reshape(1, 128, 128)
    assert np.abs(patch_stack(values).astype(float) - values).max() <= 2 / 256 / 8 / 2
