import numpy as np
import pytest
import torch

from monai_cardiac_gan.data import AortaPatchDataset, merge_patch_sets, pack_patches, read_manifest, unpack_patches
from monai_cardiac_gan.data.manifest import Manifest
from monai_cardiac_gan.data.volume_identity import volume_fingerprint
from monai_cardiac_gan.keys import PatchColumn

COLUMNS = {
    PatchColumn.SLICE: 0,
    PatchColumn.CENTRE_X: 64.0,
    PatchColumn.CENTRE_Y: 64.0,
    PatchColumn.DIAMETER: 24.0,
    PatchColumn.CONFIDENCE: 1.0,
    PatchColumn.PADDED: 0.0,
}


@pytest.fixture
def write_set(tmp_path, patch_set_maker):
    """A set of volumes with two patches each; `people` says the split and the digest of each."""

    def write(name, people, pixel=1.0, settings="", looks=None):
        maker = patch_set_maker(tmp_path / name)
        source = np.random.default_rng([*name.encode()])
        for number, (subject, (split, digest)) in enumerate(people.items()):
            patches = [source.uniform(-1, 1, (128, 128)) for _ in range(2)]
            affines = [np.diag([pixel, pixel, 2.0, 1.0])] * 2
            maker.add(subject, patches, affines, [COLUMNS] * 2, split, key=f"{name}_{number}", digest=digest)
            if looks is not None:
                np.save(maker.store.volume(f"{name}_{number}") / "fingerprint.npy", volume_fingerprint(looks))
        maker.store.finish(Manifest(maker.entries, settings=settings))
        return maker.store.folder

    return write


def test_merged_sets_have_all_patches_with_their_split(write_set, tmp_path):
    one = write_set("one", {"ann": ("train", "1"), "bob": ("test", "2")})
    other = write_set("other", {"eve": ("train", "3"), "dan": ("test", "4")})
    merge_patch_sets([one, other], tmp_path / "both")
    both = AortaPatchDataset(tmp_path / "both")
    assert both.subjects() == [*["ann"] * 2, *["bob"] * 2, *["eve"] * 2, *["dan"] * 2]
    parts = [AortaPatchDataset(folder).all_patches() for folder in (one, other)]
    assert torch.equal(both.all_patches(), torch.cat(parts))
    manifest = read_manifest(tmp_path / "both")
    assert [entry.split for entry in manifest.volumes] == ["train", "test", "train", "test"]
    assert manifest.identical_subjects == []


def test_a_common_subject_is_refused_in_either_form_of_its_letters(write_set, tmp_path):
    one = write_set("one", {"M\u00fcller": ("train", "1")})
    other = write_set("other", {"Mu\u0308ller": ("train", "2")})
    for pair in ([one, one], [one, other]):
        with pytest.raises(ValueError, match=r"\['M\u00fcller'\] are in several patch sets"):
            merge_patch_sets(pair, tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_one_image_under_two_names_on_both_sides_is_refused(write_set, tmp_path):
    one = write_set("one", {"ann": ("train", "same"), "bob": ("test", "2")})
    other = write_set("other", {"site2_007": ("test", "same"), "eve": ("train", "3")})
    with pytest.raises(ValueError, match=r"ann \(train\), site2_007 \(test\) share an image or nearly the same one"):
        merge_patch_sets([one, other], tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_one_image_under_two_names_on_one_side_is_told(write_set, tmp_path, caplog):
    one = write_set("one", {"ann": ("train", "same"), "bob": ("test", "2")})
    other = write_set("other", {"eve": ("train", "same"), "dan": ("test", None), "kim": ("train", None)})
    merge_patch_sets([one, other], tmp_path / "both")
    assert read_manifest(tmp_path / "both").identical_subjects == [["ann", "eve"]]
    assert "ann, eve share an image or nearly the same one" in caplog.text


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_changed_copy_under_another_name_on_the_other_side_is_refused(write_set, tmp_path, is_packed):
    volume = np.random.default_rng(0).random((24, 24, 24))
    one = write_set("one", {"ann": ("train", "1")}, looks=volume)
    other = write_set("other", {"eve": ("test", "2")}, looks=3 * volume + 7)
    if is_packed:
        pack_patches(one, tmp_path / "packed.zip")
        one = unpack_patches(tmp_path / "packed.zip", tmp_path / "unpacked").parent
    with pytest.raises(ValueError, match=r"ann \(train\), eve \(test\) share an image or nearly the same one"):
        merge_patch_sets([one, other], tmp_path / "both")


def test_who_is_whom_is_known_after_a_second_merge(write_set, tmp_path):
    volume = np.random.default_rng(0).random((24, 24, 24))
    parts = [write_set(name, {name: ("train", name)}, looks=scale * volume) for name, scale in (("ann", 1), ("eve", 2))]
    merge_patch_sets(parts, tmp_path / "two")
    (pair,) = read_manifest(tmp_path / "two").nearly_identical_images
    assert (pair.subjects, pair.images) == (["ann", "eve"], ["ann.nii.gz", "eve.nii.gz"])
    assert pair.cosine == pytest.approx(1, abs=1e-5)
    merge_patch_sets([tmp_path / "two", write_set("dan", {"dan": ("train", "dan")}, looks=volume)], tmp_path / "three")
    assert read_manifest(tmp_path / "three").identical_subjects == [["ann", "dan", "eve"]]


def test_pixels_of_two_sizes_are_refused(write_set, tmp_path):
    fine, coarse = (write_set(name, {name: ("train", name)}, pixel) for name, pixel in (("ann", 1.0), ("eve", 2.0)))
    message = (
        r"pixels of several sizes \(.*ann: 1 to 1 mm, .*eve: 2 to 2 mm\): expected one; prepare them with the same"
    )
    with pytest.raises(ValueError, match=message):
        merge_patch_sets([fine, coarse], tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_sets_of_other_settings_are_merged_with_a_warning(write_set, tmp_path, caplog):
    one, other = (write_set(name, {name: ("train", name)}, settings=name) for name in ("ann", "eve"))
    merge_patch_sets([one, other], tmp_path / "both")
    assert "2 patch sets that were prepared with 2 settings become one" in caplog.text


def test_a_merge_does_not_replace_another_set_unasked(write_set, tmp_path):
    one, other, used = (write_set(name, {name: ("train", name)}) for name in ("ann", "eve", "zoe"))
    (used / "provenance.json").write_text("{}")
    with pytest.raises(FileExistsError, match=r"holds a patch set of other volumes or with another split \(zoe\)"):
        merge_patch_sets([one, other], used)
    assert [entry.subject for entry in read_manifest(used).volumes] == ["zoe"]
    merge_patch_sets([one, other], used, overwrite=True)
    assert [entry.subject for entry in read_manifest(used).volumes] == ["ann", "eve"]
    assert sorted(path.name for path in (used / "volumes").iterdir()) == ["ann_0", "eve_0"]
    assert not (used / "provenance.json").exists()
    merge_patch_sets([one, other], used)  # the same again


def test_a_damaged_set_is_replaced_when_asked(write_set, tmp_path):
    one, used = (write_set(name, {name: ("train", name)}) for name in ("ann", "zoe"))
    (used / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match=r"manifest\.json: is damaged"):
        merge_patch_sets([one], used)
    merge_patch_sets([one], used, overwrite=True)
    assert [entry.subject for entry in read_manifest(used).volumes] == ["ann"]
