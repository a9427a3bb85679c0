"""Fréchet distance between two samples of features."""

from __future__ import annotations

import torch
from torch import Tensor

from monai_cardiac_gan.metrics.feature_pairs import checked_features
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = ["FrechetDistanceMetric", "frechet_distance", "frechet_distance_of_moments"]


def frechet_distance(generated_features: Tensor, real_features: Tensor) -> float:
    r"""Squared Fréchet distance between the normal distributions that have the two samples' moments.

    .. math:: \lVert \mu_g - \mu_r \rVert^2
        + \operatorname{tr}\left(\Sigma_g + \Sigma_r - 2 (\Sigma_g \Sigma_r)^{1/2}\right)

    0 says that mean and covariance agree. A finite sample overestimates: two samples of one distribution have a distance
    above 0 that falls with their size, so compare only distances of equally large samples, and give the distance between
    two halves of the reals beside it. There may be fewer samples than features.

    Args:
        generated_features: (N, F), at least 2 samples.
        real_features: (M, F), at least 2 samples.

    Returns:
        A number from 0 up, in squared units of the features; computed in float64.

    Raises:
        ValueError: when the samples are no matrices of equal F, too small, or not finite.

    Example:
        A sample that is moved by 3 along one axis:

        >>> real = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
        >>> round(frechet_distance(real + torch.tensor([3.0, 0.0, 0.0, 0.0]), real), 4)
        9.0

    Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule", section 3, equation 6 (there with the
    features of an ImageNet classifier, called FID).
    """
    generated, real = checked_features(generated_features, real_features)
    generated, real = generated.double(), real.double()
    return frechet_distance_of_moments(generated.mean(0), _covariance(generated), real.mean(0), _covariance(real))


def frechet_distance_of_moments(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    r"""The same distance from means (F,) and covariances (F, F), which may be singular.

    With the symmetric roots :math:`S_i = \Sigma_i^{1/2}`, the trace of :math:`(\Sigma_1 \Sigma_2)^{1/2}` is the sum of the
    singular values of :math:`S_1 S_2`. No root of a matrix that is not symmetric is taken, so nothing complex or
    infinite can arise.

    Raises:
        ValueError: when the shapes do not fit each other.

    Example:
        Variances 4 and 1 in one dimension have the distance (2 - 1)²:

        >>> zero, one = torch.zeros(1), torch.ones(1, 1)
        >>> frechet_distance_of_moments(zero, 4 * one, zero, one)
        1.0
    """
    size = len(mean1)
    shapes = [list(moment.shape) for moment in (mean1, cov1, mean2, cov2)]
    if shapes != [[size], [size, size]] * 2:
        raise ValueError(f"the moments are {shapes}, expected (F,), (F, F), (F,), (F, F) with one F.")
    mean1, cov1, mean2, cov2 = (moment.detach().double() for moment in (mean1, cov1, mean2, cov2))
    overlap = torch.linalg.svdvals(_symmetric_root(cov1) @ _symmetric_root(cov2)).sum()
    distance = (mean1 - mean2).square().sum() + cov1.trace() + cov2.trace() - 2 * overlap
    return max(distance.item(), 0.0)  # rounding may put equal distributions just below


class FrechetDistanceMetric(TwoSampleMetric):
    """`frechet_distance` of all batches, as a MONAI metric.

    Args:
        features: maps a batch of images to features (N, F), such as ``PatchFeatures`` in evaluation mode.

    Example:
        >>> metric = FrechetDistanceMetric(features=lambda images: images.flatten(1))
        >>> reals = torch.randn(8, 1, 2, 2, generator=torch.Generator().manual_seed(0))
        >>> for batch in reals.split(4):
        ...     _ = metric(y_pred=batch + 1, y=batch)
        >>> round(metric.aggregate(), 4)
        4.0
    """

    function = staticmethod(frechet_distance)


def _covariance(features: Tensor) -> Tensor:
    return torch.cov(features.T).reshape(features.shape[1], features.shape[1])


def _symmetric_root(covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    # what rounding left in the null space would grow by its root (1e-16 to 1e-8)
    smallest = values[-1].abs() * len(values) * torch.finfo(values.dtype).eps
    roots = torch.where(values > smallest, values, 0.0).sqrt()
    return (vectors * roots) @ vectors.T
