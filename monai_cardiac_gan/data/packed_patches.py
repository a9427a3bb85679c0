"""A patch set in one small file of 8-bit pixels, to be carried to another machine and unpacked there."""

from __future__ import annotations

import io
import logging
import os
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from monai_cardiac_gan.atomic import atomic_path
from monai_cardiac_gan.data.manifest import MANIFEST, Manifest, PatchRow, VolumeEntry, read_manifest, write_manifest
from monai_cardiac_gan.data.merged_patches import people_of_several_names, without_pictures
from monai_cardiac_gan.data.patch_set import COLUMNS, FINGERPRINTS, PATCHES
from monai_cardiac_gan.data.patch_store import PatchStore
from monai_cardiac_gan.data.splits import TRAIN

__all__ = ["pack_patches", "read_packed_manifest", "unpack_patches"]

logger = logging.getLogger(__name__)

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
        leave_out: patterns of subjects that stay behind, such as ``la_003`` or ``phantom_*``; with them stay those who share
            an image with them, under whatever name, which the log says.

    Raises:
        FileNotFoundError: when the folder holds no finished patch set.
        ValueError: when no volume is left.
    """
    manifest = read_manifest(folder)
    behind = _left_behind(manifest, leave_out)
    chosen = [each for each in manifest.kept() if each.subject not in behind]
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
            if (fingerprint := PatchStore(folder).array(str(entry.key), FINGERPRINTS)) is not None:
                _write(archive, f"{entry.folder}/{FINGERPRINTS}", fingerprint)
        archive.writestr(MANIFEST, _manifest_text(_part_of(manifest, chosen)))
    return Path(path)


def unpack_patches(
    path: str | os.PathLike[str], folder: str | os.PathLike[str], split: str | None = TRAIN, overwrite: bool = False
) -> Path:
    """Make a patch set of a packed file.

    Args:
        path: of the file.
        folder: where the patch set goes.
        split: of all its subjects; None keeps the split that they had.
        overwrite: replace another patch set that lies there.

    Returns:
        Path of the manifest.

    Raises:
        FileNotFoundError: when there is no such file.
        FileExistsError: when the folder holds something else, or a set of other volumes or with another split.
        ValueError: when it is no packed patch set.
    """
    manifest = read_packed_manifest(path)
    store = PatchStore(folder)
    with store.claimed(), zipfile.ZipFile(path) as archive:
        entries = [replace(each, split=split or each.split) for each in manifest.volumes]
        store.refuse_another_set(entries, overwrite)
        stored = set(archive.namelist())
        for entry in entries:
            pixels = _read(archive, f"{entry.folder}/{PATCHES}") / np.float32(HALF_RANGE) - 1
            columns = _read(archive, f"{entry.folder}/{COLUMNS}")
            rows = [PatchRow.read(columns, row) for row in range(len(columns))]
            name = f"{entry.folder}/{FINGERPRINTS}"
            arrays = {FINGERPRINTS: _read(archive, name)} if name in stored else {}
            store.add_patches(replace(entry, split=None), pixels.astype(np.float16), rows, arrays)
        return store.replace_with(replace(manifest, volumes=entries))


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


def _left_behind(manifest: Manifest, patterns: Sequence[str]) -> set[str]:
    """Subjects that patterns name, and all who share an image with them."""
    named = {each.subject for each in manifest.volumes if any(fnmatchcase(each.subject, name) for name in patterns)}
    joined = [*manifest.identical_subjects, *(pair.subjects for pair in manifest.nearly_identical_images)]
    behind = set(named)
    for group in people_of_several_names(manifest.volumes, joined):
        if others := sorted(set(group) - named) if named & set(group) else []:
            logger.warning("%s stay behind, too: they share an image with %s", others, sorted(named & set(group)))
            behind |= set(group)
    return behind


def _part_of(manifest: Manifest, chosen: Sequence[VolumeEntry]) -> Manifest:
    """The manifest of some of its volumes."""
    people = {entry.subject for entry in chosen}
    groups = [[name for name in group if name in people] for group in manifest.identical_subjects]
    return replace(
        manifest,
        volumes=[without_pictures(entry) for entry in chosen],
        identical_subjects=[group for group in groups if len(group) > 1],
        nearly_identical_images=[pair for pair in manifest.nearly_identical_images if people >= {*pair.subjects}],
    )


def _manifest_text(manifest: Manifest) -> bytes:
    with TemporaryDirectory() as folder:
        return write_manifest(folder, manifest).read_bytes()


def _write(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    archive.writestr(name, buffer.getvalue())


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    return np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
