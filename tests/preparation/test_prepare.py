import csv
import errno
import importlib
import json
import logging
import os
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_cardiac_gan.data import AortaPatchDataset, read_datalist, read_manifest
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.preparation import PreparePatchSet
from monai_cardiac_gan.transforms import CropAortaPatchesd


@pytest.fixture
def hearts(tmp_path, write_tube):
    """Two usable volumes of two subjects."""
    folder = tmp_path / "hearts"
    for seed in range(2):
        write_tube(f"s{seed}.nii.gz", seed, folder)
    return folder


def prepare(source, output, **arguments):
    return PreparePatchSet(read_datalist(source), str(output), **({"sheet": False} | arguments)).run()


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
    volumes = {entry.subject: entry for entry in read_manifest(tmp_path / "set").volumes}
    assert {name: entry.status for name, entry in volumes.items()} == {
        "s0": "kept",
        "s1": "kept",
        "broken": "excluded",
        "noisy": "excluded",
    }
    file = nibabel.as_closest_canonical(nibabel.load(hearts / "s0.nii.gz"))
    np.testing.assert_allclose(volumes["s0"].affine, file.affine)
    assert "broken.nii.gz: cannot be read" in volumes["broken"].reason
    assert "noisy.nii.gz: grade" in volumes["noisy"].reason
    assert "is not above 2" in volumes["noisy"].reason
    assert {volumes["s0"].split, volumes["s1"].split} == {"train", "test"}
    assert [outcome.subject for outcome in outcomes] == ["broken", "noisy", "s0", "s1"]


@pytest.mark.parametrize("sides", [("train", "test"), ("test", "train")])
def test_a_split_in_the_data_list_is_kept(hearts, tmp_path, sides):
    rows = [{"image": f"s{place}.nii.gz", "split": side} for place, side in enumerate(sides)]
    (hearts / "list.json").write_text(json.dumps({"training": rows}))
    prepare(hearts / "list.json", tmp_path / "set")
    volumes = read_manifest(tmp_path / "set").volumes
    assert [(volume.subject, volume.split) for volume in volumes] == [("s0", sides[0]), ("s1", sides[1])]


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
        assert outcomes[name].status == "excluded"
        assert re.search(message, outcomes[name].reason)
        assert str(hearts / name) in outcomes[name].reason
        assert outcomes[name].reason in caplog.text


def test_label_maps_beside_the_images_are_nobody(tmp_path, write_tube):
    """By their name in a folder, by their content in a list."""
    for number in range(2):
        write_tube(f"p{number}_image.nii", seed=number, folder=tmp_path / "in")
        voxels = nibabel.load(tmp_path / "in" / f"p{number}_image.nii").get_fdata()
        labels = nibabel.Nifti1Image((voxels > 500).astype(np.uint8), np.diag([1.5, 1.5, 3.0, 1.0]))
        nibabel.save(labels, tmp_path / "in" / f"p{number}_label.nii.gz")
        nibabel.save(labels, tmp_path / "in" / f"p{number}_other.nii.gz")
    names = [f"p{number}_{kind}" for number in range(2) for kind in ("image", "label", "other")]
    expected = {name: "kept" if name.endswith("image") else "excluded" for name in names}
    entries = prepare(tmp_path / "in", tmp_path / "set")
    assert {entry.subject: entry.status for entry in entries} == expected
    reasons = {entry.subject: entry.reason for entry in read_manifest(tmp_path / "set").volumes}
    assert "p0_label.nii.gz: is a label map by its name" in reasons["p0_label"]
    assert "p1_other.nii.gz: is a label map (2 values" in reasons["p1_other"]
    rows = "".join(f"{name}.nii{'' if name.endswith('image') else '.gz'}\n" for name in names)
    (tmp_path / "in" / "list.csv").write_text(f"image\n{rows}")
    entries = prepare(tmp_path / "in" / "list.csv", tmp_path / "listed")
    assert {entry.subject: entry.status for entry in entries} == expected
    assert all("is a label map (2 values" in entry.reason for entry in entries if not entry.is_kept)


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
        sides = {entry.subject: entry.split for entry in manifest.volumes}
        assert sides["s0"] == sides["same"] != sides["s1"]
        assert manifest.identical_subjects == [["s0", "same"]]


