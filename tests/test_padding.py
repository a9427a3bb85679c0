import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from monai_cardiac_gan.padding import lowest_scanned


def scan(seed=0, shape=(20, 20, 20)):
    """Air around 10, tissue around 300, blood around 1000, as magnitudes with noise."""
    source = np.random.default_rng(seed)
    kinds = source.choice([0.0, 300.0, 1000.0], shape, p=[0.4, 0.5, 0.1])
    return np.abs(kinds + source.normal(0, 10, shape))


@given(
    value=st.floats(-40000, -200),
    share=st.floats(0.0001, 0.6),
    slope=st.floats(0.01, 100),
)
@settings(deadline=None, max_examples=25)
def test_padding_of_any_value_and_extent_leaves_the_lowest_value_in_air(value, share, slope):
    image = slope * scan()
    padded = image.ravel().copy()
    padded[: max(1, int(share * padded.size))] = slope * value
    found = lowest_scanned(padded)
    assert 0 <= found < 40 * slope
    assert lowest_scanned(image) == image.min()


def test_two_padding_values_do_not_count_and_tails_of_noise_do():
    image = scan() + np.random.default_rng(1).normal(0, 30, (20, 20, 20))
    lowest = image.min()
    assert lowest < -60
    assert lowest_scanned(image) == lowest
    image[:2], image[2:4] = -32768, -1024
    assert lowest_scanned(image) == image[4:].min()


@pytest.mark.parametrize("offset", [-5000.0, -1.0, 0.0, 77.0])
def test_without_padding_it_is_the_minimum_whatever_the_offset(offset):
    image = scan() + offset
    assert lowest_scanned(image) == image.min()
    scaled = 2 * (image - image.min()) / np.ptp(image) - 1
    assert lowest_scanned(scaled) == -1
    assert lowest_scanned(np.full((3, 3, 3), offset)) == offset


def test_what_interpolation_leaves_at_the_border_of_padding_does_not_count():
    padded = np.pad(scan(shape=(90, 90, 90)), 3, constant_values=-1024)
    turned = ndimage.rotate(padded, 20, order=1, cval=-1024)
    assert ((turned > -1000) & (turned < -120)).mean() > 0.005
    assert -120 < lowest_scanned(turned) < 40


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(
        ValueError, match="the volume holds NaN or infinite voxels: expected finite ones; repair it first"
    ):
        lowest_scanned(np.array([0.0, np.nan]))
