"""Fréchet distance of radiomic features: a second opinion that no network was trained for."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import kurtosis, skew
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern
from skimage.filters import sobel
from torch import Tensor

from monai_cardiac_gan.metrics.frechet import frechet_distance
from monai_cardiac_gan.metrics.image_pairs import checked_image_pair, checked_images
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = ["RadiomicMetric", "radiomic_distance", "radiomic_features"]

GREY_LEVELS = 32
"""Bins of equal width on [-1, 1], in the range of 16 to 128 that radiomics uses (van Griethuysen et al. 2017, PyRadiomics)."""
PERCENTILES = (5, 25, 50, 75, 95)
DISTANCES = (1, 4)
"""Pixels between the two grey levels of a co-occurrence: the finest texture, and that of a vessel's wall."""
ANGLES = (0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
"""The four directions of Haralick et al. 1973, averaged, so that no direction of a patch is preferred."""
PROPERTIES = ("contrast", "homogeneity", "correlation", "energy")
LBP_POINTS, LBP_RADIUS = 8, 1
"""Neighbours of a local binary pattern, and their distance, pixels: the operator of Ojala et al. 2002, with uniform patterns."""
CENTRAL_SHARE = 3 / 8
"""Side of the central region by that of the patch: 48 of 128 pixels, an aorta of any usual size with its surroundings."""


def radiomic_features(images: Tensor) -> Tensor:
    """First-order statistics and texture of each image, of the whole and of its central region.

    29 numbers of each of the two: mean, standard deviation, skewness, kurtosis, entropy (bits) and the percentiles 5, 25, 50,
    75, 95 of brightness; contrast, homogeneity, correlation and energy of the grey-level co-occurrence matrix at 1 and 4
    pixels, averaged over four directions; shares of nine of the ten uniform local binary patterns (the tenth is what is left);
    mean and standard deviation of the Sobel gradient.

    Args:
        images: (N, 1, H, W) in [-1, 1]; what lies beyond falls into the outermost grey levels.

    Returns:
        (N, 58) in float64. An image without any contrast has skewness and kurtosis 0.

    Raises:
        ValueError: when the images are not (N, 1, H, W) of at least 16 pixels a side, or hold a value that is not finite.

    Example:
        >>> rows = radiomic_features(torch.linspace(-1, 1, 32).expand(1, 1, 32, 32))[0]
        >>> len(rows), round(rows[0].item(), 6), round(rows[4].item(), 6)  # all 32 levels are equally frequent: 5 bits
        (58, 0.0, 5.0)

    Source: the classes of features of Konz, Osuala et al. 2026, "Fréchet radiomic distance (FRD): a versatile metric for
    comparing medical imaging datasets" (there 464, of PyRadiomics, also of filtered images; here few enough for
    some hundred patches), by scikit-image and SciPy.
    """
    patches = checked_images(images)[:, 0].double().cpu().numpy()
    rows = [np.concatenate([_features(patch), _features(_central(patch))]) for patch in patches]
    return torch.from_numpy(np.stack(rows)).to(images.device)


def radiomic_distance(generated: Tensor, real: Tensor) -> dict[str, float]:
    """Fréchet distance of radiomic features, in standard deviations of the real sample.

    Args:
        generated: (N, 1, H, W) in [-1, 1], at least 2.
        real: (M, 1, H, W) in [-1, 1], at least 2; its mean and standard deviation standardise the features of both samples.

    Returns:
        ``frechet_radiomic``, the squared Fréchet distance. The publication
        gives the logarithm of the Fréchet distance; here it is not taken, so that values of several splits can be averaged.

    Raises:
        ValueError: when the images are refused by `radiomic_features`, differ in size, or are fewer than 2.

    Example:
        >>> images = torch.rand(10, 1, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> numbers = radiomic_distance(images.flip(0), images)
        >>> round(numbers["frechet_radiomic"], 6)
        0.0

    Source: Konz, Osuala et al. 2026, "Fréchet radiomic distance (FRD)", section 3, where the reference set standardises, too.
    """
    generated, real = checked_image_pair(generated, real)
    return _distance_of_features(radiomic_features(generated), radiomic_features(real))


def _distance_of_features(generated: Tensor, real: Tensor) -> dict[str, float]:
    mean, spread = real.mean(0), real.std(0)
    spread = torch.where(spread > 0, spread, 1.0)
    standard = [(sample - mean) / spread for sample in (generated, real)]
    return {"frechet_radiomic": frechet_distance(*standard)}


class RadiomicMetric(TwoSampleMetric):
    """`radiomic_distance` between all generated and all real images of the batches since the last reset.

    Only the features are kept, not the images.

    Args:
        part: ``"frechet_radiomic"``, for that number without its name.

    Example:
        >>> metric = RadiomicMetric(part="frechet_radiomic")
        >>> images = torch.rand(10, 1, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> _ = metric(y_pred=images, y=images.flip(0))
        >>> round(metric.aggregate(), 6)
        0.0
    """

    function = staticmethod(_distance_of_features)

    def __init__(self, part: str | None = None) -> None:
        super().__init__(radiomic_features, part)


def _central(patch: np.ndarray) -> np.ndarray:
    sides = [max(2 * max(DISTANCES), round(CENTRAL_SHARE * side)) for side in patch.shape]
    starts = [(whole - side) // 2 for whole, side in zip(patch.shape, sides, strict=True)]
    return patch[starts[0] : starts[0] + sides[0], starts[1] : starts[1] + sides[1]]


def _features(patch: np.ndarray) -> np.ndarray:
    levels = np.clip((patch + 1) / 2 * GREY_LEVELS, 0, GREY_LEVELS - 1).astype(np.uint8)
    gradient = sobel(patch)
    return np.concatenate(
        [_first_order(patch, levels), _co_occurrence(levels), _patterns(levels), [gradient.mean(), gradient.std()]]
    )


def _first_order(patch: np.ndarray, levels: np.ndarray) -> np.ndarray:
    values = patch.ravel()
    has_contrast = values.min() < values.max()
    shares = np.bincount(levels.ravel(), minlength=GREY_LEVELS) / levels.size
    entropy = -(shares[shares > 0] * np.log2(shares[shares > 0])).sum()
    shape = (skew(values), kurtosis(values)) if has_contrast else (0.0, 0.0)
    return np.array([values.mean(), values.std(), *shape, entropy, *np.percentile(values, PERCENTILES)])


def _co_occurrence(levels: np.ndarray) -> np.ndarray:
    matrix = graycomatrix(levels, DISTANCES, ANGLES, GREY_LEVELS, symmetric=True, normed=True)
    return np.concatenate([graycoprops(matrix, name).mean(1) for name in PROPERTIES])


def _patterns(levels: np.ndarray) -> np.ndarray:
    patterns = local_binary_pattern(levels, LBP_POINTS, LBP_RADIUS, method="uniform").astype(np.int64)
    return np.bincount(patterns.ravel(), minlength=LBP_POINTS + 2)[:-1] / patterns.size
