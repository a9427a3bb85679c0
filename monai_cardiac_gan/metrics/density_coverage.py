"""Density and coverage of a generated sample."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from monai_cardiac_gan.metrics.feature_pairs import checked_features
from monai_cardiac_gan.metrics.neighbours import distances_by_rows, kth_neighbour_distances
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = ["DensityCoverage", "DensityCoverageMetric", "density_coverage", "expected_coverage"]

NEIGHBOURS = 5
"""The k that Naeem et al. 2020 choose: a coverage above 0.95 is then expected of equal distributions."""


@dataclass(frozen=True)
class DensityCoverage:
    """How densely generated samples lie among the real ones (0 up, 1 expected), and the share of reals that they reach."""

    density: float
    coverage: float


def density_coverage(generated: Tensor, real: Tensor, k: int = NEIGHBOURS) -> DensityCoverage:
    r"""How many balls around real samples hold each generated one, and how many of these balls hold one at all.

    .. math:: \text{density} = \frac{1}{kN} \sum_j \sum_i \mathbb 1\left[\lVert g_j - r_i \rVert
        \le \mathrm{NND}_k(r_i)\right], \quad
        \text{coverage} = \frac{1}{M} \sum_i \mathbb 1\left[\exists j: \lVert g_j - r_i \rVert \le
        \mathrm{NND}_k(r_i)\right]

    Like precision and recall, but all balls lie around real samples, and precision counts them. So a real outlier weighs
    no more than its one ball, and for equal distributions the expectations are known: density 1, and `expected_coverage`.

    Args:
        generated: features (N, F), at least 2 samples.
        real: features (M, F), more than k samples.
        k: neighbours that a ball reaches to.

    Returns:
        Density and coverage, computed in the precision of the features.

    Raises:
        ValueError: when the samples are no matrices of equal F or not finite, or k does not fit their number.

    Example:
        Both generated points lie in the balls of 0 and 1, which reach to each other; 5 has a ball that reaches to 1:

        >>> real = torch.tensor([[0.0], [1.0], [5.0]])
        >>> density_coverage(torch.tensor([[0.25], [0.5]]), real, k=1)
        DensityCoverage(density=2.0, coverage=0.6666666666666666)

    Source: Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models", section 3.
    """
    generated, real = checked_features(generated, real)
    radii = kth_neighbour_distances(real, k)
    balls, covered = 0, torch.zeros(len(real), dtype=torch.bool, device=real.device)
    for _, block in distances_by_rows(generated, real):
        inside = block <= radii
        balls += int(inside.sum())
        covered |= inside.any(0)
    return DensityCoverage(density=balls / (k * len(generated)), coverage=covered.double().mean().item())


def expected_coverage(generated_count: int, real_count: int, k: int = NEIGHBOURS) -> float:
    r"""Coverage to expect when both samples come from one distribution, whatever that is.

    .. math:: 1 - \prod_{j=1}^{k} \frac{M - j}{N + M - j}

    A real sample stays uncovered when its k nearest neighbours among all other samples are real, and every ranking of them
    is equally likely.

    Args:
        generated_count: N.
        real_count: M.
        k: neighbours that a ball reaches to.

    Example:
        >>> round(expected_coverage(10000, 10000, k=5), 4)
        0.9688

    Source: Naeem et al. 2020, lemma 2 (there for N = M).
    """
    return 1 - math.prod((real_count - j) / (generated_count + real_count - j) for j in range(1, k + 1))


class DensityCoverageMetric(TwoSampleMetric):
    """`density_coverage` of all batches, as a MONAI metric.

    Args:
        features: maps a batch of images to features (N, F), such as ``PatchFeatures`` in evaluation mode.
        k: neighbours that a ball reaches to (by name).
        part: ``"density"`` or ``"coverage"``, for that number alone.

    Example:
        >>> metric = DensityCoverageMetric(features=lambda images: images.flatten(1), k=1)
        >>> reals = torch.arange(4.0).reshape(4, 1, 1, 1)
        >>> _ = metric(y_pred=reals[:2] + 0.25, y=reals)
        >>> metric.aggregate()
        {'density': 2.0, 'coverage': 0.75}
    """

    function = staticmethod(density_coverage)
