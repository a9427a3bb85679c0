import dataclasses
import re

import nibabel
import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor
from monai.transforms import Orientation

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import Manifest, PatchRow, PatchStore, VolumeEntry
from monai_cardiac_gan.inferers import PatchOrigin
from monai_cardiac_gan.reporting import SaveInpaintedVolumes
from monai_cardiac_gan.transforms import CropAortaPatches, DigestVolume, VolumePainter

SIDE = 40
AFFINE = np.array([[-1.0, 0, 0, 30], [0, -1.0, 0, 20], [0, 0, 1.5, -9], [0, 0, 0, 1]])
MASK = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.bool)
MASK[..., 12:25, 15:28] = True


@dataclasses.dataclass
class Patch:
    """What the handler reads of a patch: everything hidden is painted 0.5 brighter."""

    acquired: torch.Tensor
    origin: PatchOrigin
    mask: torch.Tensor = MASK[0]

    @property
    def expected(self):
        return torch.where(self.mask, self.acquired + 0.5, self.acquired)


def smooth(seed):
    axes = np.meshgrid(*(np.arange(size) for size in (60, 60, 12)), indexing="ij")
    return (200 + 50 * np.sin(axes[0] / 9 + seed) + 30 * np.cos(axes[1] / 11) + 4 * axes[2]).astype(np.float32)


def ras(values):
    volume = MetaTensor(torch.tensor(values)[None], affine=torch.tensor(AFFINE))
    return Orientation("RAS", labels=(("L", "R"), ("P", "A"), ("I", "S")))(volume)


def patch_of(values, level):
    return CropAortaPatches(size=SIDE)(
        ras((values - 200) / 140), AortaTrack([level], [[30.0, 30.0]], [20.0], [1.0], 1.0)
    )[0]


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "images").mkdir()
    entries = []
    for seed, subject in enumerate(("a", "b")):
        nibabel.save(nibabel.Nifti1Image(smooth(seed), AFFINE), tmp_path / "images" / f"{subject}.nii.gz")
        entries.append(VolumeEntry(subject, f"{subject}.nii.gz", "kept", key=f"key_{subject}"))
    PatchStore(tmp_path / "set").finish(Manifest(entries))
    return tmp_path


def run(folders, rows, images="images"):
    """Batches of (volume, level) through the handler."""
    handler = SaveInpaintedVolumes(str(folders / "out"), str(folders / "set"), str(folders / images))

    def cut(name, level):
        image = patch_of(smooth("ab".index(name)), level)
        origin = PatchOrigin(name, f"key_{name}", level, affine=np.asarray(image.affine))
        return Patch(image.as_tensor(), origin)

    engine = Engine(lambda engine, batch: {"result": [cut(*row) for row in batch]})
    handler.attach(engine)
    engine.run(rows)


def test_each_volume_comes_back_with_what_was_painted_and_nothing_else_changed(folders):
    run(folders, [[("a", 3), ("a", 7)], [("a", 8), ("b", 5)]])
    names = {path.name for path in (folders / "out").iterdir()}
    assert names == {f"{subject}_{name}.nii.gz" for subject in "ab" for name in ("expected", "painted")} | {
        "painted.ctbl"
    }
    for subject, levels in (("a", [3, 7, 8]), ("b", [5])):
        acquired = nibabel.load(folders / "images" / f"{subject}.nii.gz")
        expected, painted = (
            nibabel.load(folders / "out" / f"{subject}_{name}.nii.gz") for name in ("expected", "painted")
        )
        for image in (expected, painted):
            np.testing.assert_array_equal(image.affine, acquired.affine)
        mask = np.asarray(painted.dataobj) == 1
        assert np.nonzero(mask.any((0, 1)))[0].tolist() == levels
        assert mask.sum() == len(levels) * 13 * 13
        difference = expected.get_fdata() - acquired.get_fdata()
        np.testing.assert_array_equal(difference[~mask], 0)
        np.testing.assert_allclose(difference[mask], 70, atol=0.5)  # 0.5 of a patch's brightness is 70 of the volume's


def test_a_second_run_replaces_the_first(folders):
    run(folders, [[("a", 3)]])
    run(folders, [[("a", 7)]])
    mask = np.asarray(nibabel.load(folders / "out" / "a_painted.nii.gz").dataobj)
    assert np.nonzero(mask.any((0, 1)))[0].tolist() == [7]


