import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from monai_cardiac_gan.metrics import radial_power_spectrum
from monai_cardiac_gan.training.spectral_kernel import spectral_kernel

SIDE = 64


@pytest.fixture(scope="module")
def noise():
    return torch.randn(40, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def filtered(images, kernel):
    margin = kernel.shape[-1] // 2
    return F.conv2d(F.pad(images, [margin] * 4, mode="circular"), kernel)


def decibels(images):
    return 10 * radial_power_spectrum(images).mean(0).numpy()


def test_a_known_filter_is_found_again(noise):
    """Rings do not tell rows from columns: the kernel's response is nearly round."""
    taps = torch.tensor([1.0, 6.0, 1.0]) / 8
    known = torch.outer(taps, taps)[None, None]
    target = filtered(noise, known)
    found = spectral_kernel(noise, decibels(target) - decibels(noise), 3)
    torch.testing.assert_close(found, known, atol=0.01, rtol=0)


@pytest.mark.parametrize("side", [3, 5, 9])
def test_kernels_sum_to_one_and_are_the_same_turned_and_mirrored(noise, side):
    kernel = spectral_kernel(noise, np.linspace(1.0, -20.0, int(math.hypot(SIDE / 2, SIDE / 2))), side)[0, 0]
    assert kernel.sum().item() == pytest.approx(1, abs=1e-5)
    assert torch.equal(kernel, kernel.T)
    assert torch.equal(kernel, kernel.flip(0))


def test_more_taps_come_nearer_to_a_sharp_band_limit(noise):
    frequency = np.arange(1, int(math.hypot(SIDE / 2, SIDE / 2)) + 1) / SIDE
    wanted = np.where(frequency < 0.25, 0.0, -20.0)
    errors = []
    for side in (3, 5, 9):
        changed = decibels(filtered(noise, spectral_kernel(noise, wanted, side))) - decibels(noise)
        errors.append(np.abs(changed - wanted).mean())
    assert errors[0] > 1.3 * errors[1] > 1.3 * 1.3 * errors[2]
