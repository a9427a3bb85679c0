"""Proper scores of several answers to one question: how near they come to the truth, and how far apart they may be for that."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["energy_score", "fair_crps"]


def fair_crps(samples: Tensor, truths: Tensor) -> Tensor:
    r"""Fair continuous ranked probability score of an ensemble, for each number by itself.

    .. math:: \frac{1}{K} \sum_i |x_i - y| - \frac{1}{2 K (K - 1)} \sum_{i, j} |x_i - x_j|

    With K (K - 1) in place of K² its mean does not depend on K: ensembles of different sizes can be compared, and the best
    one is the one whose members are drawn from the truth's distribution. For a single sample the second term is nothing: the
    absolute error.

    Args:
        samples: (K, ...), members of the ensemble.
        truths: (...).

    Returns:
        (...) in the unit of the truths, lower is better; single ones may be negative, their expectation is not.

    Raises:
        ValueError: when there is no sample, or the shapes differ.

    Example:
        >>> fair_crps(torch.tensor([[1.0], [3.0]]), torch.tensor([2.0])).item()
        0.0
        >>> fair_crps(torch.tensor([[3.0]]), torch.tensor([2.0])).item()
        1.0

    Source: Ferro 2014, "Fair scores for ensemble forecasts"; Gneiting and Raftery 2007, equation 21.
    """
    samples, truths = checked_ensemble(samples, truths)
    count = len(samples)
    error = (samples - truths).abs().mean(0)
    if count == 1:
        return error
    # sorted, the sum of all |x_i - x_j| is a weighted sum: K log K instead of K squared
    weights = 2 * torch.arange(1, count + 1, device=samples.device, dtype=samples.dtype) - count - 1
    pairs = (weights.view(-1, *[1] * truths.ndim) * samples.sort(0).values).sum(0)
    return error - pairs / (count * (count - 1))


def energy_score(samples: Tensor, truth: Tensor) -> float:
    r"""Fair energy score of an ensemble of vectors, for all their numbers together.

    .. math:: \frac{1}{\sqrt D} \left( \frac{1}{K} \sum_i \lVert x_i - y \rVert_2
        - \frac{1}{2 K (K - 1)} \sum_{i, j} \lVert x_i - x_j \rVert_2 \right)

    The CRPS in D dimensions: it sees whether numbers belong together, such as the pixels of an image, where `fair_crps` sees
    each alone. Divided by the root of D, so that holes of different sizes can be compared, and fair in K. For a single
    sample it is the root mean square error.

    Args:
        samples: (K, D).
        truth: (D,).

    Returns:
        A number in the unit of the truth, lower is better.

    Raises:
        ValueError: when there is no sample, or the shapes differ.

    Example:
        >>> energy_score(torch.tensor([[3.0, 4.0]]), torch.zeros(2)) * 2**0.5
        5.0

    Source: Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation", equation 22, with beta 1;
    fair as in Ferro 2014.
    """
    samples, truth = checked_ensemble(samples, truth)
    count = len(samples)
    score = (samples - truth).flatten(1).norm(dim=1).mean()
    if count > 1:  # pdist has each pair once
        score = score - torch.pdist(samples.flatten(1)).sum() / (count * (count - 1))
    return score.item() / truth.numel() ** 0.5


def checked_ensemble(samples: Tensor, truths: Tensor) -> tuple[Tensor, Tensor]:
    """Samples (K, ...) and truths (...) in double precision.

    Raises:
        ValueError: when there is no sample, or the shapes differ.
    """
    if samples.ndim < 1 or not len(samples) or samples.shape[1:] != truths.shape:
        raise ValueError(
            f"the samples are {list(samples.shape)} and the truths {list(truths.shape)}: expected (K, ...) and (...), with at "
            "least one sample."
        )
    return samples.detach().as_subclass(Tensor).double(), truths.detach().as_subclass(Tensor).double()
