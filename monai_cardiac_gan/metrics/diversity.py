"""How different the images of one sample are from each other."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from monai_cardiac_gan.metrics.image_pairs import canonical_order, checked_image_pair, checked_images
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = ["DiversityMetric", "diversity_difference", "ms_ssim_diversity"]

PAIRS = 1000
"""Ten times as many as Odena et al. 2017 draw per class: with the spread of real patches (0.1) the mean is known to 0.003."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the five scales, fine to coarse (Wang et al. 2003, section 3.2)."""
KERNEL = 7
"""Pixels: the largest odd window with which 128 x 128 images have all five scales in MONAI (the paper's is 11, of the same
standard deviation 1.5: 2 % of its weight per axis lie outside of 7)."""
WINDOW_SIGMA = 1.5
BRIGHTNESS_CONSTANT, STRUCTURE_CONSTANT = 0.01**2, 0.03**2
"""(K1 L)² and (K2 L)² of Wang et al. 2004, "Image quality assessment", section III, with the range L = 1 of brightness."""
ROUNDING = 1e-3
PAIRS_AT_ONCE = 64


def ms_ssim_diversity(images: Tensor, pairs: int = PAIRS, seed: int = 0) -> float:
    """Mean multi-scale structural similarity (MS-SSIM) of random pairs of different images: lower is more diverse.

    Generators that collapse to few images come near 1. What is right is the value of real images: noise has a far lower
    one. Similarity is taken of brightness in 0..1, as its formula wants no negative one, on as many of the five scales
    as the images are large enough for (five at 128 pixels, four at 64, three at 32), whose weights then sum to 1.

    Args:
        images: (N, 1, H, W) in [-1, 1], at least 2.
        pairs: drawn with replacement; when there are no more pairs than that, each is taken once.
        seed: of the pairs. They do not depend on the order of the images.

    Returns:
        A number in 0..1.

    Raises:
        ValueError: when the images are not (N, 1, H, W), fewer than 2, outside of [-1, 1] or not finite, or pairs is not
            positive.

    Example:
        A generator that knows only one image:

        >>> round(ms_ssim_diversity(torch.rand(1, 1, 32, 32).expand(10, 1, 32, 32)), 4)
        1.0

    Source: Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs", section 4.2; Wang et al. 2003,
    "Multiscale structural similarity for image quality assessment".
    """
    images = _checked(images)
    if len(images) < 2:
        raise ValueError("there is 1 image, expected at least 2: one image makes no pair.")
    if pairs < 1:
        raise ValueError(f"pairs is {pairs}, expected 1 or more.")
    brightness = (canonical_order(images) + 1) / 2
    similarities = [
        _similarity(brightness[first], brightness[second])
        for first, second in torch.from_numpy(_pairs(len(images), pairs, seed)).split(PAIRS_AT_ONCE, dim=1)
    ]
    return torch.cat(similarities).double().mean().item()


def diversity_difference(generated: Tensor, real: Tensor, pairs: int = PAIRS, seed: int = 0) -> dict[str, float]:
    """How far the diversity of generated images is from that of real ones.

    Args:
        generated: (N, 1, H, W) in [-1, 1], at least 2.
        real: (M, 1, H, W) in [-1, 1], at least 2.
        pairs: drawn of each sample.
        seed: of the pairs.

    Returns:
        ``ms_ssim_generated`` and ``ms_ssim_real`` of `ms_ssim_diversity`, and ``ms_ssim_difference``, which is the absolute
        difference of the two.

    Raises:
        ValueError: when the images differ in size or are refused by `ms_ssim_diversity`.

    Example:
        >>> images = torch.rand(10, 1, 32, 32)
        >>> diversity_difference(images.flip(0), images)["ms_ssim_difference"]
        0.0
    """
    generated, real = checked_image_pair(generated, real)
    of_generated, of_real = (ms_ssim_diversity(images, pairs, seed) for images in (generated, real))
    return {
        "ms_ssim_difference": abs(of_generated - of_real),
        "ms_ssim_generated": of_generated,
        "ms_ssim_real": of_real,
    }


