import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor
from monai.transforms import Orientation, Spacing

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.transforms import CropAortaPatches, paste_patch

SIDE = 40


def smooth_volume(spacing=1.0, shape=(60, 60, 12)):
    """Waves that linear interpolation follows; 100 to 300."""
    axes = np.meshgrid(*(spacing * np.arange(size) for size in shape), indexing="ij")
    values = 200 + 50 * np.sin(axes[0] / 9) + 30 * np.cos(axes[1] / 11) + 20 * np.sin(axes[2] / 7)
    affine = torch.diag(torch.tensor([spacing, spacing, spacing, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([-20.0, 10.0, 5.0])
    return MetaTensor(torch.tensor(values, dtype=torch.float32)[None], affine=affine)


def patch_of(volume, level=5):
    """A patch around the middle, scaled to [-1, 1] as the package's patches are."""
    scaled = (volume - 200) / 110
    track = AortaTrack([level], [[30.0, 30.0]], [20.0], [1.0], 1.0)
    return CropAortaPatches(size=SIDE)(scaled, track)[0]


MASK = torch.zeros(SIDE, SIDE, dtype=torch.bool)
MASK[12:25, 15:28] = True


@given(slope=st.just(0.0) | st.floats(0.01, 0.3) | st.floats(-0.3, -0.01), level=st.integers(0, 11))
@settings(deadline=None, max_examples=15)
def test_on_the_same_grid_the_mask_gets_what_was_painted_and_nothing_else_changes(slope, level):
    volume = smooth_volume()
    patch = patch_of(volume, level)
    painted = torch.where(MASK, patch + slope, patch)
    pasted = paste_patch(volume, patch, painted, MASK)
    expected = volume.clone()
    corner = [round(float(value)) for value in torch.linalg.inv(volume.affine) @ patch.affine[:, 3]][:2]
    rows, columns = (corner[0] + 12, corner[0] + 25), (corner[1] + 15, corner[1] + 28)
    expected[0, rows[0] : rows[1], columns[0] : columns[1], level] += 110 * slope
    torch.testing.assert_close(pasted.as_tensor(), expected.as_tensor(), rtol=0, atol=0.05)
    known = expected.as_tensor() == volume.as_tensor()
    assert torch.equal(pasted.as_tensor()[known], volume.as_tensor()[known]) or slope == 0
    assert torch.equal(pasted.affine, volume.affine)


def test_the_volume_given_stays_as_it_is():
    volume = smooth_volume()
    before = volume.clone()
    patch = patch_of(volume)
    paste_patch(volume, patch, torch.where(MASK, -1.0, patch), MASK)
    assert torch.equal(volume, before)


@pytest.mark.parametrize("axcodes", ["LPS", "SAR", "AIL"])
def test_orientation_does_not_matter(axcodes):
    volume = smooth_volume()
    patch = patch_of(volume)
    painted = torch.where(MASK, -0.9, patch)
    straight = paste_patch(volume, patch, painted, MASK)
    turned = paste_patch(Orientation(axcodes=axcodes, labels=None)(volume), patch, painted, MASK)
    back = Orientation(axcodes="RAS", labels=None)(turned)
    torch.testing.assert_close(back.as_tensor(), straight.as_tensor(), rtol=0, atol=1e-3)


def test_a_volume_of_another_spacing_gets_the_patch_interpolated():
    fine = smooth_volume(0.8, (75, 75, 15))
    grid = Spacing(pixdim=(1.0, 1.0, 1.0), mode="bilinear")(fine)
    patch = patch_of(grid)
    # painting what was there changes next to nothing; the slice is 1 mm, so that one level of 0.8 mm or two are reached
    same = paste_patch(fine, patch, patch, MASK)
    torch.testing.assert_close(same.as_tensor(), fine.as_tensor(), rtol=0, atol=1.5)
    black = paste_patch(fine, patch, torch.where(MASK, -1.0, patch), MASK)
    changed = (black != fine)[0].any(0).any(0)
    assert 1 <= int(changed.sum()) <= 2
    level = int(changed.nonzero()[0])
    z = float((fine.affine @ torch.tensor([0.0, 0, level, 1], dtype=torch.float64))[2])
    assert abs(z - float(patch.affine[2, 3])) <= 0.5
    count = int((black != fine)[0, :, :, level].sum())
    assert count == pytest.approx(13 * 13 / 0.64, rel=0.1)


def test_patches_of_another_volume_are_refused():
    volume = smooth_volume()
    patch = patch_of(volume)
    far = patch.clone()
    far.affine[2, 3] += 500
    with pytest.raises(ValueError, match="no voxel of the volume lies behind the mask: give the volume"):
        paste_patch(volume, far, patch, MASK)


def test_a_patch_without_brightness_is_refused():
    volume = smooth_volume()
    patch = patch_of(volume)
    flat = MetaTensor(torch.zeros_like(patch.as_tensor()), affine=patch.affine)
    with pytest.raises(ValueError, match=r"voxels around the mask with different brightness: expected at least 10"):
        paste_patch(volume, flat, flat, MASK)


def test_shapes_that_do_not_fit_are_refused():
    volume = smooth_volume()
    patch = patch_of(volume)
    with pytest.raises(ValueError, match=r"the volume is \(60, 60, 12\) and the patch .*: expected \(1, X, Y, Z\)"):
        paste_patch(volume[0], patch, patch, MASK)
    with pytest.raises(ValueError, match=r"the mask \(39, 40\): expected \(1, 40, 40\) and \(40, 40\), as the patch"):
        paste_patch(volume, patch, patch, MASK[1:])
