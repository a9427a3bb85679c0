"""How much structure of each size images hold: radial power spectra, and their distance."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.metrics.image_pairs import checked_image_pair, checked_images
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = ["PowerSpectrumMetric", "frequency_rings", "mean_power", "power_spectrum_distance", "radial_power_spectrum"]

LOWEST_POWER = 1e-12
"""Power of rounding in float32 images is about 1e-15; a ring without any power has this instead of none."""
DECIBEL = 10.0
"""Of a power ten times as large."""
IMAGES_AT_ONCE = 256


def radial_power_spectrum(images: Tensor) -> Tensor:
    r"""Logarithm of each image's power in rings of equal spatial frequency.

    .. math:: \log_{10} \frac{1}{|R_k|} \sum_{f \in R_k} \frac{\left|\sum_x w(x) (I(x) - \bar I_w)\, e^{-2 \pi i f x}
        \right|^2}{\sum_x w(x)^2}

    Ring k holds the frequencies of about k periods along the shorter side S; the last ones lie in the corners of the
    frequency plane, where the checkerboards of transposed convolutions are.

    A Hann window w leads each image to zero at its border. Without it the step between opposite borders would fill
    the high frequencies of every patch with :math:`1/f^2`, above what a generator does wrong there. Power is divided by that
    of the window, so white noise of variance :math:`\sigma^2` has the power :math:`\sigma^2` in every ring. The mean
    :math:`\bar I_w` under the window is taken off: the spectrum does not know the brightness of an image, only its structure.

    Args:
        images: (N, 1, H, W), sides of at least 16 pixels.

    Returns:
        (N, K) in float64, with K the whole periods along a diagonal of S / 2 by S / 2: 90 for sides of 128 pixels. Twice the
        contrast adds 2 log10 2. No power at all counts as 1e-12.

    Raises:
        ValueError: when the images are not (N, 1, H, W), too small, or hold a value that is not finite.

    Example:
        Sixteen periods along a side of 64:

        >>> wave = torch.sin(2 * torch.pi * 16 * torch.arange(64) / 64).expand(1, 1, 64, 64)
        >>> int(radial_power_spectrum(wave).argmax()) + 1
        16

    Source: the azimuthal average of Durall et al. 2020, "Watch your up-convolution", section 3.1, there without a window.
    """
    images = checked_images(images)
    rings = frequency_rings(*images.shape[2:]).to(images.device)
    members = torch.bincount(rings.flatten())
    spectra = []
    for some in images.split(IMAGES_AT_ONCE):
        sums = torch.zeros(len(some), len(members), dtype=torch.float64, device=images.device)
        sums.index_add_(1, rings.flatten(), _power(some).flatten(1))
        spectra.append((sums / members)[:, 1:])  # ring 0 is the mean, which was taken off
    return torch.cat(spectra).clamp(min=LOWEST_POWER).log10()


def mean_power(images: Tensor) -> Tensor:
    """Mean power of images (N, 1, H, W) at each frequency of an FFT, windowed as in `radial_power_spectrum`: (H, W) float64."""
    return torch.stack([_power(some).sum(0) for some in checked_images(images).split(IMAGES_AT_ONCE)]).sum(0) / len(
        images
    )


def _power(images: Tensor) -> Tensor:
    """Power (N, H, W) of the structure under the window."""
    window = torch.outer(*(_hann(side) for side in images.shape[2:])).to(images.device)
    structure = images[:, 0].double()
    structure = structure - (window * structure).sum((1, 2), keepdim=True) / window.sum()
    return torch.fft.fft2(window * structure).abs().square() / window.square().sum()


def power_spectrum_distance(generated: Tensor, real: Tensor) -> float:
    r"""Mean absolute difference, in decibels, of the mean logarithmic spectra of two samples.

    .. math:: \frac{10}{K} \sum_k \left| \frac{1}{N} \sum_n S_k(g_n) - \frac{1}{M} \sum_m S_k(r_m) \right|

    with S of `radial_power_spectrum`. 10 dB says that the power is wrong by a factor of ten on the (geometric) average of all
    sizes of structure; blur, noise and checkerboards all add to it.

    Args:
        generated: (N, 1, H, W).
        real: (M, 1, H, W).

    Raises:
        ValueError: when the images are refused by `radial_power_spectrum` or differ in size.

    Example:
        Half the contrast has a quarter of the power, 6.02 dB less in every ring:

        >>> images = torch.randn(10, 1, 32, 32)
        >>> round(power_spectrum_distance(images / 2, images), 2)
        6.02
    """
    generated, real = checked_image_pair(generated, real)
    return _distance_of_spectra(radial_power_spectrum(generated), radial_power_spectrum(real))


def _distance_of_spectra(generated: Tensor, real: Tensor) -> float:
    return DECIBEL * (generated.mean(0) - real.mean(0)).abs().mean().item()


class PowerSpectrumMetric(TwoSampleMetric):
    """`power_spectrum_distance` between all generated and all real images of the batches since the last reset.

    Only the spectra are kept, not the images.

    Example:
        >>> metric = PowerSpectrumMetric()
        >>> images = torch.randn(10, 1, 32, 32)
        >>> _ = metric(y_pred=images / 2, y=images)
        >>> round(metric.aggregate(), 2)
        6.02
    """

    function = staticmethod(_distance_of_spectra)

    def __init__(self) -> None:
        super().__init__(radial_power_spectrum)


def _hann(side: int) -> Tensor:
    # periodic, for a transform that is periodic itself: a whole number of periods then leaks into its two neighbours alone
    return torch.hann_window(side, periodic=True, dtype=torch.float64)


def frequency_rings(height: int, width: int) -> Tensor:
    """Ring (H, W) of each frequency of an FFT: periods along the shorter side, rounded; 0 is the mean alone."""
    shorter = min(height, width)
    frequencies = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    outermost = int(np.hypot(shorter / 2, shorter / 2))  # one corner pixel may round to a ring of its own
    rings = np.clip(np.rint(frequencies * shorter), 1, outermost).astype(np.int64)
    rings[0, 0] = 0  # the mean alone: along the longer side a slow wave may round to no period
    return torch.from_numpy(rings)
