import csv
import json
import logging

import nibabel
import numpy as np
import pytest

from monai_cardiac_gan.apps import PreparePatchSet
from monai_cardiac_gan.data import AortaPatchDataset, read_datalist, read_manifest
from monai_cardiac_gan.keys import PatchColumn


@pytest.fixture
def hearts(tmp_path, write_tube):
    """Two usable volumes of two subjects."""
    folder = tmp_path / "hearts"
    for seed in range(2):
        write_tube(f"s{seed}.nii.gz", seed, folder)
    return folder


def prepare(source, output, **arguments):
    return PreparePatchSet(read_datalist(source), str(output), **({"figures": False} | arguments)).run()


def test_the_patches_of_both_subjects_show_the_tube_in_their_middle(hearts, tmp_path):
    prepare(hearts, tmp_path / "set")
    dataset = AortaPatchDataset(tmp_path / "set")
    assert len(dataset) >= 2 * 80  # 90 mm of tube each, at 1 mm
    for item in (dataset[10], dataset[-20]):
        patch = item["image"][0].numpy()
        columns = item["image"].meta
        assert columns[PatchColumn.DIAMETER] == pytest.approx(24, abs=0.6)
        x, y = columns[PatchColumn.CENTRE_X], columns[PatchColumn.CENTRE_Y]
        np.testing.assert_allclose([x, y], 64, atol=0.75)
        distance = np.hypot(np.arange(128)[:, None] - x, np.arange(128)[None] - y)
        assert patch[distance < 9].min() > 0.5
        assert np.abs(patch).max() <= 1
        place = item["image"].affine.numpy() @ [x, y, 0, 1]
        np.testing.assert_allclose(place[:2], [50, 60], atol=0.5)


def test_the_manifest_tells_what_became_of_every_volume(hearts, tmp_path, write_tube):
    (hearts / "broken.nii.gz").write_bytes(b"no image")
    write_tube("noisy.nii.gz", 5, hearts, noise=400.0)
    outcomes = prepare(hearts, tmp_path / "set")
    volumes = {entry["subject"]: entry for entry in read_manifest(tmp_path / "set")["volumes"]}
    assert {name: entry["status"] for name, entry in volumes.items()} == {
        "s0": "kept",
        "s1": "kept",
        "broken": "left out",
        "noisy": "left out",
    }
    assert "broken.nii.gz: cannot be read" in volumes["broken"]["reason"]
    assert "noisy.nii.gz: grade" in volumes["noisy"]["reason"]
    assert "is not above 2" in volumes["noisy"]["reason"]
    assert {volumes["s0"]["split"], volumes["s1"]["split"]} == {"train", "test"}
    assert [outcome.subject for outcome in outcomes] == ["broken", "noisy", "s0", "s1"]


@pytest.mark.parametrize("sides", [("train", "test"), ("test", "train")])
def test_a_split_in_the_data_list_is_kept(hearts, tmp_path, sides):
    rows = [{"image": f"s{place}.nii.gz", "split": side} for place, side in enumerate(sides)]
    (hearts / "list.json").write_text(json.dumps({"training": rows}))
    prepare(hearts / "list.json", tmp_path / "set")
    volumes = read_manifest(tmp_path / "set")["volumes"]
    assert [(volume["subject"], volume["split"]) for volume in volumes] == [("s0", sides[0]), ("s1", sides[1])]


