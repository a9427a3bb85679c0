import pickle

import numpy as np
import pytest

from monai_cardiac_gan.data import AortaPatchDataset, PatchSetWriter, read_manifest
from monai_cardiac_gan.data.patch_set import MANIFEST
from monai_cardiac_gan.keys import PatchColumn


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


def shard(writer, seed, count=3):
    rng = np.random.default_rng(seed)
    patches = [rng.uniform(-1, 1, (128, 128)).astype(np.float16).astype(np.float32) for _ in range(count)]
    affines = [np.diag([1.0, 1.0, 1.0, 1.0]) + level for level in range(count)]
    return patches, writer.add(patches, affines, [columns(level) for level in range(count)])


@pytest.fixture
def patch_set(tmp_path):
    writer = PatchSetWriter(tmp_path / "set")
    stored, volumes = {}, []
    for seed, split in enumerate(("train", "train", "test")):
        stored[f"s{seed}"], name = shard(writer, seed)
        volumes.append(
            {"subject": f"s{seed}", "grade": 3.5, "status": "kept", "split": split, "shard": name, "patches": 3}
        )
    volumes.append({"subject": "s3", "status": "left out", "reason": "blurred"})
    writer.finish({"volumes": volumes})
    return tmp_path / "set", stored


def test_patches_come_back_as_they_were_with_what_is_known_of_them(patch_set):
    folder, stored = patch_set
    dataset = AortaPatchDataset(folder, "train")
    assert len(dataset) == 6
    item = dataset[4]
    np.testing.assert_array_equal(item["image"][0].numpy(), stored["s1"][1])
    assert item["subject"] == "s1"
    assert item["image"].meta[PatchColumn.SLICE] == 1
    assert item["image"].meta[PatchColumn.CENTRE_X] == 63.25
    assert item["image"].meta[PatchColumn.GRADE] == 3.5
    np.testing.assert_array_equal(item["image"].affine.numpy(), np.eye(4) + 1)


def test_splits_are_disjoint_and_together_all(patch_set):
    folder, _ = patch_set
    sides = [{item["subject"] for item in AortaPatchDataset(folder, split)} for split in ("train", "test", None)]
    assert sides == [{"s0", "s1"}, {"s2"}, {"s0", "s1", "s2"}]


def test_patches_are_mapped_not_loaded(patch_set):
    dataset = AortaPatchDataset(patch_set[0])
    dataset[0]
    patches, _, _ = dataset._shard("volume_00000")
    assert isinstance(patches, np.memmap)


def test_the_limit_spreads_over_the_split(patch_set):
    dataset = AortaPatchDataset(patch_set[0], limit=3)
    assert [(item["subject"], item["image"].meta[PatchColumn.SLICE]) for item in dataset] == [
        ("s0", 0),
        ("s1", 1),
        ("s2", 2),
    ]


def test_the_dataset_travels_to_other_processes(patch_set):
    dataset = AortaPatchDataset(patch_set[0], "test", transform=lambda item: item)
    dataset.transform = None
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy[1]["image"].numpy(), dataset[1]["image"].numpy())


def test_nothing_is_there_until_it_is_finished(tmp_path):
    writer = PatchSetWriter(tmp_path / "set")
    shard(writer, 0)
    assert not (tmp_path / "set").exists()
    with pytest.raises(FileNotFoundError, match="no finished patch set lies here; run the bundle's `prepare`"):
        AortaPatchDataset(tmp_path / "set")


def test_what_an_interrupted_run_left_is_not_mixed_in(tmp_path):
    shard(PatchSetWriter(tmp_path / "set"), 0)
    writer = PatchSetWriter(tmp_path / "set")
    writer.finish({"volumes": []})
    assert [entry.name for entry in (tmp_path / "set").iterdir()] == [MANIFEST]


def test_a_finished_set_is_replaced_only_when_asked(patch_set):
    folder, _ = patch_set
    with pytest.raises(FileExistsError, match="exists already; choose another folder"):
        PatchSetWriter(folder)
    writer = PatchSetWriter(folder, overwrite=True)
    assert len(read_manifest(folder)["volumes"]) == 4  # still the old one
    writer.finish({"volumes": []})
    assert read_manifest(folder)["volumes"] == []


def test_a_folder_that_is_no_patch_set_is_never_replaced(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="exists already"):
        PatchSetWriter(tmp_path, overwrite=True)


def test_a_set_of_another_format_is_refused(tmp_path):
    (tmp_path / MANIFEST).write_text('{"format": "other"}')
    with pytest.raises(ValueError, match="has the format 'other', expected"):
        read_manifest(tmp_path)


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


def test_an_empty_split_is_refused(tmp_path):
    PatchSetWriter(tmp_path / "set").finish({"volumes": []})
    with pytest.raises(ValueError, match="holds no patches of the split 'train'; see its manifest"):
        AortaPatchDataset(tmp_path / "set", "train")


def test_patches_out_of_range_or_out_of_step_are_refused(tmp_path):
    writer = PatchSetWriter(tmp_path / "set")
    with pytest.raises(ValueError, match=r"patches range from 0 to 2: expected \[-1, 1\]; scale"):
        writer.add([np.array([[0.0, 2.0]])], [np.eye(4)], [columns(0)])
    with pytest.raises(ValueError, match=r"patches range from nan"):
        writer.add([np.array([[0.0, np.nan]])], [np.eye(4)], [columns(0)])
    with pytest.raises(ValueError, match="got 1 patches, 0 affines and 1 rows"):
        writer.add([np.zeros((2, 2))], [], [columns(0)])
