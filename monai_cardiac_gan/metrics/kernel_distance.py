"""Kernel distance (maximum mean discrepancy) between two samples of features."""

from __future__ import annotations

import torch
from torch import Tensor

from monai_cardiac_gan.metrics.feature_pairs import checked_features
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = ["KernelDistanceMetric", "kernel_distance"]

DEGREE = 3
"""Of the polynomial: it compares the first three moments (Bińkowski et al. 2018, section 4)."""
ROWS = 1024
"""Rows of a kernel matrix that are held at once."""


def kernel_distance(generated_features: Tensor, real_features: Tensor) -> float:
    r"""Squared maximum mean discrepancy of two samples, without bias, for a cubic kernel.

    .. math:: \frac{1}{N(N-1)} \sum_{i \ne j} k(g_i, g_j) + \frac{1}{M(M-1)} \sum_{i \ne j} k(r_i, r_j)
        - \frac{2}{NM} \sum_{i, j} k(g_i, r_j), \quad k(x, y) = \left(\tfrac{x \cdot y}{F} + 1\right)^3

    Unlike the Fréchet distance its expectation does not depend on the size of the samples, and it is 0 for samples of one
    distribution: a single value may therefore lie below 0.

    Args:
        generated_features: (N, F), at least 2 samples.
        real_features: (M, F), at least 2 samples; M may differ from N.

    Returns:
        The squared discrepancy, about 0 for equal distributions; computed in float64.

    Raises:
        ValueError: when the samples are no matrices of equal F, too small, or not finite.

    Example:
        Two ones beside two zeros: k is 8 among the ones, 1 elsewhere, so the distance is 8 + 1 - 2.

        >>> kernel_distance(torch.ones(2, 1), torch.zeros(2, 1))
        7.0

    Source: Bińkowski et al. 2018, "Demystifying MMD GANs", section 4 and appendix (KID, there with the features of an
    ImageNet classifier); the estimator is equation 3 of Gretton et al. 2012.
    """
    generated, real = checked_features(generated_features, real_features)
    generated, real = generated.double(), real.double()
    within = _mean_among_others(generated) + _mean_among_others(real)
    across = _sum_of_kernels(generated, real) / (len(generated) * len(real))
    return (within - 2 * across).item()


class KernelDistanceMetric(TwoSampleMetric):
    """`kernel_distance` of all batches, as a MONAI metric.

    Args:
        features: maps a batch of images to features (N, F), such as ``PatchFeatures`` in evaluation mode.

    Example:
        >>> metric = KernelDistanceMetric(features=lambda images: images.flatten(1))
        >>> _ = metric(y_pred=torch.ones(2, 1, 1, 1), y=torch.zeros(3, 1, 1, 1))
        >>> metric.aggregate()
        7.0
    """

    function = staticmethod(kernel_distance)


def _mean_among_others(sample: Tensor) -> Tensor:
    """Mean kernel over all ordered pairs of different samples."""
    selves = (sample.square().mean(1) + 1).pow(DEGREE).sum()
    return (_sum_of_kernels(sample, sample) - selves) / (len(sample) * (len(sample) - 1))


def _sum_of_kernels(first: Tensor, second: Tensor) -> Tensor:
    features = first.shape[1]
    sums = [((rows @ second.T) / features + 1).pow(DEGREE).sum() for rows in first.split(ROWS)]
    return torch.stack(sums).sum()
