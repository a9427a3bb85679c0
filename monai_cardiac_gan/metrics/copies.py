"""Which generated patches are copies of training patches, also moved, resized and noisy ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from monai_cardiac_gan.metrics.planted_copies import moved, planted_copies

__all__ = ["Copies", "CopyDetector", "closeness_to_one", "copy_threshold", "highest_correlations"]

BLOCK = 4
"""Pixels on a side that are averaged to one: noise of 0.1 falls to 0.025, and a copy's shift to a pixel at most."""
COMPARED_SHARE = 7 / 8
"""Side of the region that is compared: 112 of 128 pixels, which a shift of 4 and a size of 0.95 leave inside the patch."""
SHIFTS = (-4.0, 0.0, 4.0)
SIZES = (0.95, 1.0, 1.05)
"""Shifts (pixels, along both axes) and sizes that are tried. What lies between is found, too: recall is measured."""
LEAST_OVERLAP = 0.5
"""Share of the compared region that has to lie in the field of view of both patches."""
FALSE_ALARMS = 0.01
"""Share of held-out patches, which are no copies, that may be taken for copies at most."""
PLANTED = 200
"""Copies that are planted: a recall of 0.95 is then known to 0.015."""
USUAL_SHARE = 0.95
QUERIES_AT_ONCE = 256
LEAST_VARIANCE = 1e-9
LEAST_DISTANCE = 1e-6
"""Of a correlation from 1, which rounding may reach."""
WHOLE = 1 - 1e-4
"""Interpolation weights of valid pixels alone sum to more than this, up to rounding."""


@dataclass(frozen=True, eq=False)
class Copies:
    """What was found among generated patches.

    Attributes:
        share: of the patches taken for copies, 0 to 1.
        flagged: which ones, in order.
        closeness: of each patch (N,), see `closeness_to_one`.
        correlations: highest correlation of each patch with any training patch (N,), -1 to 1.
        nearest_train: with which one (N,).
    """

    share: float
    flagged: tuple[int, ...]
    closeness: np.ndarray
    correlations: np.ndarray
    nearest_train: np.ndarray


