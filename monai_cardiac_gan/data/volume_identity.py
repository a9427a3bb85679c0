"""Which volumes are the same image, or nearly the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from scipy.stats import rankdata
from torch.nn import functional as F

__all__ = ["near_duplicates", "volume_digest", "volume_fingerprint"]

SIDE = 12
"""Blocks along each axis: 20 to 30 mm each, in which half a voxel more or less does not show."""
ALIKE = 0.97
"""Of all blocks. Copies of eight acquired volumes that were rescaled, shifted by a voxel, regridded, noisy at 5 % or given a bias
field of 30 % reach 0.982 to 0.999; different people among 13 at most 0.923, different phantoms among 12 at most 0.934. Copies
without the outer 5 % on each side reach 0.920 and more, so that not all of them are found. Different people whose volumes were
masked alike reach 0.998, for what they share is the mask."""
ALIKE_SCANNED = 0.95
"""Of the blocks that were scanned in both, where these are few: copies that were masked alike reach 0.987 (bias field of 30 %)
to 1.000; different people of 13 acquired volumes, masked or padded in eight ways, at most 0.907, different phantoms at most
0.938."""
LEAST_SCANNED = 0.5
"""Share of a block's scanned voxels, from which it counts as scanned."""
MOSTLY = 0.7
"""Share of the blocks that were scanned in both, from which all blocks are compared; acquired volumes reach 0.79."""
FILLED = 0.05
"""Share of the voxels with the very same value, from which it was not scanned; in 14 acquired volumes only the lowest fills
more than 0.021."""
MASKS = 2
"""Such values that are left out at most: of a mask, and of padding around it; images of a few bits have many."""
SAMPLE = 1 << 17
"""Voxels whose values are counted, evenly spaced."""
FEWEST_BLOCKS = 64
"""Scanned in both; with fewer nobody can tell."""
ROWS = 1024
"""Fingerprints that are compared at once, which bounds memory."""


def volume_digest(voxels: np.ndarray) -> str:
    """SHA-256 of a volume's voxels and shape; the same for one image under two names or two file formats.

    Args:
        voxels: (X, Y, Z) in a fixed orientation (RAS+) and before any resampling; compared as float32.

    Example:
        >>> volume_digest(np.zeros((2, 3, 4))) == volume_digest(np.zeros((2, 3, 4), dtype=np.int16))
        True
    """
    array = np.ascontiguousarray(voxels, dtype=np.float32)
    digest = hashlib.sha256(repr(array.shape).encode())
    digest.update(array.data)
    return digest.hexdigest()


def volume_fingerprint(voxels: np.ndarray) -> np.ndarray:
    """Ranks of a volume's block means: what is left when brightness, grid and noise are not asked for.

    The volume is divided into 12 x 12 x 12 blocks, whatever its size is; the means of the blocks are replaced by their ranks, so
    that any growing function of the brightness gives the same. Once more this is done for the scanned voxels alone: not those
    of the lowest value, or of the two that fill 5 % of the volume or more. Where an image was masked or padded, the mask tells
    nothing of the person.

    Args:
        voxels: (X, Y, Z) in a fixed orientation (RAS+), any unit.

    Returns:
        (2, 1728) float32: ranks of all blocks, of length 1 and mean 0, so that the product of two is Spearman's correlation;
        ranks of the means of scanned voxels, NaN in blocks of which less than half was scanned.

    Raises:
        ValueError: when the volume has not three axes.

    Example:
        >>> volume = np.random.default_rng(0).random((24, 36, 30))
        >>> one, other = volume_fingerprint(volume)[0], volume_fingerprint(100 * volume + 7)[0]
        >>> round(float(one @ other), 2)
        1.0
    """
    if np.ndim(voxels) != 3:
        raise ValueError(f"the volume has shape {np.shape(voxels)}: expected three axes (X, Y, Z).")
    array = np.ascontiguousarray(voxels, dtype=np.float32)
    scanned = _scanned(array)
    share = _block_means(scanned)
    ranks = rankdata(_block_means(array))
    ranks -= ranks.mean()
    inside = share >= LEAST_SCANNED
    of_scanned = np.full(len(share), np.nan)
    of_scanned[inside] = rankdata(_block_means(np.where(scanned, array, 0))[inside] / share[inside])
    return np.stack([ranks / max(float(np.linalg.norm(ranks)), 1.0), of_scanned]).astype(np.float32)


def _scanned(array: np.ndarray) -> np.ndarray:
    """True for voxels that hold neither the lowest value nor one of the two that fill much of the volume."""
    scanned = array > array.min()
    values, counts = np.unique(array.ravel()[:: max(1, array.size // SAMPLE) | 1], return_counts=True)
    for place in np.argsort(counts)[-MASKS:]:
        if counts[place] >= FILLED * counts.sum():
            scanned &= array != values[place]
    return scanned


def _block_means(array: np.ndarray) -> np.ndarray:
    return F.adaptive_avg_pool3d(torch.from_numpy(array.astype(np.float32))[None], SIDE).flatten().numpy()


def near_duplicates(fingerprints: Mapping[str, np.ndarray], threshold: float = ALIKE) -> list[tuple[str, str, float]]:
    """Pairs of volumes that are nearly the same image.

    All blocks are compared where both volumes were scanned nearly everywhere. Where less than 70 % of the blocks were scanned
    in both, those have to be alike, too.

    Args:
        fingerprints: name -> `volume_fingerprint`.
        threshold: least correlation of all blocks; that of the scanned ones is 0.95.

    Returns:
        Name, later name and correlation of all blocks of each pair, in the order of the names given.

    Example:
        >>> volumes = np.random.default_rng(0).random((3, 24, 24, 24))
        >>> found = {str(i): volume_fingerprint(volume) for i, volume in enumerate([*volumes, 5 * volumes[1]])}
        >>> [pair[:2] for pair in near_duplicates(found)]
        [('1', '3')]
    """
    names = list(fingerprints)
    if not names:
        return []
    stacked = np.stack([fingerprints[name] for name in names]).astype(np.float32)
    pairs = []
    for start in range(0, len(names), ROWS):
        part = stacked[start : start + ROWS]
        correlations = part[:, 0] @ stacked[:, 0].T
        of_scanned, count = _of_scanned(part[:, 1], stacked[:, 1])
        alike = (correlations >= threshold) & ((count >= MOSTLY * SIDE**3) | (of_scanned >= ALIKE_SCANNED))
        for row, column in zip(*np.nonzero(alike), strict=True):
            if start + row < column:
                pairs.append((names[start + row], names[column], float(correlations[row, column])))
    return pairs


def _of_scanned(ones: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pearson's correlation (N, M) of the ranks in the blocks that both have, -1 where these are too few; and their number."""
    (a, both_a), (b, both_b) = ((np.nan_to_num(each), np.isfinite(each).astype(np.float64)) for each in (ones, others))
    a, b = a.astype(np.float64), b.astype(np.float64)
    count = both_a @ both_b.T
    sum_a, sum_b = a @ both_b.T, both_a @ b.T
    covariance = count * (a @ b.T) - sum_a * sum_b
    variance_a, variance_b = count * (a**2 @ both_b.T) - sum_a**2, count * (both_a @ (b**2).T) - sum_b**2
    scale = np.sqrt(np.clip(variance_a, 0, None) * np.clip(variance_b, 0, None))
    found = np.divide(covariance, scale, out=np.full_like(scale, -1.0), where=scale > 0)
    return np.where(count >= FEWEST_BLOCKS, found, -1.0), count
