import dataclasses

import nibabel
import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor
from monai.transforms import Orientation

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import Manifest, PatchStore, VolumeEntry
from monai_cardiac_gan.inferers import PatchOrigin
from monai_cardiac_gan.reporting import SaveInpaintedVolumes
from monai_cardiac_gan.transforms import CropAortaPatches

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


def patch_of(values, level):
    volume = MetaTensor(torch.tensor((values - 200) / 140)[None], affine=torch.tensor(AFFINE))
    volume = Orientation("RAS", labels=(("L", "R"), ("P", "A"), ("I", "S")))(volume)
    return CropAortaPatches(size=SIDE)(volume, AortaTrack([level], [[30.0, 30.0]], [20.0], [1.0], 1.0))[0]


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
    assert names == {f"{subject}_{name}.nii.gz" for subject in "ab" for name in ("expected", "painted")}
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


def test_volumes_that_are_gone_are_named_with_where_they_were_sought(folders):
    with pytest.raises(FileNotFoundError, match=r"a: its volume is at none of .*nowhere/a\.nii\.gz.*name the folder"):
        run(folders, [[("a", 3)]], images="nowhere")


def test_shuffled_patches_are_refused(folders):
    with pytest.raises(ValueError, match="a: its patches are not in a row; leave the data loader unshuffled"):
        run(folders, [[("a", 3), ("b", 4), ("a", 5)]])


def test_two_volumes_of_one_subject_come_back_apart(folders):
    entries = [VolumeEntry("ann", f"{name}.nii.gz", "kept", key=f"key_{name}") for name in "ab"]
    PatchStore(folders / "set").finish(Manifest(entries))
    run(folders, [[("a", 3), ("b", 5)]])
    for name, level in (("a", 3), ("b", 5)):
        painted = np.asarray(nibabel.load(folders / "out" / f"ann_key_{name}_painted.nii.gz").dataobj)
        assert np.nonzero(painted.any((0, 1)))[0].tolist() == [level]


@pytest.mark.parametrize("origin", [PatchOrigin("a"), PatchOrigin("a", "other", affine=np.eye(4))])
def test_patches_that_do_not_know_where_they_lie_are_refused(folders, origin):
    handler = SaveInpaintedVolumes(str(folders / "out"), str(folders / "set"))
    engine = Engine(lambda engine, batch: {"result": [Patch(torch.zeros(1, SIDE, SIDE), origin)]})
    handler.attach(engine)
    with pytest.raises(
        ValueError, match=r"a: a patch without an affine, or of none of the volumes of .*give the patch set"
    ):
        engine.run([0])