class CopyDetector:
    """Finds patches that are nearer to one training person than to all others, as no held-out patch is.

    The threshold comes from held-out patches against the same training patches: it is the lowest closeness beyond which at
    most 1 % of them lie. It knows nothing of a generator. Copies that are planted (`planted_copies`) measure what share of true
    copies is found; a low share of flagged patches says nothing without it.

    Args:
        train: (M, 1, H, W) in [-1, 1], what the generator was trained on.
        train_subjects: whose each training patch is (M,); identical subjects under one name.
        held_out: (K, 1, H, W), of other people.
        subjects: whose each held-out patch is (K,).
        train_valid: bool, the shape of the training patches: pixels inside the field of view; all when not given.
        held_out_valid: the same of the held-out ones.
        planted: how many copies are planted.
        seed: of the planted copies.

    Attributes:
        threshold: closeness above which a patch is taken for a copy.
        recall: share of the planted copies that are found, 0 to 1.
        planted: how many these are.
        usual_closeness: closeness that 95 % of the planted copies exceed.
        false_alarms: share of the held-out patches of one subject beyond the threshold of the others, mean over subjects; None
            where all held-out patches are of one.

    Raises:
        ValueError: when there is no patch of a kind, sizes differ, or there is not one subject for each real patch.

    Example:
        >>> random = torch.Generator().manual_seed(0)
        >>> train, held_out, fresh = (
        ...     F.interpolate(torch.rand(30, 1, 16, 16, generator=random), 64, mode="bilinear") for _ in range(3)
        ... )
        >>> detector = CopyDetector(train, ["eve", "joe"] * 15, held_out, ["ann", "bob"] * 15, planted=40)
        >>> detector.recall, detector.find(torch.cat([train[:3], fresh])).flagged
        (1.0, (0, 1, 2))

    Source: that a copy is near by comparison with other neighbours, not near as such, is the criterion of Carlini et al. 2023,
    "Extracting training data from diffusion models"; the similarity is the masked normalised correlation of Padfield 2012,
    "Masked object registration in the Fourier domain", here summed directly, because few shifts are tried.
    """

    def __init__(
        self,
        train: Tensor,
        train_subjects: Sequence[str],
        held_out: Tensor,
        subjects: Sequence[str],
        train_valid: Tensor | None = None,
        held_out_valid: Tensor | None = None,
        planted: int = PLANTED,
        seed: int = 0,
    ) -> None:
        for kind, patches, names in (("training", train, train_subjects), ("held-out", held_out, subjects)):
            if len(names) != len(patches):
                raise ValueError(
                    f"there are {len(patches)} {kind} patches and {len(names)} subjects: give one for each."
                )
        self._train, self._valid, self._people = train, train_valid, np.asarray(train_subjects)
        reference = self._seen(held_out, held_out_valid)[0]
        self.threshold = copy_threshold(reference)
        self.false_alarms = _false_alarms(reference, np.asarray(subjects))
        self.planted = planted
        found = self.find(planted_copies(train, planted, seed)[0])
        self.recall, self.usual_closeness = found.share, float(np.quantile(found.closeness, 1 - USUAL_SHARE))

    def find(self, generated: Tensor) -> Copies:
        """Which of some patches (N, 1, H, W) are copies."""
        closeness, correlations, nearest = self._seen(generated, None)
        flagged = np.flatnonzero(closeness > self.threshold)
        return Copies(len(flagged) / len(generated), tuple(flagged.tolist()), closeness, correlations, nearest)

    def _seen(self, patches: Tensor, valid: Tensor | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        table = highest_correlations(patches, self._train, valid, self._valid)
        return closeness_to_one(table, self._people), table.max(1), table.argmax(1)


def closeness_to_one(correlations: np.ndarray, people: np.ndarray) -> np.ndarray:
    r"""How many times nearer each patch is to its nearest training patch than to that of any other person.

    .. math:: \frac{1 - \max_{j \notin P} c_{ij}}{1 - \max_j c_{ij}}

    with P the person of the nearest training patch. A patch that is like many, because it is smooth or usual, has about 1,
    however highly it correlates; a copy is like one.

    Args:
        correlations: (N, M), of each patch with each training patch.
        people: whose each training patch is (M,).

    Returns:
        (N,), 1 or more. Where there is one person alone, the others count as correlated by -1.

    Example:
        >>> closeness_to_one(np.array([[0.95, 0.94, 0.8]]), np.array(["ann", "ann", "bob"])).round(6)
        array([4.])
    """
    nearest = correlations.argmax(1)
    of_others = np.where(people[None] == people[nearest][:, None], -1.0, correlations).max(1)
    return (1 - of_others) / np.maximum(1 - correlations.max(1), LEAST_DISTANCE)


def copy_threshold(reference: np.ndarray, false_alarms: float = FALSE_ALARMS) -> float:
    """The lowest of the scores (K,) of patches that are no copies, beyond which at most this share of them lies.

    Example:
        >>> copy_threshold(np.arange(200) / 200)  # two of 200 lie beyond
        0.985
    """
    beyond = int(false_alarms * len(reference))
    return float(np.sort(reference)[len(reference) - 1 - beyond])


def highest_correlations(
    queries: Tensor, train: Tensor, queries_valid: Tensor | None = None, train_valid: Tensor | None = None
) -> np.ndarray:
    """How much each patch looks like each training patch, when it may be moved and resized.

    The normalised cross-correlation of brightness, averaged over blocks of 4 x 4 pixels, in the middle 7/8 of the patches,
    over the pixels that lie in the field of view of both; contrast and brightness do not count. Each query is tried in nine
    shifts and three sizes.

    Args:
        queries: (N, 1, H, W), sides that 4 divides.
        train: (M, 1, H, W).
        queries_valid: bool, the shape of the queries; all pixels when not given.
        train_valid: bool, the shape of the training patches.

    Returns:
        (N, M), -1 to 1: the highest of all shifts and sizes. A pair with less than half of the region in common has -1.

    Raises:
        ValueError: when there are no patches, or the sizes differ or cannot be averaged.

    Example:
        >>> random = torch.Generator().manual_seed(0)
        >>> train = F.interpolate(torch.rand(5, 1, 8, 8, generator=random), 64, mode="bilinear")
        >>> correlations = highest_correlations(0.5 * train[[3]].roll(4, 2), train)
        >>> round(float(correlations.max()), 2), int(correlations.argmax())
        (1.0, 3)
    """
    _check(queries, train)
    queries_valid = torch.ones_like(queries, dtype=torch.bool) if queries_valid is None else queries_valid
    train_valid = torch.ones_like(train, dtype=torch.bool) if train_valid is None else train_valid
    templates = _blocks(train.float(), train_valid)
    parts = zip(queries.float().split(QUERIES_AT_ONCE), queries_valid.split(QUERIES_AT_ONCE), strict=True)
    return torch.cat([_best_of_variants(some, valid, templates) for some, valid in parts]).numpy()


def _check(queries: Tensor, train: Tensor) -> None:
    shapes = [list(patches.shape) for patches in (queries, train)]
    fits = all(
        len(shape) == 4 and shape[0] and shape[1] == 1 and not any(s % BLOCK for s in shape[2:]) for shape in shapes
    )
    if not fits or shapes[0][2:] != shapes[1][2:]:
        raise ValueError(
            f"the patches are {shapes[0]} and the training patches {shapes[1]}, expected (N, 1, H, W) of one size, at least "
            f"one of each, and sides that {BLOCK} divides."
        )


def _best_of_variants(queries: Tensor, valid: Tensor, templates: tuple[Tensor, Tensor]) -> Tensor:
    best = torch.full((len(queries), len(templates[0])), -1.0)
    ones = torch.ones(len(queries))
    for size in SIZES:
        for shift in torch.cartesian_prod(torch.tensor(SHIFTS), torch.tensor(SHIFTS)):
            change = size * ones, shift.expand(len(queries), 2)
            inside = moved(valid.float(), *change) > WHOLE  # pixels that a blackened one has no part in
            best = torch.maximum(best, _correlations(_blocks(moved(queries, *change), inside), templates))
    return best


def _blocks(images: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Means of the blocks in the middle of each image (N, F), and which of them are valid as a whole (N, F), 0 or 1."""
    means, inside = F.avg_pool2d(images, BLOCK), F.avg_pool2d(valid.float(), BLOCK) == 1
    margins = [round((1 - COMPARED_SHARE) / 2 * side) for side in means.shape[2:]]
    rows, columns = (slice(m, side - m) for m, side in zip(margins, means.shape[2:], strict=True))
    weights = inside[..., rows, columns].flatten(1).float()
    return means[..., rows, columns].flatten(1) * weights, weights


def _correlations(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> Tensor:
    """Masked normalised correlation (N, M) of all pairs; brightness is 0 where the weight is."""
    (g, gw), (t, tw) = first, second
    common = (gw @ tw.T).clamp(min=1)
    g_sum, t_sum = g @ tw.T, gw @ t.T
    covariance = g @ t.T - g_sum * t_sum / common
    variances = [g.square() @ tw.T - g_sum.square() / common, gw @ t.square().T - t_sum.square() / common]
    scale = (variances[0].clamp(min=0) * variances[1].clamp(min=0)).clamp(min=LEAST_VARIANCE).sqrt()
    return torch.where(common >= LEAST_OVERLAP * g.shape[1], covariance / scale, -1.0).clamp(-1, 1)


def _false_alarms(reference: np.ndarray, subjects: np.ndarray) -> float | None:
    names = np.unique(subjects)
    if len(names) < 2:
        return None
    shares = [(reference[subjects == name] > copy_threshold(reference[subjects != name])).mean() for name in names]
    return float(np.mean(shares))
