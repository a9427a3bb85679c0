import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, ndimage, signal

from monai_cardiac_gan.metrics import power_spectrum_distance, radial_power_spectrum
from monai_cardiac_gan.metrics.power_spectrum import frequency_rings


def noise(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def rings_of(height, width):
    """Ring of each frequency, pixel by pixel."""
    shorter = min(height, width)
    rings = np.zeros((height, width), dtype=int)
    for row, column in np.ndindex(height, width):
        periods = [
            (index if index < side / 2 else index - side) / side for index, side in ((row, height), (column, width))
        ]
        rings[row, column] = min(max(round(shorter * np.hypot(*periods)), 1), int(shorter / np.sqrt(2)))
    rings[0, 0] = 0
    return rings


def windowed(images):
    window = np.outer(*(signal.windows.hann(side, sym=False) for side in images.shape[2:]))
    structure = images[:, 0].numpy()
    structure = (
        structure - np.average(structure.reshape(len(images), -1), axis=1, weights=window.ravel())[:, None, None]
    )
    return window * structure, window


@pytest.mark.parametrize(("height", "width"), [(16, 16), (32, 32), (33, 20), (16, 40)])
def test_spectrum_equals_that_of_scipy(height, width):
    images = noise(3, 1, height, width).cumsum(3)
    structure, window = windowed(images)
    rings = rings_of(height, width)
    expected = [
        ndimage.mean(np.abs(fft.fft2(each)) ** 2 / (window**2).sum(), rings, np.arange(1, rings.max() + 1))
        for each in structure
    ]
    assert radial_power_spectrum(images).numpy() == pytest.approx(np.log10(expected), abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(height=st.integers(16, 40), width=st.integers(16, 40), seed=st.integers(0, 5))
def test_parseval(height, width, seed):
    images = noise(2, 1, height, width, seed=seed)
    structure, window = windowed(images)
    members = np.bincount(frequency_rings(height, width).flatten())[1:]
    total = (10 ** radial_power_spectrum(images).numpy() * members).sum(1)
    expected = (structure**2).sum((1, 2)) * height * width / (window**2).sum()
    assert total == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("side", "sigma"), [(32, 0.1), (64, 2.0)])
def test_white_noise_is_flat(side, sigma):
    power = 10 ** radial_power_spectrum(sigma * noise(400, 1, side, side))
    assert power.shape == (400, int(side / np.sqrt(2)))
    # the window correlates neighbouring frequencies, so the few pixels of the first rings are known to 1 / sqrt(400)
    assert power[:, 2:].mean(0).numpy() == pytest.approx(sigma**2, rel=0.15)
    assert power[:, 4 : side // 2].mean().item() == pytest.approx(sigma**2, rel=0.01)


@settings(max_examples=15, deadline=None)
@given(periods=st.integers(3, 29), phase=st.floats(0.0, 6.0), axis=st.sampled_from([2, 3]), offset=st.floats(-1.0, 1.0))
def test_a_sine_puts_its_power_in_its_ring(periods, phase, axis, offset):
    angle = 2 * torch.pi * periods * torch.arange(64, dtype=torch.float64) / 64 + phase
    wave = (offset + torch.sin(angle)).expand(1, 1, 64, 64)
    wave = wave if axis == 3 else wave.mT
    members = np.bincount(rings_of(64, 64).ravel())[1:]
    power = 10 ** radial_power_spectrum(wave)[0].numpy() * members
    assert power.argmax() + 1 == periods
    # along each axis the window spreads a frequency over itself and its neighbours by 1, 1/4, 1/4 of the power
    assert power[periods - 1] / power.sum() >= 4 / 9
    assert power[periods - 2 : periods + 1].sum() / power.sum() == pytest.approx(1, abs=1e-6)
    assert power.sum() == pytest.approx(64 * 64 / 2, rel=1e-9)  # mean square of a sine, for each pixel


@settings(max_examples=15, deadline=None)
@given(contrast=st.floats(0.01, 100.0), brightness=st.floats(-2.0, 2.0))
def test_contrast_shifts_and_brightness_does_not(contrast, brightness):
    images = noise(3, 1, 32, 32)
    shift = radial_power_spectrum(contrast * images + brightness) - radial_power_spectrum(images)
    assert shift.numpy() == pytest.approx(2 * np.log10(contrast), abs=1e-7)


def test_rows_and_columns_count_the_same():
    images = noise(3, 1, 32, 48)
    assert radial_power_spectrum(images.mT).numpy() == pytest.approx(radial_power_spectrum(images).numpy(), abs=1e-9)


def test_a_step_between_opposite_borders_does_not_fill_the_high_frequencies():
    """The transform of a ramp falls with 1 / f² when cut off, with 1 / f⁶ under the window: ring 40 to 20 by -18 dB."""
    ramp = torch.linspace(-1, 1, 128, dtype=torch.float64).expand(1, 1, 128, 128)
    spectrum = radial_power_spectrum(ramp)[0]
    assert (spectrum[39] - spectrum[19]).item() < -1.5
    assert spectrum[39].item() < -6


def test_images_without_structure_have_the_lowest_power():
    assert torch.equal(radial_power_spectrum(torch.full((2, 1, 16, 16), 0.25)), torch.full((2, 11), -12.0).double())


def test_a_checkerboard_shows_in_the_corners_alone():
    images = noise(5, 1, 32, 32)
    sign = (-1.0) ** (torch.arange(32)[:, None] + torch.arange(32))
    difference = radial_power_spectrum(images + sign) - radial_power_spectrum(images)
    assert difference.mean(0).argmax() == difference.shape[1] - 1
    assert difference[:, :19].abs().max() < 1e-9  # the window reaches one frequency along each axis: 21.2 periods
    assert difference.shape[1] == 22


@settings(max_examples=10, deadline=None)
@given(contrast=st.floats(0.05, 20.0))
def test_distance_of_other_contrast_is_its_decibels(contrast):
    images = noise(4, 1, 32, 32)
    expected = abs(20 * np.log10(contrast))
    assert power_spectrum_distance(contrast * images, images[[2, 0, 1, 3]]) == pytest.approx(expected, abs=1e-6)
    assert power_spectrum_distance(images, contrast * images) == pytest.approx(expected, abs=1e-6)


def test_distance_compares_geometric_means_over_each_sample():
    """Contrasts 1 and 100 have the geometric mean 10, 20 dB above 1, whatever the share of images in the other sample."""
    image = noise(1, 1, 32, 32)
    generated = torch.cat([image, 100 * image])
    assert power_spectrum_distance(generated, image.repeat(3, 1, 1, 1)) == pytest.approx(20.0)


def test_opposite_errors_of_twofrequency_rings_do_not_cancel():
    spectrum = radial_power_spectrum(noise(1, 1, 32, 32))
    images, other = noise(1, 1, 32, 32), noise(1, 1, 32, 32, seed=1)
    expected = 10 * (spectrum - radial_power_spectrum(other)).abs().mean().item()
    assert power_spectrum_distance(images, other) == pytest.approx(expected)


def test_images_of_two_sizes_are_refused():
    with pytest.raises(ValueError, match=r"generated images are \[32, 32\] pixels and the real ones \[16, 16\]"):
        power_spectrum_distance(noise(2, 1, 32, 32), noise(2, 1, 16, 16))
