"""Batches of well mixed patches from data larger than memory, of which a few volumes are read at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from monai_cardiac_gan.data.resumable_batches import ResumableBatches

__all__ = ["WindowedBatches"]

WINDOW = 64
"""Volumes that are mixed with each other: 7000 patches or 230 MB at 110 patches each."""


class WindowedBatches(ResumableBatches):
    """Batch sampler that mixes the patches of a window of volumes, then those of the next window.

    Each epoch the volumes are put into a new order and cut into windows; the patches of a window are shuffled. So each
    file is read in one stretch of time, once an epoch, and a batch still holds patches of as many volumes as a full shuffle
    gives it, nearly: of 49 patches from a window of w volumes about :math:`w (1 - (1 - 1/w)^{49})` volumes, 34.4 for 64,
    against 49 for all of a very large set.

    Args:
        shards: indices of the items of each volume (`AortaPatchDataset.shards`), together 0 to n - 1.
        batch_size: images in a batch, of all processes together.
        window: volumes that are mixed with each other.
        arguments: others of `ResumableBatches`, without weights.

    Raises:
        ValueError: when the window is empty, or weights are given.

    Example:
        >>> batches = WindowedBatches([np.array([0, 1]), np.array([2, 3])], batch_size=2, window=1)
        >>> [sorted(batch) for batch in batches]
        [[0, 1], [2, 3]]
    """

    def __init__(self, shards: Sequence[np.ndarray], batch_size: int, window: int = WINDOW, **arguments: Any) -> None:
        if window < 1:
            raise ValueError(f"the window is {window}: expected at least 1 volume.")
        if arguments.get("weights") is not None:
            raise ValueError("weights are given: a streamed set takes each patch once an epoch; leave them out.")
        self.shards, self.window = [np.asarray(shard) for shard in shards], window
        super().__init__(range(sum(len(shard) for shard in self.shards)), batch_size, **arguments)

    def _order(self) -> np.ndarray:
        rng = np.random.default_rng([self.seed, self.epoch])
        volumes = rng.permutation(len(self.shards))
        windows = [volumes[start : start + self.window] for start in range(0, len(volumes), self.window)]
        return np.concatenate(
            [rng.permutation(np.concatenate([self.shards[number] for number in window])) for window in windows]
        )
