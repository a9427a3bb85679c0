"""Patches for training and inpainting, read one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from torch.utils.data import Dataset

from monai_cardiac_gan.data.patch_set import AFFINES, COLUMNS, PATCHES, read_columns, read_manifest
from monai_cardiac_gan.data.splits import TEST, TRAIN
from monai_cardiac_gan.keys import Field, PatchColumn

__all__ = ["AortaPatchDataset"]

OPEN_SHARDS = 64
"""Memory maps kept open; each costs a file descriptor and address space, no memory."""
VOLUMES = "volumes"
SHARD = "shard"
SPLIT = "split"
COUNT = "patches"


class AortaPatchDataset(Dataset[dict[str, Any]]):
    """Map-style dataset over a patch set on disk; a patch is read when it is asked for.

    Args:
        folder: the patch set (`PatchSetWriter`).
        split: ``"train"``, ``"test"``, or None for all.
        transform: applied to each item.
        limit: at most this many patches, evenly spread over the split; None takes all.

    Raises:
        FileNotFoundError: when the folder holds no finished patch set.
        ValueError: when the split is unknown or holds no patches, or the limit is not positive.

    Returns:
        Items are dictionaries: `Field.IMAGE` a `MetaTensor` (1, 128, 128) float32 in [-1, 1] with affine and the entries of
        `PatchColumn` as metadata, `Field.SUBJECT` the subject.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        split: str | None = None,
        transform: Callable[[dict[str, Any]], Any] | None = None,
        limit: int | None = None,
    ) -> None:
        if split not in (TRAIN, TEST, None):
            raise ValueError(f"the split is '{split}': expected '{TRAIN}', '{TEST}' or None.")
        if limit is not None and limit < 1:
            raise ValueError(f"the limit is {limit}: expected at least 1 patch, or None for all.")
        self.folder = Path(folder)
        self.transform = transform
        volumes = [volume for volume in read_manifest(self.folder)[VOLUMES] if volume.get(SHARD)]
        self.volumes = [volume for volume in volumes if split in (None, volume[SPLIT])]
        places = [(number, row) for number, volume in enumerate(self.volumes) for row in range(volume[COUNT])]
        if not places:
            raise ValueError(
                f"{self.folder}: holds no patches of the split '{split}'; see its manifest for what was left out."
            )
        chosen = (
            range(len(places))
            if limit is None
            else np.linspace(0, len(places) - 1, min(limit, len(places))).astype(int)
        )
        self.places = [places[i] for i in chosen]
        # opened by each process for itself: a memory map does not travel to the workers of a loader
        self._shard = lru_cache(OPEN_SHARDS)(self._open_shard)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One patch with what is known of it."""
        number, row = self.places[index]
        volume = self.volumes[number]
        patches, affines, columns = self._shard(volume[SHARD])
        pixels = torch.from_numpy(patches[row].astype(np.float32))[None]
        meta = {PatchColumn.SUBJECT: volume[Field.SUBJECT], PatchColumn.GRADE: volume[Field.GRADE], **columns[row]}
        image = MetaTensor(pixels, affine=torch.from_numpy(affines[row].copy()), meta=meta)
        item = {Field.IMAGE: image, Field.SUBJECT: volume[Field.SUBJECT]}
        return item if self.transform is None else self.transform(item)

    def all_patches(self) -> torch.Tensor:
        """The pixels of all patches in their order, (M, 1, 128, 128) in [-1, 1], in the precision that is on disk."""
        by_shard: dict[int, list[int]] = {}
        for number, row in self.places:
            by_shard.setdefault(number, []).append(row)
        parts = [self._shard(self.volumes[number][SHARD])[0][rows] for number, rows in by_shard.items()]
        return torch.from_numpy(np.concatenate(parts))[:, None]

    def subjects(self) -> list[str]:
        """Whose each patch is, in the order of the patches."""
        return [self.volumes[number][Field.SUBJECT] for number, _ in self.places]

    def weights(self, by_subject: Mapping[str, float]) -> list[float] | None:
        """How often each patch should come, for `ResumableBatches`.

        Args:
            by_subject: pattern of subjects (``"la_*"``, as `fnmatch` reads it) -> weight; the first that fits counts, a
                subject without one has the weight 1.

        Returns:
            One weight a patch; None without patterns.

        Raises:
            ValueError: when a pattern fits no subject.
        """
        names = self.subjects()
        unused = [pattern for pattern in by_subject if not any(fnmatchcase(name, pattern) for name in set(names))]
        if unused:
            raise ValueError(f"no subject is called like {unused}: expected patterns of names such as '{names[0]}'.")
        if not by_subject:
            return None
        return [next((by_subject[p] for p in by_subject if fnmatchcase(name, p)), 1.0) for name in names]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_shard"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._shard = lru_cache(OPEN_SHARDS)(self._open_shard)

    def _open_shard(self, name: str) -> tuple[np.ndarray, np.ndarray, list[dict[str, float]]]:
        shard = self.folder / name
        return np.load(shard / PATCHES, mmap_mode="r"), np.load(shard / AFFINES), read_columns(shard / COLUMNS)
