import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor
from monai.transforms import SpatialCrop

from monai_cardiac_gan.transforms import cut_along, spread_along
from monai_cardiac_gan.transforms.patch_grid import PatchGrid
from monai_cardiac_gan.transforms.ras_volume import RasVolume

SPACING = np.array([1.5, 0.8, 3.0])
OBLIQUE = np.array([[0.98, -0.17, 0.1, -20.0], [0.17, 0.98, 0.05, 7.0], [-0.1, -0.03, 0.99, 33.0], [0, 0, 0, 1.0]])
"""A little turned about all axes."""


def volume(array, spacing=(1.0, 1.0, 1.0), affine=None):
    affine = np.diag([*spacing, 1.0]) if affine is None else affine
    return MetaTensor(torch.from_numpy(np.asarray(array, np.float32))[None], affine=torch.from_numpy(affine))


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape)


def test_on_whole_voxels_it_is_the_crop_of_monai():
    image = volume(noise(20, 22, 6))
    found = cut_along(image, np.array([4, 1]), np.array([[9.0, 11.0], [8.0, 10.0]]), size=6)
    for row, (x, y, z) in enumerate([(9, 11, 4), (8, 10, 1)]):
        cropped = SpatialCrop(roi_start=(x - 3, y - 3, z), roi_end=(x + 3, y + 3, z + 1))(image)
        np.testing.assert_array_equal(found.pixels[row], cropped[..., 0])
        np.testing.assert_allclose(found.affines[row], cropped.affine, atol=1e-12)
    assert found.valid.all()
    assert found.slices.tolist() == [4, 1]
    assert len(found) == 2


@pytest.mark.parametrize("start", [(3, 4), (-2, 5), (13, 17)])
def test_on_the_grid_of_a_patch_set_it_is_the_patch_of_that_set(start):
    """Voxels of 1.5 and 0.8 mm, pixels of 1 mm, the border included."""
    image = volume(noise(16, 30, 5), SPACING)
    grid = PatchGrid(RasVolume(image), 1.0)
    ((pixels, bounds),) = grid.cut([np.array(start)], np.array([6]), 8)  # 6 mm is slice 2
    found = cut_along(image, np.array([2]), np.array([start], float) + 4, size=8)
    (top, bottom), (left, right) = bounds
    inside = np.zeros((8, 8), bool)
    inside[top:bottom, left:right] = True
    np.testing.assert_array_equal(found.valid[0, 0], inside)
    np.testing.assert_allclose(found.pixels[0, 0], pixels, atol=1e-5)


