import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_cardiac_gan.inferers import DiscMasks, LabelMasks, disc_mask
from monai_cardiac_gan.keys import Field, PatchColumn

SIDE = 64


def image(centre=(30.0, 34.0), diameter=18.0, pixel_mm=1.0, meta=None, corner=(0.0, 0.0, 5.0)):
    rows, columns = np.ogrid[:SIDE, :SIDE]
    disc = np.clip(diameter / pixel_mm / 2 + 0.5 - np.hypot(rows - centre[0], columns - centre[1]), 0, 1)
    affine = np.diag([pixel_mm, pixel_mm, 1.0, 1.0])
    affine[:3, 3] = corner
    return MetaTensor(torch.tensor(disc * 1.6 - 0.8, dtype=torch.float32)[None], affine=affine, meta=meta or {})


def found(centre, diameter, pixel_mm):
    return {
        PatchColumn.CENTRE_X: centre[0] * pixel_mm,
        PatchColumn.CENTRE_Y: centre[1] * pixel_mm,
        PatchColumn.DIAMETER: diameter,
    }


@pytest.mark.parametrize("pixel_mm", [1.0, 0.8])
def test_a_disc_lies_where_the_aorta_was_found_in_the_volume(pixel_mm):
    batch = {Field.IMAGE: [image(), image(pixel_mm=pixel_mm, meta=found((28.0, 36.0), 16.0, pixel_mm))]}
    masks = DiscMasks(margin_mm=4.0)(batch)
    assert masks.shape == (2, 1, SIDE, SIDE)
    expected = disc_mask((28.0, 36.0), 16.0 / pixel_mm, 4.0 / pixel_mm, (SIDE, SIDE))
    assert torch.equal(masks[1, 0], expected)


def test_without_metadata_the_aorta_is_found_in_the_patch():
    mask = DiscMasks(margin_mm=2.0)({Field.IMAGE: [image()]})[0, 0]
    rows, columns = np.nonzero(mask.numpy())
    assert (rows.mean(), columns.mean()) == pytest.approx((30.0, 34.0), abs=0.5)
    assert mask.sum().item() == pytest.approx(np.pi * 11**2, rel=0.08)


def test_a_patch_without_an_aorta_is_refused():
    with pytest.raises(ValueError, match="no aorta is found in a patch and its metadata names none"):
        DiscMasks()({Field.IMAGE: [torch.zeros(1, SIDE, SIDE)]})


@pytest.fixture
def labels(tmp_path):
    """A cylinder of the label 7 and one of the label 52, 2 mm voxels, in LPS order."""
    x, y, _ = np.meshgrid(*(2.0 * np.arange(size) for size in (40, 40, 10)), indexing="ij")
    values = np.zeros(x.shape, dtype=np.int16)
    values[np.hypot(x - 40, y - 44) <= 10] = 52
    values[np.hypot(x - 60, y - 20) <= 6] = 7
    volume = nibabel.Nifti1Image(
        values[::-1, ::-1], np.array([[-2.0, 0, 0, 78], [0, -2.0, 0, 78], [0, 0, 2, 0], [0, 0, 0, 1]])
    )
    nibabel.save(volume, tmp_path / "a.nii.gz")
    return tmp_path


def batch_of(image, subject="a"):
    return {Field.IMAGE: [image], Field.SUBJECT: [subject]}


def test_labels_are_hidden_where_the_patch_lies_in_the_volume(labels):
    mask = LabelMasks(str(labels), [52], margin=0)(batch_of(image(corner=(10.0, 8.0, 6.0))))[0, 0]
    rows, columns = np.nonzero(mask.numpy())
    assert (rows.mean() + 10, columns.mean() + 8) == pytest.approx((40, 44), abs=0.6)
    assert mask.sum().item() == pytest.approx(np.pi * 10**2, rel=0.12)
    wider = LabelMasks(str(labels), [52], margin=3)(batch_of(image(corner=(10.0, 8.0, 6.0))))[0, 0]
    assert bool((wider | ~mask).all())
    assert wider.any(0).sum() - mask.any(0).sum() == 6


@pytest.mark.parametrize("height", [-1.0, 0.0, 18.0, 19.0])
def test_a_voxel_of_a_label_map_reaches_half_a_step_beyond_its_centre(labels, height):
    """Ten slices of 2 mm: from -1 to 19 mm."""
    masks = LabelMasks(str(labels), [52], margin=0)
    inside = masks(batch_of(image(corner=(10.0, 8.0, 8.0))))
    assert torch.equal(masks(batch_of(image(corner=(10.0, 8.0, height)))), inside)
    with pytest.raises(ValueError, match="hides 0 of 4096 pixels"):
        masks(batch_of(image(corner=(10.0, 8.0, -1.1 if height < 9 else 19.1))))


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        (batch_of(image(), "b"), FileNotFoundError, r"holds no label map of b: expected b\.nii\.gz"),
        (batch_of(torch.zeros(1, SIDE, SIDE)), ValueError, "a: a patch without an affine"),
        (batch_of(image(corner=(500.0, 0.0, 0.0))), ValueError, r"a: the labels \[52\]: hides 0 of 4096 pixels"),
    ],
)
def test_patches_without_labels_are_refused(labels, batch, error, message):
    with pytest.raises(error, match=message):
        LabelMasks(str(labels), [52])(batch)
