"""A patch set in one small file of 8-bit pixels, to be carried to another machine and unpacked there."""

from __future__ import annotations

import io
import os
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from monai_cardiac_gan.atomic import atomic_path
from monai_cardiac_gan.data.manifest import MANIFEST, Manifest, PatchRow, VolumeEntry, read_manifest, write_manifest
from monai_cardiac_gan.data.patch_set import COLUMNS, PATCHES
from monai_cardiac_gan.data.patch_store import PatchStore
from monai_cardiac_gan.data.splits import TRAIN

__all__ = ["merge_patch_sets", "pack_patches", "read_packed_manifest", "unpack_patches"]

HALF_RANGE = 127.5
"""Grey levels of 8 bits in a unit of [-1, 1]: a pixel comes back to within 1/255."""
DRAWN = "phantom_*"
"""Subjects that are drawn, and can be drawn again elsewhere."""


def pack_patches(folder: str | os.PathLike[str], path: str | os.PathLike[str], leave_out: Sequence[str] = ()) -> Path:
    r"""Write the kept volumes of a patch set to one file, acquired ones before phantoms.

    A pixel :math:`x \in [-1, 1]` becomes the grey level :math:`\mathrm{round}(127.5 (x + 1))`. Rows and manifest stay as they
    are. The file is a ZIP archive, LZMA compressed.

    Args:
        folder: the patch set.
        path: of the file, ``.zip``.
        leave_out: patterns of subjects that stay behind, such as ``la_003`` or ``phantom_*``.

    Raises:
        FileNotFoundError: when the folder holds no finished patch set.
        ValueError: when no volume is left.
    """
    manifest = read_manifest(folder)
    chosen = [each for each in manifest.kept() if not any(fnmatchcase(each.subject, name) for name in leave_out)]
    if not chosen:
        raise ValueError(f"{folder}: no volume is left without {list(leave_out)}; leave fewer subjects out.")
    chosen.sort(key=lambda entry: fnmatchcase(entry.subject, DRAWN))
    with (
        atomic_path(Path(path)) as working,
        zipfile.ZipFile(working, "w", zipfile.ZIP_LZMA) as archive,
    ):
        for entry in chosen:
            pixels = np.load(Path(folder) / entry.folder / PATCHES).astype(np.float32)
            _write(archive, f"{entry.folder}/{PATCHES}", np.rint(HALF_RANGE * (pixels + 1)).astype(np.uint8))
            _write(archive, f"{entry.folder}/{COLUMNS}", np.load(Path(folder) / entry.folder / COLUMNS))
        archive.writestr(MANIFEST, _manifest_text(replace(manifest, volumes=[_without_pictures(e) for e in chosen])))
    return Path(path)


def unpack_patches(path: str | os.PathLike[str], folder: str | os.PathLike[str], split: str | None = TRAIN) -> Path:
    """Make a patch set of a packed file.

    Args:
        path: of the file.
        folder: where the patch set goes.
        split: of all its subjects; None keeps the split that they had.

    Returns:
        Path of the manifest.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is no packed patch set.
    """
    manifest = read_packed_manifest(path)
    store = PatchStore(folder)
    with store.claimed(), zipfile.ZipFile(path) as archive:
        entries = [replace(each, split=split or each.split) for each in manifest.volumes]
        for entry in entries:
            pixels = _read(archive, f"{entry.folder}/{PATCHES}") / np.float32(HALF_RANGE) - 1
            columns = _read(archive, f"{entry.folder}/{COLUMNS}")
            rows = [PatchRow.read(columns, row) for row in range(len(columns))]
            store.add_patches(replace(entry, split=None), pixels.astype(np.float16), rows)
        return write_manifest(store.folder, replace(manifest, volumes=entries))


def read_packed_manifest(path: str | os.PathLike[str]) -> Manifest:
    """The manifest in a packed file.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when it is no packed patch set.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: no packed patch set lies here; make one with `training.pack`.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: is no packed patch set, expected a ZIP archive; pack the patches again.")
    with zipfile.ZipFile(path) as archive, TemporaryDirectory() as folder:
        if MANIFEST not in archive.namelist():
            raise ValueError(f"{path}: is no packed patch set, it holds no {MANIFEST}; pack the patches again.")
        archive.extract(MANIFEST, folder)
        return read_manifest(folder)


def merge_patch_sets(folders: Sequence[str | os.PathLike[str]], target: str | os.PathLike[str]) -> Path:
    """One patch set of the kept volumes of several, each with the split that it had.

    Args:
        folders: finished patch sets, without a common subject.
        target: where the new one goes.

    Returns:
        Path of the manifest.

    Raises:
        ValueError: when two of them have a subject in common.
    """
    manifests = [read_manifest(folder) for folder in folders]
    people = Counter(subject for manifest in manifests for subject in {entry.subject for entry in manifest.kept()})
    if common := sorted(subject for subject, count in people.items() if count > 1):
        raise ValueError(f"{common} are in several patch sets: expected each person in one; leave them out of one.")
    store = PatchStore(target)
    with store.claimed():
        for folder, manifest in zip(folders, manifests, strict=True):
            for entry in manifest.kept():
                columns = np.load(Path(folder) / entry.folder / COLUMNS)
                rows = [PatchRow.read(columns, row) for row in range(len(columns))]
                pixels = np.load(Path(folder) / entry.folder / PATCHES)
                store.add_patches(replace(_without_pictures(entry), split=None), pixels, rows)
        volumes = [_without_pictures(entry) for manifest in manifests for entry in manifest.kept()]
        return write_manifest(store.folder, Manifest(volumes))


def _without_pictures(entry: VolumeEntry) -> VolumeEntry:
    return replace(entry, row=None, tiles=None, figure=None)


def _manifest_text(manifest: Manifest) -> bytes:
    with TemporaryDirectory() as folder:
        return write_manifest(folder, manifest).read_bytes()


def _write(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    archive.writestr(name, buffer.getvalue())


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    return np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
