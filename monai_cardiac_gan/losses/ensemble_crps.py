"""Continuous ranked probability score of a few samples, as a loss (Gneiting and Raftery 2007; Ferro 2014)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_cardiac_gan.losses.contextual import masked_l1

__all__ = ["ensemble_crps", "pyramid_crps"]

SCALES = (1, 4, 16)
"""Sides of the blocks whose means are scored, pixels: texture, wall, and the brightness of a whole vessel."""


def ensemble_crps(samples: Sequence[Tensor], truth: Tensor, where: Tensor) -> Tensor:
    r"""How far samples are from the truth, less how far they are from each other: lowest where they are drawn as the truth is.

    .. math:: \mathrm{CRPS} = \frac{1}{K} \sum_k \lvert x_k - y \rvert
        - \frac{1}{2 K (K - 1)} \sum_{k, l} \lvert x_k - x_l \rvert

    for each pixel, averaged over those that count. This is the fair score (Ferro 2014, equation 3): its expectation does not
    depend on K, and is least for samples from the truth's own distribution. The L1 distance alone, K = 1, is least for the
    median, whatever the latent: samples would collapse to one.

    Args:
        samples: at least two of (N, C, H, W), of the same patches.
        truth: (N, C, H, W).
        where: (N, 1, H, W) or (1, 1, H, W) bool, true where pixels count.

    Returns:
        One value per patch (N,), in the unit of the images; NaN where no pixel counts.

    Raises:
        ValueError: when there are fewer than two samples.

    Example:
        Both samples are off by 1, and 2 apart: the truth may well be one of them.

        >>> here = torch.tensor([[[[True]]]])
        >>> ensemble_crps([torch.ones(1, 1, 1, 1), -torch.ones(1, 1, 1, 1)], torch.zeros(1, 1, 1, 1), here)
        tensor([0.])
    """
    if len(samples) < 2:
        raise ValueError(
            f"there are {len(samples)} samples, expected at least 2: spread needs two; one has an L1 distance."
        )
    error = torch.stack([masked_l1(sample, truth, where) for sample in samples]).mean(0)
    apart = torch.stack([masked_l1(one, other, where) for one, other in itertools.combinations(samples, 2)]).mean(0)
    return error - 0.5 * apart


def pyramid_crps(samples: Sequence[Tensor], truth: Tensor, where: Tensor, scales: Sequence[int] = SCALES) -> Tensor:
    """Mean of `ensemble_crps` over means of blocks of several sides: the score of single pixels knows no correlation.

    A block counts where one of its pixels does; those of its pixels that do not count are taken as the truth's. The score of
    a block is divided by the share of its pixels that count, so that a block at a rim weighs as one in the middle.

    Args:
        samples: at least two of (N, C, H, W), of the same patches.
        truth: (N, C, H, W).
        where: (N, 1, H, W) or (1, 1, H, W) bool, true where pixels count.
        scales: sides of the blocks, pixels; H and W are multiples of them.

    Returns:
        One value per patch (N,).

    Example:
        Two pixels off by 1 and -1 are right on average:

        >>> truth, here = torch.zeros(1, 1, 1, 2), torch.ones(1, 1, 1, 2, dtype=torch.bool)
        >>> wrong = torch.tensor([[[[1.0, -1.0]]]])
        >>> pyramid_crps([wrong, wrong], truth, here, scales=[1])
        tensor([1.])
    """
    scores = []
    counted = where.expand_as(truth[:, :1]).to(truth.dtype)
    only = [torch.where(where, sample, truth) for sample in samples]
    for side in scales:
        share = F.avg_pool2d(counted, side)
        pooled = [F.avg_pool2d(image, side) / share.clamp(min=1 / side**2) for image in (*only, truth)]
        scores.append(ensemble_crps(pooled[:-1], pooled[-1], share > 0))
    return torch.stack(scores).mean(0)
