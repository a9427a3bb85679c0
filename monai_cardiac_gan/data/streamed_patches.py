"""Batches of patches that are read from the disk while the ones before are in use."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.data.cached_patches import reduced
from monai_cardiac_gan.data.patch_dataset import AortaPatchDataset
from monai_cardiac_gan.data.valid_region import valid_region
from monai_cardiac_gan.keys import Field

__all__ = ["StreamedPatches"]

AHEAD = 8
"""Batches read ahead; a few, so that one slow read is made up for."""


class StreamedPatches:
    """Data loader over a patch set that need not fit into memory; its batches are those of `CachedPatches`.

    A thread reads ahead through memory maps, so that only the patches of the batches in hand take memory of the process;
    what else is kept is the system's cache, which gives way.

    Args:
        dataset: the patches; its ``transform`` is not applied.
        batches: batch sampler, `WindowedBatches` for sets larger than memory.
        size: side in pixels; if smaller than the patches', each pixel is the mean of a block of theirs.
        ahead: batches that are read ahead.

    Attributes:
        batch_sampler: the batch sampler.

    Raises:
        ValueError: when no batch is read ahead, or, on reading, when the size does not divide the side of the patches.
    """

    def __init__(
        self, dataset: AortaPatchDataset, batches: Iterable[list[int]], size: int = 128, ahead: int = AHEAD
    ) -> None:
        if ahead < 1:
            raise ValueError(f"ahead is {ahead}: expected at least 1 batch.")
        self.dataset, self.batch_sampler, self.size, self.ahead = dataset, batches, size, ahead

    def evenly_spaced(self, count: int) -> Tensor:
        """At most that many patches, evenly spaced over the data set: (N, 1, size, size) float32."""
        return self._batch(self._chosen(count))[Field.IMAGE]

    def evenly_spaced_valid(self, count: int) -> Tensor:
        """Which pixels of the patches that `evenly_spaced` gives lie inside the field of view: bool (N, 1, size, size)."""
        return self._batch(self._chosen(count))[Field.VALID]

    def _chosen(self, count: int) -> np.ndarray:
        return np.linspace(0, len(self.dataset) - 1, min(count, len(self.dataset))).round().astype(np.int64)

    def __len__(self) -> int:
        if not isinstance(self.batch_sampler, Sized):
            raise TypeError(f"{type(self.batch_sampler).__name__} has no length: give an epoch_length to the trainer.")
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        waiting: deque[Future] = deque()
        with ThreadPoolExecutor(1) as reader:
            for indices in self.batch_sampler:
                waiting.append(reader.submit(self._batch, indices))
                if len(waiting) > self.ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _batch(self, indices: list[int] | np.ndarray) -> dict[str, Tensor]:
        pixels, bounds = self.dataset.read(indices)
        images = reduced(torch.from_numpy(pixels)[:, None], self.size).float()
        valid = valid_region(torch.from_numpy(bounds), pixels.shape[-1], self.size)
        return {Field.IMAGE: images, Field.VALID: valid}
