import nibabel
import numpy as np
import pytest
import torch

from monai_cardiac_gan.transforms import LoadVolume, RefuseLabelMap, VolumeError, standard_volume

LABELS = np.zeros((12, 12, 12), dtype=np.int16)
LABELS[3:9, 3:9, 3:9] = 2
VOXELS = np.random.default_rng(0).integers(0, 1000, (12, 12, 12)).astype(np.int16)
AFFINE = np.diag([1.5, 1.5, 3.0, 1.0])


def test_an_image_passes_as_it_is():
    image = torch.as_tensor(VOXELS)[None]
    assert RefuseLabelMap()(image) is image


def test_content_tells_a_label_map(tmp_path):
    nibabel.save(nibabel.Nifti1Image(LABELS, AFFINE), tmp_path / "aorta.nii")
    message = r"aorta\.nii: is a label map \(2 values, and 100% of neighbours in its structures are equal\), expected an image"
    with pytest.raises(VolumeError, match=message):
        RefuseLabelMap()(LoadVolume()(tmp_path / "aorta.nii"))
    with pytest.raises(VolumeError, match="the volume: is a label map"):
        RefuseLabelMap()(torch.as_tensor(LABELS)[None])


def test_headers_tell_a_label_map(tmp_path):
    image = nibabel.Nifti1Image(VOXELS, AFFINE)
    image.header.set_intent("label")
    nibabel.save(image, tmp_path / "a.nii")
    with pytest.raises(VolumeError, match=r"a\.nii: is a label map \(its header has the intent code 1002\)"):
        RefuseLabelMap()(LoadVolume()(tmp_path / "a.nii"))
    header = (
        "NRRD0004\ntype: int16\ndimension: 3\nspace: left-posterior-superior\nsizes: 12 12 12\nspace directions: (1,0,0) (0,1,0) "
        "(0,0,1)\nspace origin: (0,0,0)\nendian: little\nencoding: raw\nSegment0_ID:=Segment_1\n\n"
    )
    (tmp_path / "a.nrrd").write_bytes(header.encode() + VOXELS.tobytes())
    with pytest.raises(VolumeError, match=r"a\.nrrd: is a label map \(its header names segments\)"):
        RefuseLabelMap()(LoadVolume()(tmp_path / "a.nrrd"))


def test_the_standard_way_refuses_label_maps_as_images_only(tmp_path):
    nibabel.save(nibabel.Nifti1Image(VOXELS, AFFINE), tmp_path / "a.nii")
    nibabel.save(nibabel.Nifti1Image(LABELS, AFFINE), tmp_path / "b.nii")
    record = standard_volume(None)({"image": str(tmp_path / "a.nii"), "label": str(tmp_path / "b.nii")})
    assert record["label"].max() == 2
    with pytest.raises(RuntimeError) as caught:  # MONAI wraps what a transform raises
        standard_volume(None)({"image": str(tmp_path / "b.nii")})
    assert "is a label map" in str(caught.value.__cause__)
