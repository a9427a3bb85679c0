"""Patches on disk: what a patch set looks like, and how it is read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monai_cardiac_gan.data.valid_region import VALID_COLUMNS
from monai_cardiac_gan.keys import PatchColumn

__all__ = [
    "AFFINE",
    "COLUMNS",
    "COLUMN_TYPE",
    "FORMAT",
    "MANIFEST",
    "PATCHES",
    "PROVENANCE",
    "UNFINISHED",
    "VOLUMES",
    "column_table",
    "patch_stack",
    "read_manifest",
    "write_json",
]

FORMAT = "monai_cardiac_gan patch set 2"
MANIFEST, PROVENANCE = "manifest.json", "provenance.json"
VOLUMES = "volumes"
"""Folder with one folder for each volume."""
PATCHES, COLUMNS = "patches.npy", "columns.npy"
UNFINISHED = ".unfinished"
AFFINE = "affine"
"""Column of the patches' affines, (4, 4)."""
COLUMN_TYPE = np.dtype(
    [
        (PatchColumn.SLICE, "<i4"),
        *((name, "<i2") for name in VALID_COLUMNS),
        *(
            (name, "<f8")
            for name in (
                PatchColumn.CENTRE_X,
                PatchColumn.CENTRE_Y,
                PatchColumn.DIAMETER,
                PatchColumn.CONFIDENCE,
                PatchColumn.PADDED,
                PatchColumn.INTENSITY_LOW,
                PatchColumn.INTENSITY_HIGH,
            )
        ),
        (AFFINE, "<f8", (4, 4)),
    ]
)
"""What is kept of each patch beside its pixels, one row a patch."""


def patch_stack(patches: Sequence[np.ndarray]) -> np.ndarray:
    """Patches as they are stored: (N, H, W) float16, whose step is at most 0.0005 in [-1, 1], an eighth of a grey level
    of 8 bits.

    Raises:
        ValueError: when there are none, or a value lies outside [-1, 1].
    """
    if not len(patches):
        raise ValueError("there are no patches: expected at least one; leave the volume out.")
    stacked = np.stack([np.asarray(patch, dtype=np.float32) for patch in patches])
    if not (np.abs(stacked) <= 1).all():
        raise ValueError(
            f"patches range from {stacked.min():g} to {stacked.max():g}: expected [-1, 1]; "
            "scale the volume's intensities first."
        )
    return stacked.astype(np.float16)


def column_table(columns: Sequence[Mapping[str, Any]], affines: Sequence[np.ndarray], size: int) -> np.ndarray:
    """What is known of the patches as a table of `COLUMN_TYPE`.

    Args:
        columns: `PatchColumn` entries of each patch; the brightness window may be missing and is then that of patches in
            [-1, 1], and without bounds the whole patch is valid.
        affines: (4, 4) each.
        size: side of the patches, pixels.

    Raises:
        ValueError: when their numbers differ.
    """
    if len(columns) != len(affines):
        raise ValueError(f"got {len(columns)} rows and {len(affines)} affines: expected one of each for every patch.")
    usual: dict[str, float] = dict(zip(VALID_COLUMNS, (0, size, 0, size), strict=True))
    usual |= {PatchColumn.INTENSITY_LOW: -1.0, PatchColumn.INTENSITY_HIGH: 1.0}
    table = np.zeros(len(columns), dtype=COLUMN_TYPE)
    for row, (known, affine) in enumerate(zip(columns, affines, strict=True)):
        for name in COLUMN_TYPE.names or ():
            table[name][row] = affine if name == AFFINE else {**usual, **known}[name]
    return table


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
