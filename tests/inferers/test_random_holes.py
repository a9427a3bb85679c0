import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import regionprops

from monai_cardiac_gan.inferers import RandomHoles, square_mask


def drawn(sides, shift=0, count=200, shape=(64, 80), seed=0):
    return RandomHoles(sides, shift)(count, shape, torch.Generator().manual_seed(seed))


@given(st.integers(1, 20), st.integers(0, 12), st.integers(0, 9))
def test_sides_and_middles_stay_within_their_bounds(least, more, shift):
    for hole in drawn((least, least + more), shift, count=30):
        (region,) = regionprops(hole[0].numpy().astype(np.uint8))
        top, left, bottom, right = region.bbox
        for start, end, length in ((top, bottom, 64), (left, right, 80)):
            # an ellipse's outermost row may miss all pixel centres
            assert least - 2 <= end - start <= least + more
            assert abs((start + end) / 2 - length / 2) <= shift + 0.5


def test_a_third_of_each_kind():
    holes = drawn((20, 40), count=3000)
    regions = [regionprops(hole[0].numpy().astype(np.uint8))[0] for hole in holes]
    ellipses = np.array([region.extent < 0.9 for region in regions])
    heights, widths = np.array([np.subtract(region.bbox[2:], region.bbox[:2]) for region in regions]).T
    squares = ~ellipses & (heights == widths)
    assert np.mean(ellipses) == pytest.approx(1 / 3, abs=0.03)
    assert np.mean(squares) == pytest.approx(1 / 3 + 1 / 63, abs=0.03)  # a rectangle's sides may be equal, 1 of 21


def test_an_ellipse_has_its_area():
    areas = [
        region.area / (np.pi / 4 * np.prod(np.subtract(region.bbox[2:], region.bbox[:2])))
        for region in (regionprops(hole[0].numpy().astype(np.uint8))[0] for hole in drawn((30, 40)))
        if region.extent < 0.9
    ]
    np.testing.assert_allclose(areas, 1, atol=0.08)


def test_squares_lie_where_the_publication_s_does():
    holes = drawn((25, 25), shape=(128, 128))
    assert any(torch.equal(hole[0], square_mask(25)) for hole in holes)


def test_a_seed_means_the_same_holes():
    assert torch.equal(drawn((9, 30), 5, seed=3), drawn((9, 30), 5, seed=3))
    assert not torch.equal(drawn((9, 30), 5, seed=3), drawn((9, 30), 5, seed=4))


@pytest.mark.parametrize("sides", [(0, 5), (6, 5)])
def test_impossible_sides_are_refused(sides):
    with pytest.raises(ValueError, match=r"sides are \(\d, 5\), expected 1 <= least <= greatest"):
        RandomHoles(sides)


def test_masks_are_made_where_they_are_wanted():
    """The numbers are drawn on the CPU, so that a seed means the same holes on any device."""
    random, beside = (torch.Generator().manual_seed(4) for _ in range(2))
    assert RandomHoles(device="meta")(3, (128, 128), random).device.type == "meta"
    RandomHoles()(3, (128, 128), beside)
    assert torch.equal(random.get_state(), beside.get_state())