def test_volumes_that_are_gone_are_told_before_the_search(folders):
    with pytest.raises(
        FileNotFoundError, match=r"not one of its volumes is there .*nowhere/a\.nii\.gz.*name the folder"
    ):
        run(folders, [[("a", 3)]], images="nowhere")


def test_a_volume_that_is_gone_does_not_end_the_run(folders, caplog):
    (folders / "images" / "a.nii.gz").unlink()
    run(folders, [[("a", 3), ("a", 4), ("b", 5)]])
    assert sorted(path.name for path in (folders / "out").iterdir()) == [
        "b_expected.nii.gz",
        "b_painted.nii.gz",
        "painted.ctbl",
    ]
    assert re.search(r"a, slice 3: its volume is at none of .*images/a\.nii\.gz.*name the folder", caplog.text)
    assert "2 patches could not go back into their volumes" in caplog.text


def test_other_voxels_under_the_same_name_are_not_painted(folders, caplog):
    """Such as those of another person whose file has the same name, in another folder."""
    digest = {name: DigestVolume()(ras(smooth(seed))) for seed, name in enumerate("ab")}
    entries = [
        VolumeEntry(name, f"site/{name}.nii.gz", "kept", key=f"key_{name}", digest=digest[name]) for name in "ab"
    ]
    PatchStore(folders / "set").finish(Manifest(entries))
    nibabel.save(nibabel.Nifti1Image(smooth(2), AFFINE), folders / "images" / "a.nii.gz")
    run(folders, [[("a", 3), ("b", 5)]])
    assert sorted(path.name for path in (folders / "out").iterdir()) == [
        "b_expected.nii.gz",
        "b_painted.nii.gz",
        "painted.ctbl",
    ]
    assert re.search(
        r"a, slice 3: .*a\.nii\.gz.*holds other voxels than those that the patches were cut from", caplog.text
    )


@pytest.mark.parametrize(
    ("change", "shift"),
    [
        (lambda affine: affine + np.pad([[10.0]], ((2, 1), (3, 0))), 10),
        (lambda affine: affine @ np.diag([1, 1, 1 / 1.5, 1]), 5.5),
    ],
)
def test_a_volume_that_lies_elsewhere_now_is_not_painted(folders, caplog, change, shift):
    """Moved by 10 mm; of slices of 1 mm instead of 1.5 mm, the twelfth of which is 11 * 0.5 mm away."""
    entries = [
        VolumeEntry(
            name,
            f"{name}.nii.gz",
            "kept",
            key=f"key_{name}",
            digest=DigestVolume()(ras(smooth(seed))),
            affine=np.asarray(ras(smooth(seed)).affine).tolist(),
        )
        for seed, name in enumerate("ab")
    ]
    PatchStore(folders / "set").finish(Manifest(entries))
    nibabel.save(nibabel.Nifti1Image(smooth(0), change(AFFINE)), folders / "images" / "a.nii.gz")
    run(folders, [[("a", 3), ("b", 5)]])
    assert sorted(path.name for path in (folders / "out").iterdir()) == [
        "b_expected.nii.gz",
        "b_painted.nii.gz",
        "painted.ctbl",
    ]
    assert re.search(rf"a, slice 3: .*a\.nii\.gz: lies up to {shift} mm from where it lay when", caplog.text)


def test_patches_that_come_back_later_are_not_painted(folders, caplog):
    run(folders, [[("a", 3), ("b", 4), ("a", 5)]])
    painted = np.asarray(nibabel.load(folders / "out" / "a_painted.nii.gz").dataobj)
    assert np.nonzero(painted.any((0, 1)))[0].tolist() == [3]
    assert "a, slice 5: the patches of this volume are not in a row; leave the data loader unshuffled" in caplog.text


def test_one_patch_that_fails_leaves_the_others(folders, caplog, monkeypatch):
    add = VolumePainter.add

    def fail_on_level_4(self, patch, inpainted, mask):
        if round((float(patch.affine[2, 3]) - AFFINE[2, 3]) / AFFINE[2, 2]) == 4:
            raise ValueError("no voxel")
        add(self, patch, inpainted, mask)

    monkeypatch.setattr(VolumePainter, "add", fail_on_level_4)
    run(folders, [[("a", 3), ("a", 4), ("a", 5)]])
    painted = np.asarray(nibabel.load(folders / "out" / "a_painted.nii.gz").dataobj)
    assert np.nonzero(painted.any((0, 1)))[0].tolist() == [3, 5]
    assert "a, slice 4: no voxel" in caplog.text
    assert "1 patches could not go back" in caplog.text


