"""Does a generator repeat its training samples?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from scipy.stats import mannwhitneyu, nhypergeom, norm
from torch import Tensor

from monai_cardiac_gan.metrics.feature_pairs import checked_features
from monai_cardiac_gan.metrics.neighbours import nearest

__all__ = ["Memorisation", "MemorisationVerdict", "memorisation_test"]

MOST_Z = 3.0
"""Three standard deviations: of generators whose samples lie as far from the training set as held-out ones, one in 370 lies
beyond, on one side or the other."""
CLOSE_SHARE = 0.01
"""A generated sample is close when it is nearer to the training set than this share of the held-out ones."""


class MemorisationVerdict(str, Enum):
    """What the distances to the training set say; none of the three says that samples are good."""

    COPIES = "nearer to the training set than held-out samples: copies"
    AS_HELD_OUT = "as far from the training set as held-out samples"
    FARTHER = "farther from the training set than held-out samples: unlike them"


@dataclass(frozen=True, eq=False)
class Memorisation:
    """Distances of generated samples to the training set, beside those of held-out real ones.

    Attributes:
        z: standard score of the generated samples' distances among the held-out ones'; far below 0: copies, far above:
            samples unlike anything real.
        p_value: two-sided: probability of a z that far from 0, where distances are those of held-out samples.
        close_share: share of generated samples nearer to a training sample than the nearest 1 % of held-out ones.
        close_p_value: probability of such a share or a higher one without copying.
        nearest_train: index (N,) of each generated sample's nearest training sample.
        distances: from it (N,), float64.
        verdict: copies, where z lies below ``-most_z``, or ``close_p_value`` below the probability of that z; farther, where z
            lies above ``most_z``.
        most_z: the threshold.
    """

    z: float
    p_value: float
    close_share: float
    close_p_value: float
    nearest_train: np.ndarray
    distances: np.ndarray
    verdict: MemorisationVerdict
    most_z: float


def memorisation_test(generated: Tensor, train: Tensor, held_out: Tensor, most_z: float = MOST_Z) -> Memorisation:
    r"""Test whether generated samples lie as far from the training set as held-out real samples do; two-sided.

    With d the distance to the nearest training sample, U counts the pairs of a generated g and a held-out h with
    d(g) > d(h), and ties half:

    .. math:: z = \frac{U - NH/2}{\sqrt{NH (N + H + 1) / 12}}

    It sees when most samples are somewhat too near. That a few are exact copies hardly moves it; the share of samples
    nearer than the nearest 1 % of held-out ones does (the count has a negative hypergeometric distribution). A z far above 0
    is no better: such samples copy nothing because they resemble nothing. Both p-values
    take all samples for independent. Patches of one subject are not: keep the subjects of the two real sets apart, and
    give one or few patches of each held-out subject.

    Args:
        generated: images (N, C, H, W), or features (N, F).
        train: what the generator was trained on, in the same form; at least 2.
        held_out: real samples of other subjects, in the same form; at least 2.
        most_z: threshold of the verdict, positive.

    Raises:
        ValueError: when the samples differ in form, are too few, or not finite.

    Example:
        >>> import torch
        >>> train, held_out = torch.randn(2, 200, 8, generator=torch.Generator().manual_seed(0))
        >>> copies = memorisation_test(train[:50] + 0.01, train, held_out)
        >>> copies.verdict.name, copies.close_share, bool((copies.nearest_train == torch.arange(50).numpy()).all())
        ('COPIES', 1.0, True)

    Source: Meehan et al. 2020, "A non-parametric test to detect data-copying in generative models", the global test
    (without the division of the space into cells); the close share is ours.
    """
    generated, train, held_out = (sample.flatten(1) for sample in (generated, train, held_out))
    distances, nearest_train = (part.cpu().numpy() for part in nearest(*_in_double(generated, train)))
    reference = nearest(*_in_double(held_out, train))[0].cpu().numpy()
    z = _rank_score(distances, reference)
    share, close_p_value = _close(distances, reference)
    return Memorisation(
        z=z,
        p_value=float(2 * norm.sf(abs(z))),
        close_share=share,
        close_p_value=close_p_value,
        nearest_train=nearest_train,
        distances=distances,
        verdict=_verdict(z, close_p_value, most_z),
        most_z=most_z,
    )


def _verdict(z: float, close_p_value: float, most_z: float) -> MemorisationVerdict:
    if z < -most_z or close_p_value < norm.sf(most_z):
        return MemorisationVerdict.COPIES
    return MemorisationVerdict.FARTHER if z > most_z else MemorisationVerdict.AS_HELD_OUT


def _in_double(sample: Tensor, train: Tensor) -> tuple[Tensor, Tensor]:
    sample, train = checked_features(sample, train)
    return sample.double(), train.double()


def _rank_score(distances: np.ndarray, reference: np.ndarray) -> float:
    count = len(distances) * len(reference)
    above = mannwhitneyu(distances, reference, method="asymptotic").statistic
    return float((above - count / 2) / math.sqrt(count * (len(distances) + len(reference) + 1) / 12))


def _close(distances: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Share of distances below the nearest of the reference, and the probability of so many or more."""
    rank = math.ceil(CLOSE_SHARE * len(reference))
    close = int((distances < np.partition(reference, rank - 1)[rank - 1]).sum())
    expected = nhypergeom(len(distances) + len(reference), len(distances), rank)
    return close / len(distances), float(expected.sf(close - 1))