class DiversityMetric(TwoSampleMetric):
    """`diversity_difference` between all generated and all real images of the batches since the last reset.

    Args:
        part: the one number to give, for example ``"ms_ssim_difference"``; all three when not given.
        pairs: drawn of each sample.
        seed: of the pairs.

    Example:
        >>> metric = DiversityMetric(part="ms_ssim_generated")
        >>> _ = metric(y_pred=torch.zeros(4, 1, 32, 32), y=torch.rand(4, 1, 32, 32))
        >>> metric.aggregate()
        1.0
    """

    function = staticmethod(diversity_difference)

    def __init__(self, part: str | None = None, pairs: int = PAIRS, seed: int = 0) -> None:
        super().__init__(_checked, part, pairs=pairs, seed=seed)


def _checked(images: Tensor) -> Tensor:
    images = checked_images(images)
    if images.abs().max() > 1 + ROUNDING:
        raise ValueError(
            f"the images reach from {images.min():.3g} to {images.max():.3g}, expected [-1, 1]: scale them as the patches "
            "of a patch set are."
        )
    return images.clamp(-1, 1)


def _pairs(images: int, pairs: int, seed: int) -> np.ndarray:
    """Indices (2, P) of two different images each."""
    if images * (images - 1) // 2 <= pairs:
        return np.stack(np.triu_indices(images, k=1))
    rng = np.random.default_rng(seed)
    first = rng.integers(images, size=pairs)
    return np.stack([first, (first + rng.integers(1, images, size=pairs)) % images])


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    """MS-SSIM (P,) of pairs (P, 1, H, W); that of MONAI, in a fifth of the time on a CPU.

    MONAI smooths by convolutions with one channel, which are slow there; a product with a banded matrix is the same.
    """
    # MONAI asks for more than (KERNEL - 1) pixels after dividing by the squared number of halvings
    side = min(first.shape[2:])
    scales = max(n for n in range(1, len(SCALE_WEIGHTS) + 1) if side // max(1, n - 1) ** 2 > KERNEL - 1)
    used = SCALE_WEIGHTS[:scales]
    product = first.new_ones(len(first))
    for scale, weight in enumerate(used, 1):
        structure, brightness = _structure_and_brightness(first[:, 0], second[:, 0])
        factor = structure * brightness if scale == scales else structure
        product = product * factor.mean((1, 2)).clamp(min=0) ** (weight / sum(used))
        first, second = (F.avg_pool2d(images, 2) for images in (first, second))
    return product


def _structure_and_brightness(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """The two factors of SSIM (Wang et al. 2004, equation 12 and the terms of 6) at each place of the window."""
    rows, columns = (_window(side, first) for side in first.shape[1:])
    moments = torch.cat([first, second, first.square() + second.square(), first * second])
    mean_first, mean_second, squares, products = (rows @ moments @ columns.T).chunk(4)
    of_means, of_squares = mean_first * mean_second, mean_first.square() + mean_second.square()
    structure = (2 * (products - of_means) + STRUCTURE_CONSTANT) / (squares - of_squares + STRUCTURE_CONSTANT)
    return structure, (2 * of_means + BRIGHTNESS_CONSTANT) / (of_squares + BRIGHTNESS_CONSTANT)


def _window(side: int, like: Tensor) -> Tensor:
    """Banded matrix (side - KERNEL + 1, side) that smooths along one axis."""
    steps = torch.arange(KERNEL, dtype=torch.float64) - KERNEL // 2
    weights = torch.exp(-steps.square() / (2 * WINDOW_SIGMA**2))
    band = torch.zeros(side - KERNEL + 1, side, dtype=torch.float64)
    for row in range(len(band)):
        band[row, row : row + KERNEL] = weights / weights.sum()
    return band.to(like)
