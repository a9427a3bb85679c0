import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from monai_cardiac_gan.aorta import localise_aorta
from monai_cardiac_gan.padding import above_air, lowest_scanned, scanned_range
from monai_cardiac_gan.quality import grade_image_quality


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


def padded_round(image, value):
    """The value outside a cylinder."""
    x, y = np.ogrid[tuple(slice(-1, 1, size * 1j) for size in image.shape[:2])]
    return np.where((x**2 + y**2 < 1)[..., None], image, value)


@given(value=st.floats(1500, 70000), slope=st.floats(0.01, 100))
@settings(deadline=None, max_examples=25)
def test_bright_padding_around_a_field_does_not_count(value, slope):
    image = slope * scan()
    padded = padded_round(image, slope * value)
    inside = padded < slope * value
    assert scanned_range(padded) == (image[inside].min(), image[inside].max())
    assert scanned_range(image) == (image.min(), image.max())
    expected = np.where(inside, image - image[inside].min(), 0).astype(np.float32)
    np.testing.assert_allclose(above_air(padded.astype(np.float32)), expected, rtol=1e-4, atol=0.01 * slope)


def test_padding_at_both_ends_does_not_count():
    padded = padded_round(scan(), 32767)
    padded[:2] = -1024
    inside = (padded > -1024) & (padded < 32767)
    assert scanned_range(padded) == (padded[inside].min(), padded[inside].max())


def test_a_scattered_largest_value_does_not_count_but_saturated_blood_does():
    image = scan()
    image.flat[7::100] = 32767
    assert scanned_range(image) == (image.min(), image[image < 32767].max())
    saturated = np.minimum(4.2 * scan(), 4095)
    assert (saturated == 4095).mean() > 0.05
    assert scanned_range(saturated) == (saturated.min(), 4095)
    blood = np.where(np.hypot(*np.ogrid[-10:10, -10:10]) < 4, 1000.0, 300.0)[..., None] + np.zeros(20)
    blood[:5] = 10
    assert scanned_range(blood) == (10, 1000)


def test_what_interpolation_leaves_beside_bright_padding_does_not_count():
    padded = np.pad(scan(shape=(90, 90, 90)), 3, constant_values=4095)
    turned = ndimage.rotate(padded, 20, order=1, cval=4095)
    assert ((turned > 1600) & (turned < 4000)).mean() > 0.005
    low, high = scanned_range(turned)
    assert 0 <= low < 40
    assert 1000 < high < 1050


@pytest.mark.parametrize("value", [4095, -1024])
def test_grade_and_track_are_those_of_a_field_in_air(value):
    x, y, _ = np.ogrid[:90, :90, :30]
    tube = 100 + 900 * np.clip(0.5 + (12 - np.hypot(1.5 * x - 60, 1.5 * y - 66)) / 1.5, 0, 1)
    volume = (tube + np.random.default_rng(0).normal(0, 15, (90, 90, 30))).clip(0).astype(np.float32)
    padded, in_air = (padded_round(volume, np.float32(outside)) for outside in (value, volume.min()))
    assert grade_image_quality(padded, (1.5, 1.5, 3)).reasons == grade_image_quality(in_air, (1.5, 1.5, 3)).reasons
    track = localise_aorta(padded, (1.5, 1.5, 3))
    np.testing.assert_allclose(track.centres_mm.mean(0), [60, 66], atol=0.3)
    np.testing.assert_array_equal(track.centres_mm, localise_aorta(in_air, (1.5, 1.5, 3)).centres_mm)