def fail_to_save(monkeypatch, names):
    save = nibabel.save

    def fail(image, path):
        if any(name in str(path) for name in names):
            raise OSError(28, "No space left on device")
        save(image, path)

    monkeypatch.setattr("monai_cardiac_gan.reporting.volume_file.nibabel.save", fail)


def test_a_volume_that_cannot_be_written_leaves_the_others(folders, caplog, monkeypatch):
    fail_to_save(monkeypatch, ["a_painted"])
    run(folders, [[("a", 3), ("a", 4)], [("b", 5), ("b", 6)]])
    painted = np.asarray(nibabel.load(folders / "out" / "b_painted.nii.gz").dataobj)
    assert np.nonzero(painted.any((0, 1)))[0].tolist() == [5, 6]
    assert re.search("a, 2 patches: the volume cannot be written: .*No space left on device", caplog.text)
    assert "2 patches could not go back" in caplog.text


def test_when_no_volume_can_be_written_it_is_told_at_the_end(folders, monkeypatch):
    fail_to_save(monkeypatch, ["expected"])
    with pytest.raises(
        ValueError, match="not one patch could go back into its volume; the first: a, 1 patches: the volume"
    ):
        run(folders, [[("a", 3), ("b", 5)]])


@pytest.mark.parametrize(
    ("levels", "painted"),
    [
        ((3, 6, 9), range(2, 11)),  # 4.5 mm apart: half way, 2.25 mm, is reached by one of the two
        ((2, 4, 7, 9), range(1, 11)),  # of the step of 3 mm one slice was skipped: no gap
        ((1, 2, 3, 8, 9), [1, 2, 3, 8, 9]),  # between 3 and 8 there are no patches
    ],
)
def test_slices_between_the_patches_of_a_set_are_painted_too(folders, levels, painted):
    rows = [PatchRow(level, 0, SIDE, 0, SIDE, 20.0, 20.0, 20.0, 1.0, 0.0, affine=AFFINE) for level in levels]
    store = PatchStore(folders / "set")
    entry = store.add_patches(
        VolumeEntry("a", "a.nii.gz", "kept", key="key_a"), np.zeros((len(rows), SIDE, SIDE)), rows
    )
    store.finish(Manifest([entry]))
    run(folders, [[("a", level) for level in levels]])
    found = np.asarray(nibabel.load(folders / "out" / "a_painted.nii.gz").dataobj)
    assert np.nonzero(found.any((0, 1)))[0].tolist() == list(painted)


@pytest.mark.parametrize(("subject", "stem"), [("site1/001", "site1%2F001"), ("../x", "%2E.%2Fx")])
def test_names_of_subjects_do_not_lead_out_of_the_folder(folders, subject, stem):
    PatchStore(folders / "set").finish(Manifest([VolumeEntry(subject, "a.nii.gz", "kept", key="key_a")]))
    run(folders, [[("a", 3)]])
    names = sorted(str(path.relative_to(folders / "out")) for path in (folders / "out").rglob("*"))
    assert names == sorted([f"{stem}_expected.nii.gz", f"{stem}_painted.nii.gz", "painted.ctbl"])
    assert not list(folders.glob("x_*"))


def test_two_volumes_of_one_subject_come_back_apart(folders):
    entries = [VolumeEntry("ann", f"{name}.nii.gz", "kept", key=f"key_{name}") for name in "ab"]
    PatchStore(folders / "set").finish(Manifest(entries))
    run(folders, [[("a", 3), ("b", 5)]])
    for name, level in (("a", 3), ("b", 5)):
        painted = np.asarray(nibabel.load(folders / "out" / f"ann_key_{name}_painted.nii.gz").dataobj)
        assert np.nonzero(painted.any((0, 1)))[0].tolist() == [level]


@pytest.mark.parametrize("origin", [PatchOrigin("a"), PatchOrigin("a", "other", affine=np.eye(4))])
def test_patches_that_do_not_know_where_they_lie_are_refused(folders, origin):
    handler = SaveInpaintedVolumes(str(folders / "out"), str(folders / "set"), str(folders / "images"))
    engine = Engine(lambda engine, batch: {"result": [Patch(torch.zeros(1, SIDE, SIDE), origin)]})
    handler.attach(engine)
    with pytest.raises(
        ValueError,
        match=r"not one patch .* a, slice -1: a patch without an affine, or of none of the volumes of .*give the",
    ):
        engine.run([0])