def test_a_changed_copy_under_another_name_stays_on_one_side(hearts, tmp_path, caplog):
    image = nibabel.load(hearts / "s0.nii.gz")
    values = image.get_fdata(dtype=np.float32)
    brighter = 2 * values + np.random.default_rng(0).normal(0, 0.01 * np.ptp(values), values.shape) + 50
    nibabel.save(nibabel.Nifti1Image(brighter.astype(np.float32), image.affine), hearts / "copy.nii")
    for seed in range(4):
        prepare(hearts, tmp_path / f"set{seed}", seed=seed)
        manifest = read_manifest(tmp_path / f"set{seed}")
        sides = {entry.subject: entry.split for entry in manifest.volumes}
        assert sides["s0"] == sides["copy"] != sides["s1"]
        (pair,) = manifest.nearly_identical_images
        assert pair.subjects == ["copy", "s0"]
        assert pair.cosine > 0.97
    assert "copy and s0 are nearly the same image" in caplog.text


def test_grades_of_people_decide_where_there_are_any(hearts, tmp_path, write_tube):
    write_tube("s2.nii.gz", 2, hearts)
    with (hearts / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "grade"], ["s0.nii.gz", 4], ["s1.nii.gz", 3], ["s2.nii.gz", 3.5]])
    outcomes = {outcome.subject: outcome for outcome in prepare(hearts / "list.csv", tmp_path / "set")}
    assert [outcomes[name].status for name in ("s0", "s1", "s2")] == ["kept", "excluded", "kept"]
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
    assert [outcomes[name].status for name in ("s0", "s1", "s2")] == ["kept", "kept", "excluded"]
    assert "s2.nii.gz: the seed" in outcomes["s2"].reason
    assert "lies outside the volume" in outcomes["s2"].reason


def test_a_grade_off_the_scale_leaves_only_that_volume_out(hearts, tmp_path, write_tube):
    write_tube("s2.nii.gz", 2, hearts)
    with (hearts / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "grade"], ["s0.nii.gz", 4], ["s1.nii.gz", 7], ["s2.nii.gz", 3.5]])
    outcomes = {outcome.subject: outcome for outcome in prepare(hearts / "list.csv", tmp_path / "set")}
    assert [outcomes[name].status for name in ("s0", "s1", "s2")] == ["kept", "excluded", "kept"]
    assert "list.csv, entry 3: has the grade '7', expected a number from 0" in outcomes["s1"].reason


def test_fewer_than_two_subjects_are_no_set_but_their_work_is_kept(hearts, tmp_path, write_tube):
    (hearts / "s1.nii.gz").unlink()
    with pytest.raises(ValueError, match=r"fewer than two different subjects to split \(usable: \['s0'\]\)"):
        prepare(hearts, tmp_path / "set")
    assert not (tmp_path / "set" / "manifest.json").exists()
    (done,) = (tmp_path / "set" / "volumes").iterdir()
    before = (done / "patches.npy").stat().st_mtime_ns
    write_tube("s1.nii.gz", 1, hearts)
    prepare(hearts, tmp_path / "set")
    assert (done / "patches.npy").stat().st_mtime_ns == before


def bytes_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def times_of(folder):
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in (folder / "volumes").rglob("*.npy")}


def only_nothing(function, tasks, *_):
    """Stands for the executor where nothing may be left to do."""
    assert not tasks
    return iter(())


