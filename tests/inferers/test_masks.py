import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor
from scipy import ndimage

from monai_cardiac_gan.inferers import disc_mask, label_mask, square_mask, square_masks
from monai_cardiac_gan.inferers.masks import checked_masks, checked_patches


def test_default_is_the_published_square_in_the_middle():
    mask = square_mask()
    assert mask.shape == (128, 128)
    assert mask.dtype == torch.bool
    assert mask[52:77, 52:77].all()
    assert mask.sum() == 625


def test_squares_are_named_by_their_sides_and_share_the_middle():
    made = square_masks((26, 40), shape=(64, 64))
    assert {name: int(mask.sum()) for name, mask in made.items()} == {"26 px": 26**2, "40 px": 40**2}
    assert all(mask.nonzero().double().mean(0).tolist() == [31.5, 31.5] for mask in made.values())


def test_no_square_at_all_is_refused():
    with pytest.raises(ValueError, match=r"sizes is \[\]: expected the sides of one square at least"):
        square_masks([])


@given(
    size=st.integers(1, 20),
    row=st.floats(10, 30, allow_subnormal=False),
    column=st.floats(10, 40, allow_subnormal=False),
)
@settings(deadline=None, max_examples=50)
def test_a_square_lies_within_half_a_pixel_of_its_centre(size, row, column):
    places = square_mask(size, (row, column), (41, 51)).nonzero().double()
    assert len(places) == size**2
    assert abs(places[:, 0].mean() - row) <= 0.5
    assert abs(places[:, 1].mean() - column) <= 0.5


@pytest.mark.parametrize("size", [0, 8, 9])
def test_sides_that_do_not_fit_are_refused(size):
    with pytest.raises(ValueError, match=rf"mask's side is {size} pixels: expected at least 1 and less than .* 8 x 10"):
        square_mask(size, shape=(8, 10))


def test_a_hole_over_the_border_is_refused():
    with pytest.raises(ValueError, match=r"mask of 25 x 25 pixels around \(5.0, 64.0\) reaches over the border"):
        square_mask(25, (5, 64))


def test_a_centre_of_three_numbers_is_refused():
    with pytest.raises(ValueError, match="expected a row and a column"):
        square_mask(25, (64, 64, 64))


def test_one_plane_becomes_one_hole_for_all():
    assert checked_masks(square_mask(3, shape=(8, 8)), (5, 1, 8, 8)).shape == (1, 1, 8, 8)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (torch.zeros(1, 1, 8, 8), "masks are torch.float32: expected bool"),
        (torch.ones(2, 1, 8, 8, dtype=torch.bool), r"shape \(2, 1, 8, 8\): expected \(3, 1, 8, 8\), or one mask"),
        (torch.ones(1, 1, 8, 9, dtype=torch.bool), r"shape \(1, 1, 8, 9\): expected \(3, 1, 8, 8\)"),
        (torch.zeros(1, 1, 8, 8, dtype=torch.bool), "a mask without pixels: there is nothing to paint"),
        (torch.ones(1, 1, 8, 8, dtype=torch.bool), "a mask covers its whole patch"),
    ],
)
def test_holes_that_are_no_use_are_refused(masks, message):
    with pytest.raises(ValueError, match=message):
        checked_masks(masks, (3, 1, 8, 8))


@pytest.mark.parametrize(
    ("patches", "message"),
    [
        (torch.zeros(1, 8, 8), r"patches have shape \(1, 8, 8\): expected \(N, 1, H, W\)"),
        (torch.zeros(1, 2, 8, 8), r"patches have shape \(1, 2, 8, 8\)"),
        (torch.zeros(0, 1, 8, 8), r"at least one patch"),
        (torch.full((1, 1, 8, 8), torch.nan), "a patch holds NaN or infinity"),
        (torch.full((1, 1, 8, 8), 1.5), "range from 1.5 to 1.5: expected -1 to 1"),
    ],
)
def test_patches_that_cannot_be_painted_are_refused(patches, message):
    with pytest.raises(ValueError, match=message):
        checked_patches(patches)


def test_metadata_and_gradient_are_left_behind():
    patches = checked_patches(MetaTensor(torch.zeros(2, 1, 8, 8)).requires_grad_())
    assert type(patches) is torch.Tensor
    assert not patches.requires_grad


@given(row=st.floats(0, 63), column=st.floats(0, 63), diameter=st.floats(2, 40), margin=st.floats(0, 8))
@settings(deadline=None, max_examples=40)
def test_a_disc_hides_what_lies_within_its_radius(row, column, diameter, margin):
    rows, columns = np.mgrid[:64, :64]
    expected = np.hypot(rows - row, columns - column) <= diameter / 2 + margin
    if not expected.any():
        return
    mask = disc_mask((row, column), diameter, margin, (64, 64)).numpy()
    near = np.abs(np.hypot(rows - row, columns - column) - diameter / 2 - margin) < 1e-4  # float32
    np.testing.assert_array_equal(mask[~near], expected[~near])


def test_labels_grow_along_rows_and_columns():
    labels = torch.from_numpy(np.random.default_rng(0).integers(0, 40, (1, 30, 30)))
    expected = ndimage.distance_transform_cdt(~np.isin(labels[0], [3, 7]), metric="taxicab") <= 2
    np.testing.assert_array_equal(label_mask(labels, [3, 7], margin=2), expected)


def test_holes_of_nothing_or_everything_are_refused():
    with pytest.raises(ValueError, match=r"a disc of radius 0\.1 around .* hides 0 of 4096 pixels, expected some"):
        disc_mask((3.5, 3.5), 0.2, 0.0, (64, 64))
    with pytest.raises(ValueError, match=r"the labels \[5\]: hides 0 of 16 pixels"):
        label_mask(torch.zeros(4, 4, dtype=torch.long), [5])
    with pytest.raises(ValueError, match=r"labels \[0\]: hides 16 of 16"):
        label_mask(torch.zeros(4, 4, dtype=torch.long), [0])


def test_labels_of_volumes_are_refused():
    with pytest.raises(ValueError, match=r"labels have shape \(2, 4, 4\): expected \(H, W\) or \(1, H, W\)"):
        label_mask(torch.zeros(2, 4, 4), [1])
