"""The same real images each time."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, Subset

from monai_cardiac_gan.data import CachedPatches, StreamedPatches
from monai_cardiac_gan.engines import prepare_images
from monai_cardiac_gan.handlers.observation import BATCH, undisturbed

__all__ = ["fixed_images"]

SEED = 0
"""What random transforms in a loader start from, so that they give the same in each run."""


def fixed_images(source: Tensor | Iterable[Any], count: int) -> Tensor:
    """Take some images out of a loader, the same ones in each run.

    Of a ``DataLoader``'s data set or of `CachedPatches` images that lie evenly apart are taken: patches of one volume
    follow each other, so the first ones alone would show few people. The sampler is left alone, whose order the training
    may need. Of other sources the first images are taken.

    Args:
        source: images (N, C, H, W), or what gives batches of them (`prepare_images`).
        count: how many at most.

    Returns:
        (N, C, H, W) on the CPU, N at most `count`.

    Raises:
        ValueError: when there are no images.

    Example:
        >>> fixed_images(DataLoader(torch.arange(9.0).reshape(9, 1, 1, 1), shuffle=True), count=3).flatten()
        tensor([0., 4., 8.])
    """
    if isinstance(source, Tensor):
        found = prepare_images(source, torch.device("cpu"))[:count]
    elif isinstance(source, CachedPatches | StreamedPatches):
        found = source.evenly_spaced(count).cpu()
    else:
        with undisturbed():
            torch.manual_seed(SEED)
            np.random.seed(SEED)  # noqa: NPY002 (what transforms use)
            random.seed(SEED)
            found = _first(_in_order(source, count), count)
    if not len(found):
        raise ValueError("the source has no images: give a loader of at least one batch.")
    return found


def _in_order(source: Iterable[Any], count: int) -> Iterable[Any]:
    if not isinstance(source, DataLoader) or isinstance(source.dataset, IterableDataset):
        return source
    size = len(source.dataset)  # type: ignore[arg-type]
    places = np.unique(np.linspace(0, size - 1, min(count, size)).round().astype(int)).tolist()
    return DataLoader(Subset(source.dataset, places), min(BATCH, count), collate_fn=source.collate_fn)


def _first(batches: Iterable[Any], count: int) -> Tensor:
    found: list[Tensor] = []
    for batch in batches:
        found.append(prepare_images(batch, torch.device("cpu")))
        if sum(map(len, found)) >= count:
            break
    return torch.cat(found)[:count] if found else torch.empty(0)
