"""Patches for training and inpainting, read one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from torch.utils.data import Dataset

from monai_cardiac_gan.data.manifest import PatchRow, read_manifest
from monai_cardiac_gan.data.patch_set import COLUMNS, PATCHES
from monai_cardiac_gan.data.splits import TEST, TRAIN
from monai_cardiac_gan.data.valid_region import VALID_COLUMNS, valid_region
from monai_cardiac_gan.keys import Field, PatchColumn

__all__ = ["AortaPatchDataset"]

OPEN_SHARDS = 64
"""Memory maps kept open; each costs a file descriptor and address space, no memory."""


class AortaPatchDataset(Dataset[dict[str, Any]]):
    """Map-style dataset over a patch set on disk; a patch is read when it is asked for.

    Args:
        folder: the patch set (`PreparePatchSet`).
        split: ``"train"``, ``"test"``, or None for all.
        transform: applied to each item.
        limit: at most this many patches, evenly spaced over the split; None takes all.

    Attributes:
        identical_subjects: groups of subjects that are one person, in any split, see `Manifest`.

    Raises:
        FileNotFoundError: when the folder holds no finished patch set.
        ValueError: when the split is unknown or holds no patches, or the limit is not positive.

    Returns:
        Items are dictionaries: `Field.IMAGE` a `MetaTensor` (1, 128, 128) float32 in [-1, 1] with affine and the entries of
        `PatchColumn` as metadata, `Field.VALID` which of its pixels lie inside the field of view (bool, the same shape),
        `Field.SUBJECT` the subject, `Field.VOLUME` the key of the volume.
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
        manifest = read_manifest(self.folder)
        self.volumes = [volume for volume in manifest.kept() if split in (None, volume.split)]
        self.identical_subjects = manifest.identical_subjects
        # a set of a million patches is known by one number each
        counts = np.array([volume.patches for volume in self.volumes], dtype=np.int64)
        self.ends = np.cumsum(counts)
        total = int(counts.sum())
        if not total:
            raise ValueError(
                f"{self.folder}: holds no patches of the split '{split}'; see its manifest for what was excluded."
            )
        self.chosen = (
            np.arange(total) if limit is None else np.linspace(0, total - 1, min(limit, total)).astype(np.int64)
        )
        # opened by each process for itself: a memory map does not travel to the workers of a loader
        self._shard = lru_cache(OPEN_SHARDS)(self._open_shard)

    def __len__(self) -> int:
        return len(self.chosen)

    def place(self, index: int) -> tuple[int, int]:
        """Number of the volume, and row in it, of a patch."""
        patch = self.chosen[index]
        number = int(np.searchsorted(self.ends, patch, side="right"))
        return number, int(patch - (self.ends[number - 1] if number else 0))

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One patch with what is known of it."""
        number, row = self.place(index)
        volume = self.volumes[number]
        patches, columns = self._shard(volume.folder)
        pixels = torch.from_numpy(patches[row].astype(np.float32))[None]
        known = PatchRow.read(columns, row)
        origin = {PatchColumn.SUBJECT: volume.subject, PatchColumn.VOLUME: volume.key, PatchColumn.GRADE: volume.grade}
        image = MetaTensor(pixels, affine=torch.from_numpy(known.affine), meta={**origin, **known.meta()})
        valid = valid_region([known.bounds()], pixels.shape[-1])[0]
        item = {Field.IMAGE: image, Field.VALID: valid, Field.SUBJECT: volume.subject, Field.VOLUME: volume.key}
        return item if self.transform is None else self.transform(item)

    def _places(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the volumes, and rows in them, of some patches."""
        wanted = self.chosen[indices]
        numbers = np.searchsorted(self.ends, wanted, side="right")
        return numbers, wanted - np.concatenate([[0], self.ends])[numbers]

    def read(self, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels and bounds of some patches, each volume opened once.

        Args:
            indices: (N,) places in this data set.

        Returns:
            (N, H, W) float16 in [-1, 1], and (N, 4) int64 as `valid_region` takes them, in the order asked for.
        """
        numbers, rows = self._places(np.asarray(indices, dtype=np.int64))
        if not len(numbers):
            raise ValueError("no patches were asked for: expected at least one index.")
        side = self._shard(self.volumes[numbers[0]].folder)[0].shape[1:]
        pixels = np.empty((len(numbers), *side), dtype=np.float16)
        for number in np.unique(numbers):
            here = np.flatnonzero(numbers == number)
            pixels[here] = self._shard(self.volumes[number].folder)[0][rows[here]]
        return pixels, self._bounds(numbers, rows)

    def _bounds(self, numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Bounds (N, 4) of rows of volumes; pixels are not read for them."""
        bounds = np.empty((len(numbers), len(VALID_COLUMNS)), dtype=np.int64)
        for number in np.unique(numbers):
            here = np.flatnonzero(numbers == number)
            columns = self._shard(self.volumes[number].folder)[1]
            bounds[here] = np.stack([columns[name][rows[here]] for name in VALID_COLUMNS], 1)
        return bounds

    def all_patches(self) -> torch.Tensor:
        """The pixels of all patches in their order, (M, 1, 128, 128) in [-1, 1], in the precision that is on disk."""
        return torch.from_numpy(self.read(np.arange(len(self)))[0])[:, None]

    def all_bounds(self) -> torch.Tensor:
        """Which of their pixels lie inside the field of view, (M, 4), as `valid_region` takes them."""
        return torch.from_numpy(self._bounds(*self._places(np.arange(len(self)))))

    def shards(self) -> list[np.ndarray]:
        """Indices of the patches of each volume, in the order of the volumes; a streaming loader reads them together."""
        numbers = np.searchsorted(self.ends, self.chosen, side="right")
        return [np.flatnonzero(numbers == number) for number in np.unique(numbers)]

    def subjects(self) -> list[str]:
        """Whose each patch is, in the order of the patches."""
        names = [volume.subject for volume in self.volumes]
        return [names[number] for number in np.searchsorted(self.ends, self.chosen, side="right")]

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

    def _open_shard(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        shard = self.folder / name
        return np.load(shard / PATCHES, mmap_mode="r"), np.load(shard / COLUMNS)
