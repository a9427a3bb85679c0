"""The loader that fits: patches on the GPU, in memory, or streamed from the disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from monai_cardiac_gan.data.cached_patches import CachedPatches
from monai_cardiac_gan.data.free_memory import free_bytes
from monai_cardiac_gan.data.patch_dataset import AortaPatchDataset
from monai_cardiac_gan.data.resumable_batches import ResumableBatches
from monai_cardiac_gan.data.streamed_patches import StreamedPatches
from monai_cardiac_gan.data.windowed_batches import WINDOW, WindowedBatches

__all__ = ["patch_loader"]

BYTES_PER_PIXEL = 2
"""Patches are kept at half precision."""
PATCH_SIDE = 128


def patch_loader(
    dataset: AortaPatchDataset,
    batch_size: int,
    size: int = PATCH_SIDE,
    device: torch.device | str = "cpu",
    seed: int = 0,
    rank: int = 0,
    count: int = 1,
    weights: Sequence[float] | None = None,
    window: int = WINDOW,
    memory_share: float = 0.5,
) -> CachedPatches | StreamedPatches:
    """Batches of a patch set for a training: kept on its device if they fit there, else in memory, else streamed.

    A hundred thousand patches of 128 x 128 pixels take 3.3 GB. The order of the batches depends on seed and epoch alone;
    streamed sets are mixed in windows of volumes (`WindowedBatches`). PyTorch's ``DataLoader`` with a batch sampler would
    draw a number from the global generator at each epoch, collate patch by patch, and keep nothing on a GPU.

    Args:
        dataset: the patches.
        batch_size: images in a batch, of all processes together.
        size: side in pixels.
        device: where the training runs.
        seed: of the order.
        rank: number of this process.
        count: how many processes share the batches.
        weights: see `ResumableBatches`; not for streamed sets.
        window: volumes that are mixed in a streamed set.
        memory_share: share of the free memory, of the device or of the machine, that the patches may take.

    Raises:
        ValueError: when the share is not between 0 and 1, or weights are given for a set that has to be streamed.
    """
    if not 0 <= memory_share <= 1:
        raise ValueError(f"memory_share is {memory_share}: expected 0 (always stream) to 1.")
    needed = len(dataset) * BYTES_PER_PIXEL * size**2
    processes: dict[str, Any] = {"seed": seed, "rank": rank, "count": count, "weights": weights}
    # patches are read at full size before they are reduced
    in_memory = len(dataset) * BYTES_PER_PIXEL * PATCH_SIDE**2 * count <= memory_share * free_bytes("cpu")
    if not in_memory:
        return StreamedPatches(dataset, WindowedBatches(dataset.shards(), batch_size, window, **processes), size)
    where = device if needed <= memory_share * free_bytes(device) else "cpu"
    return CachedPatches(dataset, ResumableBatches(dataset, batch_size, **processes), size, where)