def test_a_second_run_does_nothing_and_a_third_only_what_is_missing(hearts, tmp_path, write_tube, monkeypatch):
    first = prepare(hearts, tmp_path / "set")
    content, times = bytes_of(tmp_path / "set"), times_of(tmp_path / "set")
    with monkeypatch.context() as patched:
        patched.setattr("monai_cardiac_gan.preparation.prepare.run_all", only_nothing)
        assert prepare(hearts, tmp_path / "set") == first
    assert bytes_of(tmp_path / "set") == content
    write_tube("s2.nii.gz", 2, hearts)
    prepare(hearts, tmp_path / "set")
    after = times_of(tmp_path / "set")
    assert {name: after[name] for name in times} == times
    assert len(after) == len(times) // 2 * 3


def test_a_file_that_changed_is_prepared_again_and_its_old_patches_go(hearts, tmp_path, write_tube):
    before = prepare(hearts, tmp_path / "set")
    write_tube("s1.nii.gz", 7, hearts)
    after = prepare(hearts, tmp_path / "set")
    assert before[0].key == after[0].key
    assert before[1].key != after[1].key
    assert {path.name for path in (tmp_path / "set" / "volumes").iterdir()} == {entry.key for entry in after}
    assert [entry.split for entry in before] == [entry.split for entry in after]


def test_what_is_known_of_the_person_makes_no_other_patches(hearts, tmp_path, monkeypatch):
    rows = [f"{hearts / 's0.nii.gz'}", f"{hearts / 's1.nii.gz'}"]
    (tmp_path / "plain.csv").write_text("image\n" + "\n".join(rows) + "\n")
    (tmp_path / "person.csv").write_text(
        f"image,sex,age,height,weight,date\n{rows[0]},f,54,172,70.5,2024-03-09\n{rows[1]},m,,,,\n"
    )
    before = prepare(tmp_path / "plain.csv", tmp_path / "set")
    monkeypatch.setattr("monai_cardiac_gan.preparation.prepare.run_all", only_nothing)
    assert prepare(tmp_path / "person.csv", tmp_path / "set") == before