@pytest.fixture
def bad_files(hearts):
    """One file of each kind that cannot be used, with what its reason must say."""
    voxels, affine = np.random.default_rng(0).uniform(0, 900, (20, 20, 20)).astype(np.float32), np.eye(4)
    unknown = nibabel.Nifti1Image(voxels, None)
    unknown.header.set_sform(None, code=0)
    unknown.header.set_qform(None, code=0)
    images = {
        "flat": (nibabel.Nifti1Image(voxels[:, :, 0], affine), "axes|two voxels"),
        "film": (nibabel.Nifti1Image(np.stack([voxels] * 2, -1), affine), "extract one time frame"),
        "constant": (nibabel.Nifti1Image(np.ones_like(voxels), affine), "every voxel is 1"),
        "nan": (nibabel.Nifti1Image(np.full_like(voxels, np.nan), affine), "NaN or infinite"),
        "unknown": (unknown, "no usable affine"),
    }
    for name, (image, _) in images.items():
        nibabel.save(image, hearts / f"{name}.nii")
    whole = (hearts / "s0.nii.gz").read_bytes()
    (hearts / "truncated.nii.gz").write_bytes(whole[: len(whole) // 2])
    (hearts / "empty.nii").touch()
    return {name: message for name, (_, message) in images.items()} | {
        "truncated": "cannot be read",
        "empty": "cannot be read",
    }


def test_every_bad_file_is_left_out_with_its_reason_and_the_others_go_on(hearts, bad_files, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        outcomes = {outcome.subject: outcome for outcome in prepare(hearts, tmp_path / "set")}
    assert outcomes["s0"].status == outcomes["s1"].status == "kept"
    import re

    for name, message in bad_files.items():
        assert outcomes[name].status == "left out"
        assert re.search(message, outcomes[name].reason)
        assert str(hearts / name) in outcomes[name].reason
        assert outcomes[name].reason in caplog.text


def test_strict_runs_write_the_set_and_end_with_a_status(hearts, tmp_path):
    (hearts / "broken.nii.gz").write_bytes(b"no image")
    with pytest.raises(SystemExit) as caught:
        prepare(hearts, tmp_path / "set", strict=True)
    assert caught.value.code == 3
    assert len(AortaPatchDataset(tmp_path / "set")) > 0


def test_strict_runs_of_good_volumes_end_well(hearts, tmp_path):
    assert len(prepare(hearts, tmp_path / "set", strict=True)) == 2


def test_identical_volumes_under_two_names_stay_on_one_side(hearts, tmp_path):
    image = nibabel.load(hearts / "s0.nii.gz")
    turned = nibabel.Nifti1Image(image.get_fdata(dtype=np.float32)[::-1], image.affine @ np.diag([-1.0, 1, 1, 1]))
    nibabel.save(turned, hearts / "same.nii")
    for seed in range(6):
        prepare(hearts, tmp_path / f"set{seed}", seed=seed)
        manifest = read_manifest(tmp_path / f"set{seed}")
        sides = {entry["subject"]: entry["split"] for entry in manifest["volumes"]}
        assert sides["s0"] == sides["same"] != sides["s1"]
        assert manifest["identical_subjects"] == [["s0", "same"]]


def test_a_changed_copy_under_another_name_stays_on_one_side(hearts, tmp_path, caplog):
    image = nibabel.load(hearts / "s0.nii.gz")
    values = image.get_fdata(dtype=np.float32)
    brighter = 2 * values + np.random.default_rng(0).normal(0, 0.01 * np.ptp(values), values.shape) + 50
    nibabel.save(nibabel.Nifti1Image(brighter.astype(np.float32), image.affine), hearts / "copy.nii")
    for seed in range(4):
        prepare(hearts, tmp_path / f"set{seed}", seed=seed)
        manifest = read_manifest(tmp_path / f"set{seed}")
        sides = {entry["subject"]: entry["split"] for entry in manifest["volumes"]}
        assert sides["s0"] == sides["copy"] != sides["s1"]
        (pair,) = manifest["nearly_identical_images"]
        assert pair["subjects"] == ["copy", "s0"]
        assert pair["cosine"] > 0.97
    assert "copy and s0 are nearly the same image" in caplog.text


def test_grades_of_people_decide_where_there_are_any(hearts, tmp_path, write_tube):
    write_tube("s2.nii.gz", 2, hearts)
    with (hearts / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "grade"], ["s0.nii.gz", 4], ["s1.nii.gz", 3], ["s2.nii.gz", 3.5]])
    outcomes = {outcome.subject: outcome for outcome in prepare(hearts / "list.csv", tmp_path / "set")}
    assert [outcomes[name].status for name in ("s0", "s1", "s2")] == ["kept", "left out", "kept"]
    assert "grade 3 of 4 (person) is not above 3" in outcomes["s1"].reason


@pytest.mark.parametrize("use_labels", [False, True])
def test_label_maps_are_used_only_when_asked(hearts, tmp_path, use_labels):
    """The map labels a disc beside the tube."""
    labels = np.zeros((90, 90, 30), dtype=np.uint8)
    labels[5:17, 70:82] = 1
    nibabel.save(nibabel.Nifti1Image(labels, np.diag([1.5, 1.5, 3.0, 1.0])), tmp_path / "label.nii.gz")
    rows = [["image", "label"], ["s0.nii.gz", "../label.nii.gz"], ["s1.nii.gz", "../label.nii.gz"]]
    with (hearts / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    prepare(hearts / "list.csv", tmp_path / "set", use_labels=use_labels)
    item = AortaPatchDataset(tmp_path / "set")[5]["image"]
    place = item.affine.numpy() @ [item.meta[PatchColumn.CENTRE_X], item.meta[PatchColumn.CENTRE_Y], 0, 1]
    np.testing.assert_allclose(place[:2], [15.75, 113.25] if use_labels else [50, 60], atol=0.6)


def test_a_seed_outside_a_volume_leaves_only_that_volume_out(hearts, tmp_path, write_tube):
    write_tube("s2.nii.gz", 2, hearts)
    rows = [
        ["image", "seed_x", "seed_y", "seed_z"],
        ["s0.nii.gz", 50, 60, 45],
        ["s1.nii.gz", 50, 60, 45],
        ["s2.nii.gz", 5000, 60, 45],
    ]
    with (hearts / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    outcomes = {outcome.subject: outcome for outcome in prepare(hearts / "list.csv", tmp_path / "set")}
    assert [outcomes[name].status for name in ("s0", "s1", "s2")] == ["kept", "kept", "left out"]
    assert "s2.nii.gz: the seed" in outcomes["s2"].reason
    assert "lies outside the volume" in outcomes["s2"].reason


def test_a_grade_off_the_scale_leaves_only_that_volume_out(hearts, tmp_path, write_tube):
    write_tube("s2.nii.gz", 2, hearts)
    with (hearts / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "grade"], ["s0.nii.gz", 4], ["s1.nii.gz", 7], ["s2.nii.gz", 3.5]])
    outcomes = {outcome.subject: outcome for outcome in prepare(hearts / "list.csv", tmp_path / "set")}
    assert [outcomes[name].status for name in ("s0", "s1", "s2")] == ["kept", "left out", "kept"]
    assert "list.csv, entry 3: has the grade '7', expected a number from 0" in outcomes["s1"].reason


def test_fewer_than_two_subjects_leave_nothing_behind(hearts, tmp_path):
    (hearts / "s1.nii.gz").unlink()
    with pytest.raises(ValueError, match=r"fewer than two different subjects to split \(usable: \['s0'\]\)"):
        prepare(hearts, tmp_path / "set")
    assert [entry.name for entry in tmp_path.iterdir()] == ["hearts"]


def test_a_set_is_not_overwritten_unless_asked(hearts, tmp_path):
    prepare(hearts, tmp_path / "set")
    with pytest.raises(FileExistsError, match="exists already"):
        prepare(hearts, tmp_path / "set")
    prepare(hearts, tmp_path / "set", overwrite=True)


def test_each_kept_volume_gets_a_figure(hearts, tmp_path):
    prepare(hearts, tmp_path / "set", figures=True)
    names = sorted(path.name for path in (tmp_path / "set" / "figures").iterdir())
    assert names == ["volume_00000.png", "volume_00001.png"]


@pytest.mark.realdata
def test_real_volumes_give_patches_with_the_aorta_inside(real_hearts, tmp_path):
    records = read_datalist(real_hearts / "images")
    chosen = [record for record in records if record["subject"] in ("la_005", "la_016", "la_026")]
    PreparePatchSet(chosen, str(tmp_path / "set"), figures=False).run()
    manifest = read_manifest(tmp_path / "set")
    assert manifest["identical_subjects"] == [["la_005", "la_026"]]
    assert all(entry["status"] == "kept" and entry["patches"] > 150 for entry in manifest["volumes"])
    dataset = AortaPatchDataset(tmp_path / "set", limit=12)
    padded = [item["image"].meta[PatchColumn.PADDED] for item in dataset if item["subject"] == "la_016"]
    assert min(padded) > 0  # its field of view is narrower than a patch
    for item in dataset:
        assert item["image"][0, 64, 64] > item["image"][0].median()
