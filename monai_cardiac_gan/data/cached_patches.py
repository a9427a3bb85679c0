"""Batches of patches that are kept in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_cardiac_gan.data.patch_dataset import AortaPatchDataset
from monai_cardiac_gan.data.valid_region import valid_region
from monai_cardiac_gan.keys import Field

__all__ = ["CachedPatches", "reduced"]


class CachedPatches:
    """Data loader over a patch set in memory, on the CPU or on a GPU.

    Patches are small (32 kB at half precision): a hundred thousand fit into 3.3 GB, and a batch is one look-up instead of
    as many reads, conversions and copies. Batches hold `Field.IMAGE` and `Field.VALID`; images come without metadata.

    Args:
        dataset: the patches; its ``transform`` is not applied.
        batches: batch sampler, such as `ResumableBatches`.
        size: side in pixels; if smaller than the patches', each pixel is the mean of a block of theirs.
        device: where the patches are kept.

    Attributes:
        batch_sampler: the batch sampler.

    Raises:
        ValueError: when the size does not divide the side of the patches.
    """

    def __init__(
        self,
        dataset: AortaPatchDataset,
        batches: Iterable[list[int]],
        size: int = 128,
        device: torch.device | str = "cpu",
    ) -> None:
        patches = dataset.all_patches()
        whole = torch.tensor([[0, patches.shape[-2], 0, patches.shape[-1]]]).expand(len(patches), 4)
        bounds = dataset.all_bounds() if hasattr(dataset, "all_bounds") else whole
        side = patches.shape[-1]
        self.patches, self.bounds = reduced(patches, size).to(patches.dtype).to(device), bounds.to(device)
        self.side, self.size = side, size
        self.batch_sampler = batches

    def evenly_spaced(self, count: int) -> Tensor:
        """At most that many patches, evenly spaced over the data set: (N, 1, size, size) float32, on the device."""
        return self.patches[self._chosen(count)].float()

    def evenly_spaced_valid(self, count: int) -> Tensor:
        """Which pixels of the patches that `evenly_spaced` gives lie inside the field of view: bool (N, 1, size, size)."""
        return valid_region(self.bounds[self._chosen(count)], self.side, self.size)

    def _chosen(self, count: int) -> Tensor:
        chosen = torch.linspace(0, len(self.patches) - 1, min(count, len(self.patches))).round().long()
        return chosen.to(self.patches.device)

    def __len__(self) -> int:
        if not isinstance(self.batch_sampler, Sized):
            raise TypeError(f"{type(self.batch_sampler).__name__} has no length: give an epoch_length to the trainer.")
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for indices in self.batch_sampler:
            chosen = torch.as_tensor(indices).to(self.patches.device, non_blocking=True)  # the host waits for no copy
            valid = valid_region(self.bounds[chosen], self.side, self.size)
            yield {Field.IMAGE: self.patches[chosen].float(), Field.VALID: valid}


def reduced(patches: Tensor, size: int) -> Tensor:
    """Patches (N, C, side, side) made smaller: each pixel is the mean of a block of theirs, float32 unless they stay.

    Raises:
        ValueError: when the size does not divide the side of the patches.
    """
    side = patches.shape[-1]
    if size < 1 or side % size:
        raise ValueError(f"size is {size}, expected a divisor of the patches' side {side}: such as {side // 2}.")
    return patches if size == side else F.avg_pool2d(patches.float(), side // size)
