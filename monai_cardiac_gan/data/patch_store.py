"""Where a patch set grows: volume by volume, in any order, by any number of processes."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from monai_cardiac_gan.atomic import atomic_folder, is_unfinished, remove_unfinished, write_array
from monai_cardiac_gan.data.claimed_folder import LOCK, claimed_folder
from monai_cardiac_gan.data.manifest import (
    MANIFEST,
    PROVENANCE,
    VOLUMES,
    Manifest,
    PatchRow,
    Provenance,
    VolumeEntry,
    column_table,
    read_manifest,
    read_volume_entry,
    write_manifest,
    write_provenance,
    write_volume_entry,
)
from monai_cardiac_gan.data.patch_set import COLUMNS, PATCHES

__all__ = ["PatchStore"]

KEY = re.compile(r"[\w-]+")
SHOWN = 3
"""Names that a message lists."""


class PatchStore:
    """The folder of a patch set, finished or not.

    Each volume has a folder of its own, named by what it was made from, which appears when all of it is on the disk
    (`atomic_folder`), so that a process may be stopped at any moment and at most the volume in its hands is lost. The set is
    there once `finish` has written the manifest, which names the volumes that belong to it.

    Args:
        folder: where the patch set is or will be.

    Example:
        >>> import tempfile
        >>> store = PatchStore(tempfile.mkdtemp())
        >>> store.add(VolumeEntry("ann", "a.nii", reason="too noisy", key="a1")).status
        'excluded'
        >>> store.outcome("a1").reason, store.outcome("b2")
        ('too noisy', None)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).resolve()  # a link to another disk stays a link

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other runs out of the folder inside; the claim ends with the process, however that ends.

        Raises:
            FileExistsError: when the folder holds anything but a patch set.
            RuntimeError: when another process has claimed it.
        """
        self._refuse_other_folders()
        with claimed_folder(self.folder, "preparing this patch set"):
            remove_unfinished(self.folder / VOLUMES)
            yield

    def volume(self, key: str) -> Path:
        """Folder of a volume.

        Raises:
            ValueError: when the key is no plain name.
        """
        if not KEY.fullmatch(key):
            raise ValueError(f"the key is '{key}': expected letters, digits, '_' and '-'.")
        return self.folder / VOLUMES / key

    def outcome(self, key: str) -> VolumeEntry | None:
        """What became of a volume; None if nobody has finished it."""
        return read_volume_entry(self.volume(key))

    def add(
        self,
        entry: VolumeEntry,
        arrays: Mapping[str, np.ndarray] | None = None,
        companions: Mapping[str, Callable[[Path], Any]] | None = None,
    ) -> VolumeEntry:
        """Write the folder of a volume, all or nothing.

        Args:
            entry: what became of it; what is there already under its key stays, being the same.
            arrays: file name -> array.
            companions: file name -> function that writes it there, such as a figure.

        Returns:
            The entry that is on the disk.

        Raises:
            ValueError: when the entry has no key.
            OSError: when the disk is full or cannot be written; nothing half-written is left.
        """
        if entry.key is None:
            raise ValueError(f"{entry.image} has no key: expected one, which names its folder.")
        target = self.volume(entry.key)
        with atomic_folder(target) as working:
            for name, array in (arrays or {}).items():
                write_array(working / name, array)
            for name, write in (companions or {}).items():
                write(working / name)
            write_volume_entry(working, entry)
            if self.outcome(entry.key) is None:
                shutil.rmtree(target, ignore_errors=True)  # somebody removed a part of it
        return self.outcome(entry.key) or entry

    def add_patches(
        self,
        entry: VolumeEntry,
        patches: np.ndarray,
        rows: list[PatchRow],
        arrays: Mapping[str, np.ndarray] | None = None,
        companions: Mapping[str, Callable[[Path], Any]] | None = None,
    ) -> VolumeEntry:
        """Write a volume with patches; the entry gets their number.

        Args:
            entry: see `add`.
            patches: `patch_stack` of them.
            rows: one for each patch.
            arrays: more arrays, see `add`.
            companions: see `add`.

        Raises:
            ValueError: when there is not one row a patch.
            OSError: see `add`.
        """
        if len(patches) != len(rows):
            raise ValueError(f"got {len(patches)} patches and {len(rows)} rows: expected equally many.")
        stored = {PATCHES: patches, COLUMNS: column_table(rows), **(arrays or {})}
        return self.add(replace(entry, patches=len(patches)), stored, companions)

    def array(self, key: str, name: str) -> np.ndarray | None:
        """An array of a volume; None if it has none of that name."""
        path = self.volume(key) / name
        return np.load(path) if path.exists() else None

    def finish(self, manifest: Manifest, provenance: Provenance | None = None) -> Path:
        """Write the manifest, which makes the set complete; nothing is touched when it says what it said before."""
        if provenance is not None:
            write_provenance(self.folder, provenance)
        return write_manifest(self.folder, manifest)

    def refuse_another_set(self, volumes: Iterable[VolumeEntry], overwrite: bool = False) -> None:
        """Keep a finished set of other volumes, or with another split, from being replaced.

        Args:
            volumes: of the set that is to lie here.
            overwrite: replace it all the same.

        Raises:
            FileExistsError: when there is such a set.
            ValueError: when a manifest is there that cannot be read.
        """
        if overwrite or not (self.folder / MANIFEST).exists():
            return
        before = _contents(read_manifest(self.folder).volumes)
        if before != _contents(volumes):
            names = ", ".join(sorted({subject for subject, _, _ in before})[:SHOWN])
            raise FileExistsError(
                f"{self.folder}: holds a patch set of other volumes or with another split ({names}); choose another folder, or "
                "overwrite it."
            )

    def replace_with(self, manifest: Manifest) -> Path:
        """Finish a set that was copied here; what another set left goes, and a set of the same volumes stays as it is."""
        path = self.folder / MANIFEST
        try:
            is_same = path.exists() and _contents(read_manifest(self.folder).volumes) == _contents(manifest.volumes)
        except ValueError:  # damaged, or of another format: it is replaced
            path.unlink()
            is_same = False
        if not is_same:
            write_manifest(self.folder, manifest)
            (self.folder / PROVENANCE).unlink(missing_ok=True)
            self.remove_others(entry.key for entry in manifest.volumes if entry.key)
        return path

    def remove_others(self, keys: Iterable[str]) -> list[str]:
        """Remove the volumes that have none of these keys: those of another configuration, or replaced ones."""
        kept = set(keys)
        folder = self.folder / VOLUMES
        others = sorted(path.name for path in folder.iterdir() if path.name not in kept) if folder.is_dir() else []
        for name in others:
            shutil.rmtree(folder / name, ignore_errors=True)
        return others

    def _refuse_other_folders(self) -> None:
        found = self.folder.iterdir() if self.folder.exists() else ()
        entries = {entry.name for entry in found if not is_unfinished(entry)}
        if entries and not entries & {MANIFEST, VOLUMES, LOCK}:
            raise FileExistsError(
                f"{self.folder}: holds {', '.join(sorted(entries)[:SHOWN])} and no patch set; choose another folder."
            )


def _contents(volumes: Iterable[VolumeEntry]) -> set[tuple[str, str | None, str | None]]:
    return {(entry.subject, entry.key, entry.split) for entry in volumes if entry.is_kept}
