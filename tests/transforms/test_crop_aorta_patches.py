import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor
from monai.transforms import Spacing

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import valid_bounds, valid_region
from monai_cardiac_gan.keys import PatchColumn
from monai_cardiac_gan.transforms import CropAortaPatches, CropAortaPatchesd, ScaleByPercentiles

SHAPE = (150, 140, 12)


def coordinates(axis):
    """A volume whose voxels hold their own index along one axis."""
    shape = [1, 1, 1]
    shape[axis] = SHAPE[axis]
    values = torch.arange(SHAPE[axis], dtype=torch.float32).reshape(shape).expand(SHAPE)
    affine = torch.diag(torch.tensor([1.0, 1.0, 2.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([-30.0, 12.0, 5.0])
    return MetaTensor(values[None].clone(), affine=affine)


def track(x, y, slices=(4,)):
    count = len(slices)
    return AortaTrack(slices, [[x, y]] * count, [24.0] * count, np.linspace(0.5, 1.0, count), 0.9)


@given(x=st.floats(0, 149), y=st.floats(0, 139), border=st.sampled_from(["pad", "clamp"]))
@settings(deadline=None, max_examples=60)
def test_every_pixel_inside_comes_from_where_the_affine_says_and_the_rest_is_padding(x, y, border):
    crop = CropAortaPatches(border=border)
    patches = [crop(coordinates(axis), track(x, y))[0] for axis in (0, 1, 2)]
    patch = patches[0]
    pixels = np.stack(np.meshgrid(np.arange(128), np.arange(128), indexing="ij"), -1)
    flat = np.concatenate([pixels.reshape(-1, 2), np.zeros((128**2, 1)), np.ones((128**2, 1))], 1)
    voxels = (np.linalg.inv(coordinates(0).affine.numpy()) @ patch.affine.numpy() @ flat.T).T[:, :3]
    inside = np.all((voxels >= 0) & (voxels <= np.array(SHAPE) - 1), axis=1)
    for axis in (0, 1):
        values = patches[axis].numpy().reshape(-1)
        np.testing.assert_allclose(values[inside], voxels[inside, axis])
        assert np.all(values[~inside] == 0)  # the lowest value of the plane
    assert np.all(patches[2].numpy().reshape(-1)[inside] == 4)
    assert patch.meta[PatchColumn.PADDED] == pytest.approx(1 - inside.mean())


@given(
    x=st.floats(0, 149),
    y=st.floats(0, 139),
    border=st.sampled_from(["pad", "clamp"]),
    jitter=st.sampled_from([0.0, 6.0]),
)
@settings(deadline=None, max_examples=60)
def test_the_metadata_tell_where_the_aorta_lies(x, y, border, jitter):
    crop = CropAortaPatches(border=border, jitter_mm=jitter)
    crop.set_random_state(3)
    (patch,) = crop(coordinates(0), track(x, y))
    place = patch.affine.numpy() @ [patch.meta[PatchColumn.CENTRE_X], patch.meta[PatchColumn.CENTRE_Y], 0, 1]
    np.testing.assert_allclose(place[:2], [x - 30, y + 12], atol=1e-6)
    assert patch.shape == (1, 128, 128)
    if border == "pad":
        offset = np.array([patch.meta[PatchColumn.CENTRE_X], patch.meta[PatchColumn.CENTRE_Y]]) - 64
        assert np.abs(offset).max() <= 0.5 + jitter + 1e-9


def test_a_clamped_patch_lies_inside_where_the_field_of_view_is_large_enough():
    (patch,) = CropAortaPatches(border="clamp")(coordinates(0), track(3.0, 135.0))
    assert patch.meta[PatchColumn.PADDED] == 0.0
    assert patch.meta[PatchColumn.CENTRE_X] == 3.0
    assert patch.meta[PatchColumn.CENTRE_Y] == 135.0 - (140 - 128)


def test_a_field_of_view_smaller_than_the_patch_is_padded_on_both_sides():
    image = MetaTensor(torch.ones(1, 100, 140, 3), affine=torch.eye(4))
    image[0, 0, 0] = 0
    (patch,) = CropAortaPatches(border="clamp")(image, track(20.0, 70.0, slices=(1,)))
    rows = patch[0].numpy().max(1)
    assert rows[:14].max() == 0
    assert rows[14:114].min() == 1
    assert rows[114:].max() == 0


def test_jitter_moves_at_most_as_far_as_asked_and_repeats_with_its_seed():
    crop = CropAortaPatches(jitter_mm=5.0)
    moved = []
    for _ in range(2):
        crop.set_random_state(7)
        patches = crop(coordinates(0), track(75.0, 70.0, range(12)))
        moved.append([patch.meta[PatchColumn.CENTRE_X] - 64 for patch in patches])
    assert moved[0] == moved[1]
    assert 2.0 < np.ptp(moved[0]) <= 11.0


def test_steps_and_confidence_choose_the_slices():
    slices = list(range(12))
    levels = [
        [
            patch.meta[PatchColumn.SLICE]
            for patch in CropAortaPatches(**arguments)(coordinates(0), track(75, 70, slices))
        ]
        for arguments in ({}, {"step_mm": 4.0}, {"min_confidence": 0.9})
    ]
    assert levels == [slices, slices[::2], slices[9:]]


def test_no_track_no_patches_and_no_transform_before_it_is_an_error():
    assert CropAortaPatches()(coordinates(0), AortaTrack.empty()) == []
    with pytest.raises(ValueError, match="there is no track to cut along: put LocaliseAortad before"):
        CropAortaPatchesd("image")({"image": coordinates(0)})


@given(
    sizes=st.tuples(*[st.floats(0.7, 1.9)] * 2),
    spacing=st.floats(0.8, 1.6),
    x=st.floats(5, 60),
    y=st.floats(5, 55),
    slices=st.integers(1, 20),
)
@settings(deadline=None, max_examples=25)
def test_resampled_patches_are_those_of_monai_s_spacing(sizes, spacing, x, y, slices):
    """Inside the field of view, the last half voxel aside, where the two differ in what counts as inside."""
    in_plane, through = sizes
    # half a pixel is rounded to either side, as the last bit of the quotient has it
    assume(all(abs(place / spacing % 1 - 0.5) > 1e-6 for place in (x, y)))
    rng = np.random.default_rng(0)
    smooth = torch.nn.functional.interpolate(
        torch.tensor(rng.normal(size=(1, 1, 12, 11, 9)), dtype=torch.float32), (90, 80, 24), mode="trilinear"
    )[0]
    affine = torch.diag(torch.tensor([in_plane, in_plane, through, 1.0], dtype=torch.float64))
    image = MetaTensor(smooth, affine=affine)
    course = AortaTrack([slices], [[x, y]], [20.0], [1.0], 1.0)
    patches = CropAortaPatches(spacing=spacing, size=64)(image, course)
    resampled = Spacing(spacing, mode="bilinear", padding_mode="border")(image)
    whole = CropAortaPatches(size=64)(resampled, course.on_slices(through, spacing))
    for one, other in zip(patches, whole, strict=False):
        np.testing.assert_allclose(one.affine, other.affine, atol=1e-6)
        rows, columns = (
            slice(
                max(one.meta[start], other.meta[start]) + 2,
                min(one.meta[stop], other.meta[stop]) - 3,
            )
            for start, stop in (
                (PatchColumn.VALID_X_START, PatchColumn.VALID_X_STOP),
                (PatchColumn.VALID_Y_START, PatchColumn.VALID_Y_STOP),
            )
        )
        np.testing.assert_allclose(one[0, rows, columns], other[0, rows, columns], atol=2e-3)


@given(
    x=st.floats(0, 149),
    y=st.floats(0, 139),
    border=st.sampled_from(["pad", "clamp"]),
    spacing=st.sampled_from([None, 0.9, 1.7]),
)
@settings(deadline=None, max_examples=40)
def test_the_valid_bounds_are_the_pixels_inside_the_field_of_view(x, y, border, spacing):
    (patch,) = CropAortaPatches(border=border, spacing=spacing)(coordinates(0), track(x, y))[:1]
    pixels = np.stack(np.meshgrid(np.arange(128), np.arange(128), indexing="ij"), -1).reshape(-1, 2)
    flat = np.concatenate([pixels, np.zeros((128**2, 1)), np.ones((128**2, 1))], 1)
    voxels = (np.linalg.inv(coordinates(0).affine.numpy()) @ patch.affine.numpy() @ flat.T).T[:, :2]
    inside = np.all((voxels >= -0.5 - 1e-9) & (voxels < np.array(SHAPE[:2]) - 0.5 - 1e-9), axis=1)
    region = valid_region([valid_bounds(patch.meta)], 128)[0, 0].numpy().reshape(-1)
    assert (region != inside).sum() <= 256  # a pixel exactly on the edge may fall on either side
    assert patch.meta[PatchColumn.PADDED] == pytest.approx(1 - region.mean())


@pytest.mark.parametrize(("most", "count"), [(1.0, 3), (0.4, 2), (0.0, 1)])
def test_patches_with_much_padding_are_dropped(most, count):
    course = AortaTrack([1, 2, 3], [[75.0, 70.0], [40.0, 70.0], [1.0, 70.0]], [24.0] * 3, [1.0] * 3, 1.0)
    patches = CropAortaPatches(max_padding=most)(coordinates(0), course)
    assert [patch.meta[PatchColumn.SLICE] for patch in patches] == [1, 2, 3][:count]


def test_what_the_scaling_noted_goes_with_the_patches():
    scaled = ScaleByPercentiles(0, 100)(coordinates(0))
    (patch,) = CropAortaPatches()(scaled, track(75, 70))
    assert (patch.meta[PatchColumn.INTENSITY_LOW], patch.meta[PatchColumn.INTENSITY_HIGH]) == (0.0, 149.0)


def test_pixels_that_are_not_square_need_a_spacing():
    image = MetaTensor(torch.ones(1, 100, 140, 3), affine=torch.diag(torch.tensor([1.0, 1.25, 1, 1])))
    with pytest.raises(
        ValueError, match=r"pixels measure 1 x 1\.25 mm in the axial plane: expected squares; give a spacing"
    ):
        CropAortaPatches()(image, track(20.0, 70.0, slices=(1,)))
    (patch,) = CropAortaPatches(spacing=1.0)(image, track(20.0, 70.0, slices=(1,)))
    np.testing.assert_allclose(np.linalg.norm(patch.affine[:3, :3], axis=0), 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_padding": 1.5}, r"max_padding is 1\.5: expected a share"),
        ({"spacing": 0.0}, r"the spacing is 0\.0: expected a positive length"),
        ({"size": 0}, "expected a size of at least 1"),
        ({"jitter_mm": -1.0}, "the others not negative"),
        ({"border": "wrap"}, "the border is 'wrap': expected one of pad, clamp"),
    ],
)
def test_odd_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        CropAortaPatches(**arguments)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float16, torch.float64], ids=str)
@pytest.mark.parametrize("spacing", [None, 1.0])
def test_patches_do_not_depend_on_the_type_of_the_images_numbers(dtype, spacing):
    """Every second slice falls between two, where unsigned differences would wrap around."""
    source = torch.Generator().manual_seed(0)
    voxels = torch.randint(0, 200, (1, 40, 40, 8), generator=source)
    affine = torch.diag(torch.tensor([1.0, 1.0, 2.0, 1.0], dtype=torch.float64))
    course = AortaTrack(range(8), [[20.0, 20.0]] * 8, [12.0] * 8, [1.0] * 8, 1.0)
    cut = CropAortaPatches(size=32, step_mm=1.0, spacing=spacing)
    patches, exact = (cut(MetaTensor(voxels.to(each), affine=affine), course) for each in (dtype, torch.float32))
    assert len(patches) == len(exact) > 0
    for one, other in zip(patches, exact, strict=True):
        torch.testing.assert_close(one.as_tensor(), other.as_tensor(), rtol=0, atol=0)