@given(
    centre=st.tuples(st.floats(5, 20), st.floats(5, 15)),
    size=st.integers(1, 6),
    pixel=st.floats(0.3, 1.2),
    level=st.integers(0, 3),
)
@settings(deadline=None, max_examples=50)
def test_a_ramp_is_cut_where_the_affine_says(centre, size, pixel, level):
    """The volume holds a linear function of scanner millimetres: each pixel has the value of the place that its affine gives."""
    affine = OBLIQUE @ np.diag([*SPACING, 1.0])
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    slope = np.array([0.3, -0.7, 0.2, 5.0])
    indices = np.stack([*np.indices((20, 30, 4)), np.ones((20, 30, 4))])
    image = volume(np.einsum("a,ab,bxyz->xyz", slope, affine, indices), affine=affine)
    found = cut_along(image, np.array([level]), np.array([centre]), size=size, pixel_mm=pixel)
    rows = np.stack([*np.indices((size, size)), np.zeros((size, size)), np.ones((size, size))])
    expected = np.einsum("a,ab,bxy->xy", slope, found.affines[0], rows)
    np.testing.assert_allclose(found.pixels[0, 0], expected, atol=1e-4)
    middle = found.affines[0] @ [size // 2, size // 2, 0, 1]
    np.testing.assert_allclose(middle, affine @ [centre[0] / spacing[0], centre[1] / spacing[1], level, 1], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(found.affines[0][:3, :2], axis=0), pixel)


def test_beyond_the_field_of_view_lies_the_volumes_lowest_value():
    array = noise(8, 8, 3)
    array[0, 0, 2] = -50.0  # on another slice
    found = cut_along(volume(array), np.array([1]), np.array([[0.0, 7.0]]), size=4)
    assert found.valid[0, 0].tolist() == [[False] * 4] * 2 + [[True, True, True, False]] * 2
    assert (found.pixels[0, 0][~found.valid[0, 0]] == -50.0).all()
    np.testing.assert_array_equal(found.pixels[0, 0, 2:, :3], array[:2, 5:, 1].astype(np.float32))


@pytest.mark.parametrize(("away", "is_inside"), [(0.49, True), (0.5, True), (0.51, False)])
def test_a_voxel_reaches_half_its_side_beyond_its_centre(away, is_inside):
    """There its own value goes on."""
    array = noise(8, 8, 1)
    found = cut_along(
        volume(array, (2.0, 2.0, 1.0)), np.array([0]), np.array([[-2.0 * away, 14.0 + 2.0 * away]]), size=1
    )
    assert found.valid.item() is is_inside
    assert found.pixels.item() == pytest.approx(array[0, 7, 0] if is_inside else array.min())


def test_a_patch_knows_its_place():
    found = cut_along(volume(noise(8, 9, 3), SPACING), np.array([0, 2]), np.array([[3.0, 4.0], [5.0, 4.0]]), size=4)
    patch = found.patch(1)
    assert patch.shape == (1, 4, 4)
    np.testing.assert_array_equal(patch.affine, found.affines[1])
    assert patch.affine[:3, 3].tolist() == pytest.approx([3.0, 2.0, 6.0])


def test_no_slices_are_no_patches():
    found = cut_along(volume(noise(8, 9, 3)), np.array([], int), np.zeros((0, 2)), size=4)
    assert (len(found), found.pixels.shape, found.affines.shape) == (0, (0, 1, 4, 4), (0, 4, 4))


@pytest.mark.parametrize(
    ("slices", "centres", "size", "pixel"),
    [
        ([[1]], [[1, 1]], 4, 1.0),
        ([1, 2], [[1, 1]], 4, 1.0),
        ([1], [[1, 1, 1]], 4, 1.0),
        ([1], [[1, 1]], 0, 1.0),
        ([1], [[1, 1]], 4, 0.0),
    ],
)
def test_what_does_not_fit_is_refused(slices, centres, size, pixel):
    with pytest.raises(
        ValueError, match=r"slices \(.*\), centres .* mm: expected \(N,\), \(N, 2\) and positive lengths"
    ):
        cut_along(volume(noise(8, 9, 3)), np.array(slices), np.array(centres), size, pixel)


@pytest.mark.parametrize(
    ("level", "message"), [(3, "slices 0 to 3: the volume has 0 to 2"), (-1, "slices -1 to 0: the volume")]
)
def test_slices_beyond_the_volume_are_refused(level, message):
    with pytest.raises(ValueError, match=message):
        cut_along(volume(noise(8, 9, 3)), np.array([0, level]), np.ones((2, 2)))


def test_a_centre_that_is_none_is_refused():
    with pytest.raises(ValueError, match="a centre is not finite: expected millimetres; leave out slices without one"):
        cut_along(volume(noise(8, 9, 3)), np.array([0]), np.array([[np.nan, 1.0]]))


def test_other_axes_are_refused():
    with pytest.raises(ValueError, match="the image has axes LAS: expected RAS"):
        cut_along(volume(noise(8, 9, 3), (-1.0, 1.0, 1.0)), np.array([0]), np.ones((1, 2)))


@pytest.mark.parametrize("affine", [None, OBLIQUE])
def test_what_was_cut_comes_back_onto_its_voxels(affine):
    """Of a ramp along both axes linear interpolation is exact, there and back, whatever the affine."""
    ramp = np.add.outer(np.arange(40.0), 2 * np.arange(50.0))[..., None] + np.zeros(3)
    image = volume(ramp, SPACING, affine)
    centres = np.array([[26.3, 20.1], [28.9, 18.6]])
    patches = cut_along(image, np.array([0, 2]), centres, size=24)
    mask = torch.zeros(24, 24, dtype=torch.bool)
    mask[6:18, 6:18] = True
    found = spread_along(image, patches, patches.pixels[:, 0].numpy(), mask)[0].numpy()
    assert (found[..., 1] == 0).all()
    spacing = RasVolume(image).spacing
    for level, centre in ((0, centres[0]), (2, centres[1])):
        away = [
            (np.arange(side) * step - middle) for side, step, middle in zip((40, 50), spacing, centre, strict=False)
        ]
        inside = np.logical_and.outer(*((each >= -6.4) & (each <= 5.4) for each in away))
        outside = ~np.logical_and.outer(*((each >= -6.6) & (each <= 5.6) for each in away))
        np.testing.assert_allclose(found[..., level][inside], ramp[..., level][inside], atol=1e-3)
        assert (found[..., level][outside] == 0).all()
    np.testing.assert_allclose(spread_along(image, patches, patches.pixels[:, 0].numpy(), mask).affine, image.affine)


def test_values_that_do_not_fit_the_patches_are_refused():
    image = volume(noise(30, 30, 2))
    patches = cut_along(image, np.array([0]), np.array([[15.0, 15.0]]), size=8)
    with pytest.raises(ValueError, match=r"values are \(1, 4, 4\) and the mask \(8, 8\): expected \(1, 8, 8\)"):
        spread_along(image, patches, np.zeros((1, 4, 4)), torch.ones(8, 8, dtype=torch.bool))
