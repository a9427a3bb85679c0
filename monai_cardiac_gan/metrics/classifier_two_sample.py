"""Can a classifier tell generated samples from real ones?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.metrics.feature_pairs import checked_features
from monai_cardiac_gan.metrics.neighbours import distances_by_rows, without_self
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = ["ClassifierTwoSample", "ClassifierTwoSampleMetric", "classifier_two_sample_test"]

SHUFFLES = 999
"""Of the labels; the smallest p-value is then 0.001."""


@dataclass(frozen=True)
class ClassifierTwoSample:
    """How often the nearest neighbour has the right label, in 0..1.

    Attributes:
        accuracy: mean of the two accuracies below; 0.5 when the samples cannot be told apart, 1 when always.
        real_accuracy: share of real samples whose nearest neighbour is real; low when each has a generated twin.
        generated_accuracy: share of generated samples whose nearest neighbour is generated; high when these repeat
            each other.
        p_value: probability of such an accuracy or a higher one for samples of one distribution.
    """

    accuracy: float
    real_accuracy: float
    generated_accuracy: float
    p_value: float


def classifier_two_sample_test(generated: Tensor, real: Tensor, seed: int = 0) -> ClassifierTwoSample:
    """Leave-one-out accuracy of the one-nearest-neighbour classifier that tells generated samples from real ones.

    An accuracy far *below* 0.5 is no good sign either: generated samples are then copies of the very reals that they are
    compared with (see `memorisation_test`).

    The p-value comes from shuffled labels on the same neighbours. A binomial test, right for a classifier that is tested on
    samples of its own, is not right here: two samples that are each other's neighbours are right or wrong together, so
    the accuracy scatters more than a binomial one (Schilling 1986). Shuffling still takes all samples for independent.
    Patches of one subject are not, they are neighbours of each other: give one patch a subject, or read the p-value as
    far too small and the accuracy beside that of two groups of real subjects.

    Args:
        generated: features (N, F), at least 2 samples.
        real: features (M, F), at least 2 samples; as many as generated ones, else the rarer ones have fewer neighbours
            of their own and the two accuracies differ by chance alone.
        seed: of the shuffles.

    Raises:
        ValueError: when the samples are no matrices of equal F, too small, or not finite.

    Example:
        Two clusters far apart:

        >>> sample = torch.arange(20.0)[:, None]
        >>> classifier_two_sample_test(sample + 100, sample)
        ClassifierTwoSample(accuracy=1.0, real_accuracy=1.0, generated_accuracy=1.0, p_value=0.001)

    Source: Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests", section 3; with this classifier Xu et al.
    2018, "An empirical study on evaluation metrics of generative adversarial networks", section 2.
    """
    generated, real = checked_features(generated, real)
    neighbours = _neighbours(torch.cat([generated, real]).double())
    is_real = np.arange(len(neighbours)) >= len(generated)

    of_real, of_generated = _accuracies(is_real[None], neighbours)[:, 0].tolist()
    accuracy = (of_real + of_generated) / 2
    shuffled = np.random.default_rng(seed).permuted(np.tile(is_real, (SHUFFLES, 1)), axis=1)
    as_good = (_accuracies(shuffled, neighbours).sum(0) / 2 >= accuracy).sum()
    return ClassifierTwoSample(accuracy, of_real, of_generated, p_value=float((1 + as_good) / (1 + SHUFFLES)))


class ClassifierTwoSampleMetric(TwoSampleMetric):
    """`classifier_two_sample_test` of all batches, as a MONAI metric.

    Args:
        features: maps a batch of images to features (N, F), such as ``PatchFeatures`` in evaluation mode.
        seed: of the shuffles (by name).
        part: ``"accuracy"``, ``"real_accuracy"``, ``"generated_accuracy"`` or ``"p_value"``, for that number alone.

    Example:
        >>> metric = ClassifierTwoSampleMetric(features=lambda images: images.flatten(1), part="accuracy")
        >>> reals = torch.arange(20.0).reshape(20, 1, 1, 1)
        >>> _ = metric(y_pred=reals + 100, y=reals)
        >>> metric.aggregate()
        1.0
    """

    function = staticmethod(classifier_two_sample_test)


def _neighbours(points: Tensor) -> np.ndarray:
    """Index (N,) of each point's nearest other point."""
    found = [without_self(block, rows).argmin(1) for rows, block in distances_by_rows(points, points)]
    return torch.cat(found).cpu().numpy()


def _accuracies(is_real: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Share of reals and of generated ones (2, L) whose neighbour has their label, for L labellings (L, N)."""
    agree = is_real == is_real[:, neighbours]
    return np.stack([(agree & label).sum(1) / label.sum(1) for label in (is_real, ~is_real)])