def test_voxels_beside_their_header_that_changed_are_prepared_again(hearts, tmp_path):
    """The header, the sizes and all times of the content are those of before."""
    head = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        "TransformMatrix = -1 0 0 0 -1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 1.5 1.5 3\n"
        "DimSize = 90 90 30\nElementType = MET_FLOAT\nElementDataFile = {}.raw\n"
    )
    for path in sorted(hearts.iterdir()):
        voxels = nibabel.load(path).get_fdata(dtype=np.float32)
        name = path.name.split(".")[0]
        (hearts / f"{name}.mhd").write_text(head.format(name))
        (hearts / f"{name}.raw").write_bytes(voxels.T.tobytes())
        path.unlink()
    before = prepare(hearts, tmp_path / "set")
    raw = hearts / "s0.raw"
    times, voxels = raw.stat(), np.frombuffer(raw.read_bytes(), dtype=np.float32).reshape(30, 90, 90)
    raw.write_bytes(voxels[:, :, ::-1].tobytes())
    os.utime(raw, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = prepare(hearts, tmp_path / "set")
    assert [entry.key == other.key for entry, other in zip(before, after, strict=True)] == [False, True]
    assert before[0].digest != after[0].digest


def test_a_header_that_names_a_missing_file_says_so(hearts, tmp_path):
    (hearts / "z.mhd").write_text("NDims = 3\nElementDataFile = gone.raw\n")
    entry = prepare(hearts, tmp_path / "set")[-1]
    assert (
        entry.reason
        == f"{hearts / 'z.mhd'}: cannot be read (No such file or directory: gone.raw); check the path and its rights."
    )


def test_steps_that_nothing_tells_apart_are_refused(hearts, tmp_path):
    with pytest.raises(TypeError, match="has no name that tells what it does"):
        prepare(hearts, tmp_path / "set", scale=lambda record: record)


def test_a_touched_file_is_read_but_not_prepared_again(hearts, tmp_path):
    before = prepare(hearts, tmp_path / "set")
    times = times_of(tmp_path / "set")
    (hearts / "s0.nii.gz").touch()
    assert [entry.key for entry in prepare(hearts, tmp_path / "set")] == [entry.key for entry in before]
    assert times_of(tmp_path / "set") == times


def test_other_settings_need_another_folder_or_a_word(hearts, tmp_path):
    prepare(hearts, tmp_path / "set")
    finer = CropAortaPatchesd("image", step_mm=4.0, spacing=1.0)
    with pytest.raises(
        FileExistsError, match=r"with other settings \(steps\.crop\.transform\.step_mm: 0.0 before, 4.0 now\)"
    ):
        prepare(hearts, tmp_path / "set", crop=finer)
    count = len(AortaPatchDataset(tmp_path / "set"))
    prepare(hearts, tmp_path / "set", crop=finer, overwrite=True)
    assert count / 5 < len(AortaPatchDataset(tmp_path / "set")) < count / 3


def test_other_subjects_need_another_folder_or_a_word(hearts, tmp_path, write_tube):
    prepare(hearts, tmp_path / "set")
    (hearts / "s0.nii.gz").rename(hearts / "s9.nii.gz")
    with pytest.raises(FileExistsError, match=r"1 subjects that the data list does not name \(s0\)"):
        prepare(hearts, tmp_path / "set")
    prepare(hearts, tmp_path / "set", overwrite=True)


def test_nobody_changes_sides_when_the_set_grows(hearts, tmp_path, write_tube):
    for seed in range(2, 5):
        write_tube(f"s{seed}.nii.gz", seed, hearts)
    before = {entry.subject: entry.split for entry in prepare(hearts, tmp_path / "set", seed=3)}
    for seed in range(5, 9):
        write_tube(f"a{seed}.nii.gz", seed, hearts)
    after = {entry.subject: entry.split for entry in prepare(hearts, tmp_path / "set", seed=3)}
    assert {name: after[name] for name in before} == before
    assert sorted(after.values()).count("train") == 7  # of nine: four fifths


@pytest.mark.parametrize("jitter", [0.0, 5.0])
def test_the_patches_are_the_same_bytes_for_any_number_of_workers(hearts, tmp_path, write_tube, jitter):
    write_tube("s2.nii.gz", 2, hearts)
    crop = CropAortaPatchesd("image", jitter_mm=jitter, spacing=1.0)
    for workers in (1, 2):
        prepare(hearts, tmp_path / str(workers), workers=workers, crop=crop)
    one, two = (bytes_of(tmp_path / str(workers)) for workers in (1, 2))
    assert one.keys() == two.keys()
    assert len([name for name in one if name.endswith("patches.npy")]) == 3
    assert one == two


def test_the_provenance_tells_inputs_settings_versions_and_drops(hearts, tmp_path):
    import hashlib

    (hearts / "broken.nii.gz").write_bytes(b"no image")
    prepare(hearts, tmp_path / "set")
    told = json.loads((tmp_path / "set" / "provenance.json").read_text())
    volumes = {entry["subject"]: entry for entry in told["volumes"]}
    content = (hearts / "s0.nii.gz").read_bytes()
    assert volumes["s0"]["inputs"]["image"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert volumes["s0"]["inputs"]["image"]["size"] == len(content)
    assert "cannot be read" in volumes["broken"]["reason"]
    assert told["settings"]["steps"]["crop"]["transform"]["spacing"] == 1.0
    assert told["versions"]["numpy"] == np.__version__


def written(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_the_same_row_twice_counts_once(hearts, tmp_path):
    rows = [["image", "subject"], ["s0.nii.gz", "ann"], ["s0.nii.gz", "ann"], ["s1.nii.gz", "bob"]]
    entries = prepare(written(hearts / "list.csv", rows), tmp_path / "set")
    assert [entry.status for entry in entries] == ["kept", "excluded", "kept"]
    assert entries[1].reason.endswith("s0.nii.gz: the same image of the same subject in another row.")
    assert len(AortaPatchDataset(tmp_path / "set")) == entries[0].patches + entries[2].patches


def test_a_subject_in_two_splits_is_refused(hearts, tmp_path, write_tube):
    write_tube("s2.nii.gz", 2, hearts)
    rows = [
        ["image", "subject", "split"],
        ["s0.nii.gz", "ann", "test"],
        ["s1.nii.gz", "ann", "train"],
        ["s2.nii.gz", "bob", "test"],
    ]
    with pytest.raises(
        ValueError, match=r"the data list has ann in 'test' and in 'train': expected one split for all volumes"
    ):
        prepare(written(hearts / "list.csv", rows), tmp_path / "set")


def test_the_same_image_twice_of_one_subject_counts_once(hearts, tmp_path):
    (hearts / "copy.nii.gz").write_bytes((hearts / "s0.nii.gz").read_bytes())
    rows = [["image", "subject"], ["s0.nii.gz", "ann"], ["copy.nii.gz", "ann"], ["s1.nii.gz", "bob"]]
    with (hearts / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    entries = prepare(hearts / "list.csv", tmp_path / "set")
    assert [entry.status for entry in entries] == ["kept", "excluded", "kept"]
    assert entries[1].reason.endswith(f"the same image of the same subject as {hearts / 's0.nii.gz'}.")


def test_an_image_in_two_formats_counts_once(hearts, tmp_path):
    nibabel.save(nibabel.load(hearts / "s0.nii.gz"), hearts / "s0.nii")
    entries = {Path(entry.image).name: entry for entry in prepare(hearts, tmp_path / "set")}
    assert {name: entry.status for name, entry in entries.items()} == {
        "s0.nii": "kept",
        "s0.nii.gz": "excluded",
        "s1.nii.gz": "kept",
    }
    count = entries["s0.nii"].patches + entries["s1.nii.gz"].patches
    assert len(AortaPatchDataset(tmp_path / "set")) == count


@pytest.mark.parametrize("key", [None, "key"])
def test_a_name_in_two_forms_of_its_letters_is_one_subject(hearts, tmp_path, key):
    names = ["M\u00fcller", "Mu\u0308ller "]
    records = [{"image": str(hearts / f"s{place}.nii.gz"), "subject": name} for place, name in enumerate(names)]
    made = PreparePatchSet(records, str(tmp_path / "set"), subject_key=key and str(tmp_path / key))
    assert len({record["subject"] for record in made.records}) == 1


def test_a_full_disk_ends_the_run_with_what_is_done_and_it_goes_on(hearts, tmp_path, write_tube, monkeypatch):
    write_tube("s2.nii.gz", 2, hearts)
    whole = prepare(hearts, tmp_path / "whole")
    save, calls = np.save, []

    def filling_up(path, array):
        calls.append(path)
        if len(calls) > 4:  # in the middle of the second volume's arrays
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(path, array)

    with monkeypatch.context() as patched:
        patched.setattr(np, "save", filling_up)
        with pytest.raises(
            OSError, match=r"cannot be written \(No space left on device\); 1 of 3 volumes are ready and kept"
        ):
            prepare(hearts, tmp_path / "set")
    assert len(list((tmp_path / "set" / "volumes").iterdir())) == 1
    assert not (tmp_path / "set" / "manifest.json").exists()
    assert prepare(hearts, tmp_path / "set") == whole
    assert bytes_of(tmp_path / "set" / "volumes") == bytes_of(tmp_path / "whole" / "volumes")


def test_a_file_that_cannot_be_opened_is_tried_again_next_time(hearts, tmp_path, monkeypatch):
    link = hearts / "away.nii.gz"
    link.symlink_to(tmp_path / "nowhere.nii.gz")
    entries = {entry.subject: entry for entry in prepare(hearts, tmp_path / "set")}
    assert "away.nii.gz: cannot be read (No such file or directory); check the path" in entries["away"].reason
    (tmp_path / "nowhere.nii.gz").write_bytes((hearts / "s1.nii.gz").read_bytes())
    entries = {entry.subject: entry for entry in prepare(hearts, tmp_path / "set")}
    assert entries["away"].status == "kept"


def test_corrections_redo_only_their_volumes(tmp_path, tube):
    """Two tubes in each volume; the right one is the aorta of one of them."""
    for seed in range(3):
        volumes = [
            tube((90, 90, 30), (1.5, 1.5, 3.0), lambda z, x=x: np.stack([x + 0 * z, 60 + 0 * z]), 24.0, seed=seed)
            for x in (35.0, 95.0)
        ]
        (tmp_path / "hearts").mkdir(exist_ok=True)
        image = nibabel.Nifti1Image(np.maximum(*volumes), np.diag([1.5, 1.5, 3.0, 1.0]))
        nibabel.save(image, tmp_path / "hearts" / f"s{seed}.nii.gz")
    before = prepare(tmp_path / "hearts", tmp_path / "set", sheet=True)
    times = times_of(tmp_path / "set")
    (tmp_path / "corrections.csv").write_text("subject,x,y,z,image\ns1,95.0,60.0,45.0,s1.nii.gz\ns2,,,,\n")
    after = prepare(tmp_path / "hearts", tmp_path / "set", sheet=True, corrections=str(tmp_path / "corrections.csv"))
    assert [entry.status for entry in after] == ["kept", "kept", "excluded"]
    assert after[2].reason.endswith("excluded by a correction.")
    assert before[0].key == after[0].key
    again = times_of(tmp_path / "set")
    kept = f"volumes/{before[0].key}/patches.npy"
    assert again[kept] == times[kept]
    item = AortaPatchDataset(tmp_path / "set")[-1]["image"]
    place = item.affine.numpy() @ [item.meta[PatchColumn.CENTRE_X], item.meta[PatchColumn.CENTRE_Y], 0, 1]
    np.testing.assert_allclose(place[:2], [95, 60], atol=0.6)


def test_corrections_trim_the_ends_of_one_track(hearts, tmp_path):
    before = prepare(hearts, tmp_path / "set")
    (tmp_path / "corrections.csv").write_text("subject,x,y,z,bottom,top\ns1,,,,20.5,60.5\n")
    after = prepare(hearts, tmp_path / "set", corrections=str(tmp_path / "corrections.csv"))
    assert [entry.key == earlier.key for entry, earlier in zip(after, before, strict=True)].count(False) == 1
    (key,) = (entry.key for entry in after if entry.subject == "s1")
    heights = [
        patch.affine[2, 3].item()
        for patch in (item["image"] for item in AortaPatchDataset(tmp_path / "set"))
        if patch.meta[Field.VOLUME] == key
    ]
    assert min(heights) >= 20
    assert max(heights) <= 62
    assert len(heights) < next(entry.patches for entry in before if entry.subject == "s1")


def test_names_appear_nowhere_when_a_key_is_given(hearts, tmp_path, caplog, write_tube):
    hearts = hearts.rename(tmp_path / "MuellerClinic")
    (hearts / "s0.nii.gz").rename(hearts / "Ann_Mueller.nii.gz")
    (hearts / "s1.nii.gz").rename(hearts / "Bob_Smith.nii.gz")
    (hearts / "Eve_Stone.nii.gz").write_bytes(b"no image")
    write_tube("Dan_Noise.nii.gz", 5, hearts, noise=400.0)
    with caplog.at_level(logging.DEBUG, logger="monai_cardiac_gan"):
        entries = prepare(hearts, tmp_path / "set", sheet=True, figures=True, subject_key=str(tmp_path / "key"))
    assert [entry.status for entry in entries] == ["kept", "kept", "excluded", "excluded"]
    written = b"".join(bytes_of(tmp_path / "set").values()) + caplog.text.encode()
    written += "".join(bytes_of(tmp_path / "set")).encode()
    for name in (b"Mueller", b"Bob_Smith", b"Eve_Stone", b"Dan_Noise"):
        assert name not in written
    subjects = {entry.subject for entry in entries}
    assert len(subjects) == 4
    assert all(subject.startswith("subject_") for subject in subjects)
    again = prepare(hearts, tmp_path / "set", sheet=True, figures=True, subject_key=str(tmp_path / "key"))
    assert again == entries


DYING_STEP = """
import os
import pathlib

from monai_cardiac_gan.transforms import ScaleByPercentilesd


class KillOnce:
    # ends its process without a word for one subject, the first times that it sees it

    def __init__(self, subject, note, times=1):
        self.subject, self.note, self.times = subject, str(note), times

    def __call__(self, record):
        note = pathlib.Path(self.note)
        died = int(note.read_text()) if note.exists() else 0
        if record["subject"] == self.subject and died < self.times:
            note.write_text(str(died + 1))
            os._exit(9)
        return ScaleByPercentilesd("image")(record)
"""


@pytest.fixture
def kill_once(tmp_path, monkeypatch):
    """A step in a module of its own, so that other processes can import it."""
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "dying_step.py").write_text(DYING_STEP)
    monkeypatch.syspath_prepend(str(tmp_path / "steps"))
    monkeypatch.delitem(sys.modules, "dying_step", raising=False)
    return importlib.import_module("dying_step").KillOnce


def test_a_process_that_dies_costs_its_volume_once(hearts, tmp_path, write_tube, kill_once):
    """The second volume kills its process on the first attempt."""
    write_tube("s2.nii.gz", 2, hearts)
    entries = prepare(hearts, tmp_path / "set", workers=2, scale=kill_once("s1", tmp_path / "died"))
    assert [entry.status for entry in entries] == ["kept"] * 3
    assert (tmp_path / "died").read_text() == "1"


def test_a_volume_that_always_kills_its_process_is_left_out(hearts, tmp_path, write_tube, kill_once):
    write_tube("s2.nii.gz", 2, hearts)
    entries = prepare(hearts, tmp_path / "set", workers=2, scale=kill_once("s1", tmp_path / "died", times=99))
    assert [entry.status for entry in entries] == ["kept", "excluded", "kept"]
    assert "the process that worked on it died 2 times, alone; was it out of memory?" in entries[1].reason


def test_odd_numbers_of_workers_are_refused(hearts, tmp_path):
    with pytest.raises(ValueError, match="workers is 0: expected at least 1, or None for all cores"):
        prepare(hearts, tmp_path / "set", workers=0)


def test_each_kept_volume_gets_a_figure_when_asked(hearts, tmp_path):
    entries = prepare(hearts, tmp_path / "set", figures=True)
    for entry in entries:
        assert (tmp_path / "set" / entry.figure).stat().st_size > 10_000


@pytest.mark.realdata
def test_real_volumes_give_patches_with_the_aorta_inside(real_hearts, tmp_path):
    records = read_datalist(real_hearts / "images")
    chosen = [record for record in records if record["subject"] in ("la_005", "la_016", "la_026")]
    PreparePatchSet(chosen, str(tmp_path / "set")).run()
    manifest = read_manifest(tmp_path / "set")
    assert manifest.identical_subjects == [["la_005", "la_026"]]
    assert all(entry.status == "kept" and entry.patches > 150 for entry in manifest.volumes)
    dataset = AortaPatchDataset(tmp_path / "set", limit=12)
    padded = [item["image"].meta[PatchColumn.PADDED] for item in dataset if item["subject"] == "la_016"]
    assert min(padded) > 0  # its field of view is narrower than a patch
    for item in dataset:
        assert item["image"][0, 64, 64] > item["image"][0].median()


@pytest.mark.parametrize("name", ["overwrite", "strict", "figures", "use_labels", "sheet"])
def test_a_switch_is_true_or_false(tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} is 'false': expected True or False"):
        PreparePatchSet([], str(tmp_path / "set"), **{name: "false"})
