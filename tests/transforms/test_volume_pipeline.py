import nibabel
import numpy as np
import pytest

from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import standard_volume


@pytest.mark.parametrize("spacing", [1.0, 1.3])
def test_any_orientation_comes_out_as_ras_with_cubic_voxels_and_the_same_world(tmp_path, spacing):
    """A linear ramp in scanner space is reproduced exactly by linear interpolation, wherever it is sampled."""
    affine = np.array([[0, -2.0, 0, 30], [0, 0, 1.5, -9], [1.2, 0, 0, 4], [0, 0, 0, 1]])
    index = np.stack(np.meshgrid(*(np.arange(n) for n in (20, 18, 16)), indexing="ij"), -1)
    world = index @ affine[:3, :3].T + affine[:3, 3]
    ramp = world @ [1.0, 10.0, 100.0]
    nibabel.save(nibabel.Nifti1Image(ramp.astype(np.float32), affine), tmp_path / "ramp.nii")
    image = standard_volume(spacing)({Field.IMAGE: tmp_path / "ramp.nii"})[Field.IMAGE]
    assert nibabel.aff2axcodes(image.affine.numpy()) == ("R", "A", "S")
    np.testing.assert_allclose(image.pixdim.numpy(), spacing)
    inner = tuple(slice(2, n - 2) for n in image.shape[1:])
    index = np.stack(np.meshgrid(*(np.arange(n) for n in image.shape[1:]), indexing="ij"), -1)
    expected = (index @ image.affine.numpy()[:3, :3].T + image.affine.numpy()[:3, 3]) @ [1.0, 10.0, 100.0]
    np.testing.assert_allclose(image[0].numpy()[inner], expected[inner], atol=0.2)


def test_one_image_in_two_orientations_has_one_digest(tmp_path):
    voxels = np.random.default_rng(0).normal(size=(6, 7, 8)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "a.nii")
    turned = np.diag([-1.0, 1, 1, 1])
    nibabel.save(nibabel.Nifti1Image(voxels[::-1].copy(), turned), tmp_path / "b.nii")
    digests = [standard_volume()({Field.IMAGE: tmp_path / name})[Field.DIGEST] for name in ("a.nii", "b.nii")]
    assert digests[0] == digests[1]


def test_the_grid_is_that_of_the_file_in_body_axes_whatever_the_spacing(tmp_path):
    """Five voxels of 2 mm from right to left, the first at 30 mm, are five from left to right, the first at 22 mm."""
    voxels = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    affine = np.array([[-2.0, 0, 0, 30], [0, 1.5, 0, -9], [0, 0, 3, 4], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(voxels, affine), tmp_path / "a.nii")
    grid = standard_volume(spacing=1.0)({Field.IMAGE: tmp_path / "a.nii"})[Field.GRID]
    np.testing.assert_allclose(grid, [[2, 0, 0, 22], [0, 1.5, 0, -9], [0, 0, 3, 4], [0, 0, 0, 1]])


def test_a_label_map_takes_the_same_way_with_its_values_kept(tmp_path):
    labels = np.zeros((10, 10, 10), dtype=np.int16)
    labels[3:7] = 5
    noisy = labels + np.random.default_rng(0).integers(0, 100, labels.shape).astype(np.int16)
    for name, voxels in (("image.nii", noisy), ("label.nii", labels)):
        nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.7, 1.7, 1.7, 1])), tmp_path / name)
    record = standard_volume()({Field.IMAGE: tmp_path / "image.nii", Field.LABEL: tmp_path / "label.nii"})
    assert set(np.unique(record[Field.LABEL].numpy())) == {0.0, 5.0}
    assert record[Field.LABEL].shape == record[Field.IMAGE].shape
