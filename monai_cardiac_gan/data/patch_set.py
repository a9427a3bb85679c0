"""Patches on disk: one memory-mapped file per volume, and one manifest that says what they are."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_cardiac_gan.keys import PatchColumn

__all__ = [
    "AFFINES",
    "COLUMNS",
    "FORMAT",
    "MANIFEST",
    "PATCHES",
    "PatchSetWriter",
    "read_columns",
    "read_manifest",
    "write_json",
]

FORMAT = "monai_cardiac_gan patch set 1"
MANIFEST = "manifest.json"
PATCHES, AFFINES, COLUMNS = "patches.npy", "affines.npy", "columns.csv"
UNFINISHED = ".unfinished"
COLUMN_NAMES = (
    PatchColumn.SLICE,
    PatchColumn.CENTRE_X,
    PatchColumn.CENTRE_Y,
    PatchColumn.DIAMETER,
    PatchColumn.CONFIDENCE,
    PatchColumn.PADDED,
)


class PatchSetWriter:
    """Write a patch set, so that it is either there and complete or not there at all.

    Everything goes to a folder beside the final one, which takes its name when `finish` is called. Patches are stored as
    float16: for values in [-1, 1] the step is at most 0.0005, a quarter of a grey level of 8 bits.

    Args:
        folder: where the patch set will be.
        overwrite: replace a patch set that is there already.

    Raises:
        FileExistsError: when the folder exists and may not be overwritten, or is no patch set.
    """

    def __init__(self, folder: str | os.PathLike[str], overwrite: bool = False) -> None:
        self.folder = Path(folder).resolve()  # a link to another disk stays a link
        if (
            self.folder.exists()
            and any(self.folder.iterdir())
            and not (overwrite and (self.folder / MANIFEST).exists())
        ):
            raise FileExistsError(
                f"{self.folder}: exists already; choose another folder, or overwrite it if it holds a finished patch set."
            )
        self._working = self.folder.with_name(self.folder.name + UNFINISHED)
        shutil.rmtree(self._working, ignore_errors=True)  # left behind by a run that was cut off
        self._working.mkdir(parents=True)
        self._count = 0

    def add(
        self, patches: Sequence[np.ndarray], affines: Sequence[np.ndarray], columns: Sequence[Mapping[str, Any]]
    ) -> str:
        """Store the patches of one volume.

        Args:
            patches: (H, W) each, values in [-1, 1].
            affines: (4, 4) each.
            columns: `PatchColumn` entries of each.

        Returns:
            Name of the shard, for the manifest.

        Raises:
            ValueError: when there is none, their numbers differ, or a value lies outside [-1, 1].
        """
        if not patches or not len(patches) == len(affines) == len(columns):
            raise ValueError(
                f"got {len(patches)} patches, {len(affines)} affines and {len(columns)} rows: "
                "expected equally many, at least one."
            )
        stacked = np.stack([np.asarray(patch, dtype=np.float32) for patch in patches])
        if not (np.abs(stacked) <= 1).all():
            raise ValueError(
                f"patches range from {stacked.min():g} to {stacked.max():g}: expected [-1, 1]; "
                "scale the volume's intensities first."
            )
        shard = self._working / f"volume_{self._count:05d}"
        shard.mkdir()
        np.save(shard / PATCHES, stacked.astype(np.float16))
        np.save(shard / AFFINES, np.stack(affines).astype(np.float64))
        _write_columns(shard / COLUMNS, columns)
        self._count += 1
        return shard.name

    def companion(self, name: str) -> Path:
        """Where to write something that belongs to the set, such as a figure; its folder is made."""
        path = self._working / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def discard(self) -> None:
        """Remove what was written; nothing will be finished."""
        shutil.rmtree(self._working, ignore_errors=True)

    def finish(self, manifest: Mapping[str, Any]) -> Path:
        """Write the manifest and give the folder its final name; returns the manifest's path."""
        write_json(self._working / MANIFEST, {"format": FORMAT, **manifest})
        if self.folder.exists():
            shutil.rmtree(self.folder)
        os.replace(self._working, self.folder)
        return self.folder / MANIFEST


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a reader never sees half of it."""
    unfinished = path.with_name(path.name + UNFINISHED)
    unfinished.write_text(json.dumps(content, indent=4, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(unfinished, path)


def read_manifest(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """The manifest of a finished patch set.

    Raises:
        FileNotFoundError: when the folder holds no finished patch set.
        ValueError: when it is of another format.
    """
    path = Path(folder) / MANIFEST
    if not path.exists():
        raise FileNotFoundError(f"{path}: no finished patch set lies here; run the bundle's `prepare` first.")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if manifest.get("format") != FORMAT:
        raise ValueError(
            f"{path}: has the format {manifest.get('format')!r}, expected {FORMAT!r}; prepare the patch set again."
        )
    return manifest


def read_columns(path: Path) -> list[dict[str, float]]:
    """The rows of one shard's table; the slice is a whole number."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    return [{**row, PatchColumn.SLICE: int(row[PatchColumn.SLICE])} for row in rows]


def _write_columns(path: Path, columns: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMN_NAMES, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(columns)
