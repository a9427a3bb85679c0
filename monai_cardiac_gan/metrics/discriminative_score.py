"""How often a linear classifier takes inpainted patches for real ones: U-IDS and P-IDS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.metrics.feature_pairs import checked_features
from monai_cardiac_gan.metrics.linear_svm import fit_linear_svm

__all__ = ["DiscriminativeScore", "discriminative_floor", "discriminative_score"]

FOLDS = 5
"""Groups of subjects at most; a fold a subject where there are fewer."""
REPEATS = 5
"""Random halves that the floor is the mean of."""


@dataclass(frozen=True)
class DiscriminativeScore:
    """Higher is better.

    Attributes:
        unpaired: U-IDS, 0 to 1: error rate of the classifier; 0.5 when it cannot tell the samples apart, 0 when it always can.
        paired: P-IDS, 0 to 1: share of the pairs in which it takes the generated one for the more real; 0.5 when it guesses.
    """

    unpaired: float
    paired: float


def discriminative_score(generated: Tensor, real: Tensor, subjects: Sequence[str]) -> DiscriminativeScore:
    r"""Unpaired and paired discriminative score in a space of features.

    With f of a linear SVM, positive for real,

    .. math:: \text{U-IDS} = \tfrac12 \Pr\{f(x) < 0\} + \tfrac12 \Pr\{f(x') > 0\}, \qquad
        \text{P-IDS} = \Pr\{f(x') > f(x)\}

    over real x and generated x', in P-IDS over the pairs of a patch and what was painted in its place. Equal answers count half.

    The paper judges the SVM on the samples that it was trained on, of which there are ten thousands; among some hundred, in
    as many dimensions, it tells anything apart. Here it is cross-fitted: trained on the patches of some subjects, judged on
    those of the others.

    Args:
        generated: features (N, F).
        real: features (N, F) of the originals, in the same order.
        subjects: the person of each.

    Raises:
        ValueError: when the samples are no pairs, the subjects are others in number, or fewer than two.

    Example:
        >>> real = torch.tensor([[1.0], [2.0], [1.0], [2.0]])
        >>> discriminative_score(real - 3, real, ["anna", "anna", "ben", "ben"])
        DiscriminativeScore(unpaired=0.0, paired=0.0)

    Source: Zhao et al. 2021, "Large scale image completion via co-modulated generative adversarial networks", section 4;
    there with features of an Inception network.
    """
    generated, real = checked_features(generated, real)
    names = np.asarray(subjects)
    if generated.shape != real.shape or names.shape != (len(real),) or len(np.unique(names)) < 2:
        raise ValueError(
            f"there are {len(generated)} generated and {len(real)} real samples, {names.size} names of {len(np.unique(names))} "
            "subjects: expected pairs, a name for each, and two subjects at least, of which one judges what the other taught."
        )
    fakes, reals = (each.cpu().double().numpy() for each in (generated, real))
    of_fakes, of_reals = np.empty(len(names)), np.empty(len(names))
    for fold in _folds(names):
        taught = np.concatenate([reals[~fold], fakes[~fold]])
        weights, bias = fit_linear_svm(taught, np.arange(len(taught)) < (~fold).sum())
        of_reals[fold], of_fakes[fold] = reals[fold] @ weights + bias, fakes[fold] @ weights + bias
    unpaired = (_share_above(0.0, of_reals) + _share_above(of_fakes, 0.0)) / 2
    return DiscriminativeScore(unpaired, _share_above(of_fakes, of_reals))


def discriminative_floor(
    real: Tensor, subjects: Sequence[str], seed: int = 0, repeats: int = REPEATS
) -> DiscriminativeScore:
    """The score of originals against other originals of the same people: what chance makes of 0.5 with half as many pairs.

    Each person's patches are halved at random; one half takes the place of the generated ones.

    Args:
        real: features (N, F).
        subjects: the person of each.
        seed: of the halves.
        repeats: pairs of halves to average over.

    Raises:
        ValueError: when fewer than two subjects have two patches or more.

    Example:
        Patches that are all alike cannot be told apart:

        >>> discriminative_floor(torch.ones(8, 2), ["anna"] * 4 + ["ben"] * 4)
        DiscriminativeScore(unpaired=0.5, paired=0.5)
    """
    names = np.asarray(subjects)
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(repeats):
        halves = [_halves(np.flatnonzero(names == name), rng) for name in np.unique(names)]
        first, second = (torch.from_numpy(np.concatenate([half[i] for half in halves])).long() for i in (0, 1))
        scores.append(discriminative_score(real[first], real[second], names[second.numpy()].tolist()))
    means = (float(np.mean([getattr(score, part) for score in scores])) for part in ("unpaired", "paired"))
    return DiscriminativeScore(*means)


def _folds(names: np.ndarray) -> list[np.ndarray]:
    people = np.unique(names)
    return [np.isin(names, part) for part in np.array_split(people, min(FOLDS, len(people)))]


def _share_above(values: np.ndarray | float, others: np.ndarray | float) -> float:
    """Share of the values that are above the others; equal ones count half."""
    return float(np.mean((np.sign(np.subtract(values, others)) + 1) / 2))


def _halves(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    half = len(rows) // 2
    return rng.permutation(rows)[: 2 * half].reshape(2, half)
