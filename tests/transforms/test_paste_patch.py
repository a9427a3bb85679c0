import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor
from monai.transforms import Orientation, Spacing

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.transforms import CropAortaPatches, VolumePainter, paste_patch

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


@given(slices=st.floats(0.4, 5.0), step=st.sampled_from([1, 2, 3]))
@settings(deadline=None, max_examples=15)
def test_every_slice_between_the_patches_is_painted_whatever_the_slices_are(slices, step):
    """No comb, no slice left out, and no patch that finds no slice."""
    grid = smooth_volume()
    count = round(12 / slices) + 1
    voxels = 100 + 100 * torch.rand(1, 60, 60, count, generator=torch.Generator().manual_seed(0))
    affine = grid.affine.clone()
    affine[2, 2] = slices
    volume = MetaTensor(voxels, affine=affine)
    levels = list(range(1, 11, step))
    painter = VolumePainter(volume, step_mm=step)
    for level in levels:
        patch = patch_of(grid, level)
        painter.add(patch, torch.where(MASK, 0.9, patch), MASK)
        assert paste_patch(volume, patch, torch.where(MASK, 0.9, patch), MASK).ne(volume).any()
    distance = np.abs(slices * np.arange(count)[:, None] - np.array(levels)).min(1)
    found = painter.painted[0].any(0).any(0).numpy()
    reach = max(slices, step, 1) / 2
    assert found[distance < reach - 1e-3].all()
    assert not found[distance > reach + 1e-3].any()


@pytest.mark.parametrize("slice_mm", [1.25, 1.37, 0.9, 2.0, 3.0])
def test_no_slice_between_patches_as_they_are_cut_stays_unpainted(slice_mm):
    """Of slices of 1.25 mm every fourth lies half way between patches that are 2 mm apart, but for rounding."""
    count = int(80 / slice_mm)
    voxels = 100 + 100 * torch.rand(1, 60, 60, count, generator=torch.Generator().manual_seed(0))
    volume = MetaTensor(voxels, affine=torch.diag(torch.tensor([1.37, 1.25, slice_mm, 1.0], dtype=torch.float64)))
    track = AortaTrack(range(count), [[40.0, 40.0]] * count, [20.0] * count, [1.0] * count, 1.0)
    patches = CropAortaPatches(size=SIDE, step_mm=2.0, spacing=1.0)((volume - 150) / 60, track)
    painter = VolumePainter(volume, step_mm=2.0)
    for patch in patches:
        painter.add(patch, torch.where(MASK, 0.9, patch), MASK)
    found = painter.painted[0].any(0).any(0).nonzero().flatten().tolist()
    assert found == list(range(found[0], found[-1] + 1))
    assert len(found) >= count - 2


def test_a_voxel_shows_the_nearest_patch_in_whatever_order_they_come():
    volume = smooth_volume(0.5, (120, 120, 24))
    grid = Spacing(pixdim=(1.0, 1.0, 1.0), mode="bilinear")(volume)
    patches = {level: patch_of(grid, level) for level in (3, 5)}
    results = []
    for order in ([3, 5], [5, 3]):
        painter = VolumePainter(volume, step_mm=8.0)
        for level in order:
            painter.add(patches[level], torch.where(MASK, {3: -0.9, 5: 0.9}[level], patches[level]), MASK)
        results.append(painter.volume.as_tensor())
    middle = results[0][0, 60, 60]  # slices of 0.5 mm: 3 mm is slice 6, 5 mm is slice 10, and 4 mm is as near to both
    assert middle[3:8].lt(150).all()
    assert middle[9:14].gt(250).all()
    far = [level for level in range(24) if level != 8]
    assert torch.equal(results[0][..., far], results[1][..., far])


def test_a_patch_that_hides_less_gives_back_what_a_farther_one_had_painted():
    volume = smooth_volume()
    far, near = patch_of(volume, 4), patch_of(volume, 5)
    small = torch.zeros_like(MASK)
    small[16:20, 20:24] = True
    painter = VolumePainter(volume, step_mm=4.0)
    painter.add(far, torch.where(MASK, -0.9, far), MASK)
    painter.add(near, torch.where(small, -0.9, near), small)
    assert int(painter.painted[0, :, :, 5].sum()) == 16
    unpainted = ~painter.painted
    assert torch.equal(painter.volume.as_tensor()[unpainted], volume.as_tensor()[unpainted])


def test_a_patch_that_fails_changes_nothing():
    volume = smooth_volume()
    painter = VolumePainter(volume)
    flat = MetaTensor(torch.zeros(1, SIDE, SIDE), affine=patch_of(volume).affine)
    with pytest.raises(ValueError, match="voxels around the mask with different brightness"):
        painter.add(flat, flat, MASK)
    assert torch.equal(painter.volume, volume)
    assert not painter.painted.any()


def test_voxels_of_an_integer_type_are_rounded_and_do_not_wrap_around():
    volume = smooth_volume()
    patch = patch_of(volume)
    whole = MetaTensor(volume.as_tensor().round().clamp(0, 255).to(torch.uint8), affine=volume.affine)
    pasted = paste_patch(whole, patch, torch.where(MASK, 1.5, patch), MASK)  # 200 + 1.5 * 110 is beyond 255
    assert pasted.dtype == torch.uint8
    assert pasted[pasted != whole].unique().tolist() == [255]
    dark = paste_patch(whole, patch, torch.where(MASK, -0.9905, patch), MASK)
    exact = paste_patch(MetaTensor(whole.float(), affine=volume.affine), patch, torch.where(MASK, -0.9905, patch), MASK)
    assert torch.equal(dark.as_tensor(), exact.as_tensor().round().to(torch.uint8))


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
    with pytest.raises(ValueError, match=r"the volume is \(60, 60, 12\): expected \(1, X, Y, Z\)"):
        paste_patch(volume[0], patch, patch, MASK)
    with pytest.raises(ValueError, match=r"the patch is \(40, 40\): expected \(1, H, W\)"):
        paste_patch(volume, patch[0], patch, MASK)
    with pytest.raises(ValueError, match=r"step_mm is 0: expected more than 0"):
        VolumePainter(volume, step_mm=0)
    with pytest.raises(ValueError, match=r"the mask \(39, 40\): expected \(1, 40, 40\) and \(40, 40\), as the patch"):
        paste_patch(volume, patch, patch, MASK[1:])
