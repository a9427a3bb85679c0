"""Improved precision and recall of a generated sample."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from monai_cardiac_gan.metrics.feature_pairs import checked_features
from monai_cardiac_gan.metrics.neighbours import distances_by_rows, kth_neighbour_distances
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = ["PrecisionRecall", "PrecisionRecallMetric", "precision_recall"]

NEIGHBOURS = 3
"""The k that Kynkäänniemi et al. 2019 use throughout."""


@dataclass(frozen=True)
class PrecisionRecall:
    """How much of the generated sample is realistic, and how much of the real one is reached; both in 0..1."""

    precision: float
    recall: float


def precision_recall(generated: Tensor, real: Tensor, k: int = NEIGHBOURS) -> PrecisionRecall:
    r"""Share of generated samples inside the real manifold, and of real samples inside the generated one.

    A sample's manifold is the union of balls around its points, each reaching to the point's k-th nearest neighbour:

    .. math:: \text{precision} = \tfrac{1}{N} \sum_j \mathbb 1\left[\exists i: \lVert g_j - r_i \rVert
        \le \mathrm{NND}_k(r_i)\right], \quad
        \text{recall} = \tfrac{1}{M} \sum_i \mathbb 1\left[\exists j: \lVert r_i - g_j \rVert \le \mathrm{NND}_k(g_j)\right]

    Low precision means unrealistic patches, low recall patches that are never generated. Two samples of one distribution
    do not reach 1 (about 0.5 in high dimensions), and one outlier's large ball hides much: see `density_coverage`.

    Args:
        generated: features (N, F), more than k samples.
        real: features (M, F), more than k samples.
        k: neighbours that a ball reaches to.

    Returns:
        Precision and recall, computed in the precision of the features.

    Raises:
        ValueError: when the samples are no matrices of equal F or not finite, or k does not fit their size.

    Example:
        One of three generated points is an outlier, and its large ball claims reals that nothing was generated near to:

        >>> real = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
        >>> precision_recall(torch.tensor([[0.4], [0.6], [9.0]]), real, k=1)
        PrecisionRecall(precision=0.6666666666666666, recall=0.75)

    Source: Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative models", equations
    1 and 2.
    """
    generated, real = checked_features(generated, real)
    return PrecisionRecall(precision=_share_inside(generated, real, k), recall=_share_inside(real, generated, k))


class PrecisionRecallMetric(TwoSampleMetric):
    """`precision_recall` of all batches, as a MONAI metric.

    Args:
        features: maps a batch of images to features (N, F), such as ``PatchFeatures`` in evaluation mode.
        k: neighbours that a ball reaches to (by name).
        part: ``"precision"`` or ``"recall"``, for that number alone.

    Example:
        >>> metric = PrecisionRecallMetric(features=lambda images: images.flatten(1), k=1)
        >>> reals = torch.arange(4.0).reshape(4, 1, 1, 1)
        >>> _ = metric(y_pred=reals[:2] + 0.25, y=reals)
        >>> metric.aggregate()
        {'precision': 1.0, 'recall': 0.75}
    """

    function = staticmethod(precision_recall)


def _share_inside(queries: Tensor, points: Tensor, k: int) -> float:
    """Share of the queries that lie in a ball around any of the points."""
    radii = kth_neighbour_distances(points, k)
    inside = [(block <= radii).any(1) for _, block in distances_by_rows(queries, points)]
    return torch.cat(inside).double().mean().item()
