"""Where a patch set grows: volume by volume, in any order, by any number of processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from monai_cardiac_gan.data.patch_set import COLUMNS, FORMAT, MANIFEST, PATCHES, PROVENANCE, VOLUMES, write_json

__all__ = ["OUTCOME", "PatchStore"]

OUTCOME = "outcome.json"
LOCK = ".lock"
KEY = re.compile(r"[\w-]+")


class PatchStore:
    """The folder of a patch set, finished or not.

    Each volume has a folder of its own, named by what it was made from. The folder is written under a hidden name and
    renamed when all of it is on the disk, so that a process may be stopped at any moment and at most the volume in its
    hands is lost. The set is there once `finish` has written the manifest, which names the volumes that belong to it.

    Args:
        folder: where the patch set is or will be.

    Example:
        >>> import tempfile
        >>> store = PatchStore(tempfile.mkdtemp())
        >>> store.add("a1", {"status": "left out"}, {})
        {'status': 'left out'}
        >>> store.outcome("a1"), store.outcome("b2")
        ({'status': 'left out'}, None)
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
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise RuntimeError(
                f"{self.folder}: another process is preparing this patch set; wait until it has ended, or choose another "
                "folder."
            ) from error
        try:
            for left in (self.folder / VOLUMES).glob(".*"):  # by a process that was stopped while it wrote
                shutil.rmtree(left, ignore_errors=True)
            yield
        finally:
            lock.release()

    def volume(self, key: str) -> Path:
        """Folder of a volume.

        Raises:
            ValueError: when the key is no plain name.
        """
        if not KEY.fullmatch(key):
            raise ValueError(f"the key is '{key}': expected letters, digits, '_' and '-'.")
        return self.folder / VOLUMES / key

    def outcome(self, key: str) -> dict[str, Any] | None:
        """What became of a volume; None if nobody has finished it."""
        try:
            text = (self.volume(key) / OUTCOME).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        outcome: dict[str, Any] = json.loads(text)
        return outcome

    def add(
        self,
        key: str,
        outcome: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray],
        companions: Mapping[str, Callable[[Path], Any]] | None = None,
    ) -> dict[str, Any]:
        """Write the folder of a volume, all or nothing.

        Args:
            key: its name; what is there already under that name stays, being the same.
            outcome: what became of it.
            arrays: file name -> array.
            companions: file name -> function that writes it there, such as a figure.

        Returns:
            The outcome that is on the disk.

        Raises:
            OSError: when the disk is full or cannot be written; nothing half-written is left.
        """
        target = self.volume(key)
        working = target.with_name(f".{key}.{uuid.uuid4().hex}")
        working.mkdir(parents=True)
        try:
            for name, array in arrays.items():
                np.save(working / name, array)
            for name, write in (companions or {}).items():
                write(working / name)
            write_json(working / OUTCOME, outcome)
            _synchronise(working)
            if self.outcome(key) is None:
                shutil.rmtree(target, ignore_errors=True)  # somebody removed a part of it
                _rename(working, target)
        finally:
            shutil.rmtree(working, ignore_errors=True)
        stored = self.outcome(key)
        return dict(outcome) if stored is None else stored

    def add_patches(
        self,
        key: str,
        outcome: Mapping[str, Any],
        patches: np.ndarray,
        columns: np.ndarray,
        arrays: Mapping[str, np.ndarray] | None = None,
        companions: Mapping[str, Callable[[Path], Any]] | None = None,
    ) -> dict[str, Any]:
        """Write a volume with patches; the outcome gets their number and where they are.

        Args:
            key: see `add`.
            outcome: see `add`.
            patches: `patch_stack` of them.
            columns: `column_table` of them.
            arrays: more arrays, see `add`.
            companions: see `add`.

        Raises:
            ValueError: when there is not one row a patch.
            OSError: see `add`.
        """
        if len(patches) != len(columns):
            raise ValueError(f"got {len(patches)} patches and {len(columns)} rows: expected equally many.")
        entry = {**outcome, "shard": f"{VOLUMES}/{key}", "patches": len(patches)}
        return self.add(key, entry, {PATCHES: patches, COLUMNS: columns, **(arrays or {})}, companions)

    def array(self, key: str, name: str) -> np.ndarray | None:
        """An array of a volume; None if it has none of that name."""
        path = self.volume(key) / name
        return np.load(path) if path.exists() else None

    def finish(self, manifest: Mapping[str, Any], provenance: Mapping[str, Any] | None = None) -> Path:
        """Write the manifest, which makes the set complete; nothing is touched when it says what it said before."""
        if provenance is not None:
            write_json(self.folder / PROVENANCE, provenance)
        path, content = self.folder / MANIFEST, {"format": FORMAT, **manifest}
        self.folder.mkdir(parents=True, exist_ok=True)
        if not path.exists() or json.loads(path.read_text(encoding="utf-8")) != json.loads(json.dumps(content)):
            write_json(path, content)
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
        entries = {entry.name for entry in self.folder.iterdir()} if self.folder.exists() else set()
        if entries and not entries & {MANIFEST, VOLUMES, LOCK}:
            raise FileExistsError(
                f"{self.folder}: holds {', '.join(sorted(entries)[:3])} and no patch set; choose another folder."
            )


def _rename(working: Path, target: Path) -> None:
    try:
        os.rename(working, target)
    except OSError:
        if not target.exists():  # another process was faster, with the same
            raise


def _synchronise(folder: Path) -> None:
    """Bring a folder's files to the disk before it gets its name, so that a power cut leaves no empty files behind."""
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
