"""The one way to write: files and folders that are either whole or not there.

All that the package leaves on a disk is written beside its place under a hidden name of its own, brought to the disk and
renamed, so that a reader never meets a part of it, whenever the writer is stopped and however many write at once.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

__all__ = [
    "atomic_file",
    "atomic_folder",
    "atomic_path",
    "is_unfinished",
    "remove_unfinished",
    "write_array",
    "write_json",
    "write_text",
]

UNFINISHED = ".unfinished-"
"""Begins the name of what is being written; 32 hexadecimal digits and the name to be follow."""


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write to, and put what was written there in its place; the folder is made.

    For libraries that want a path and look at its ending. Whatever goes wrong, a file that was there stays as it was, and no
    part of the new one is left.

    Args:
        path: the file.

    Yields:
        A path in the same folder, whose name ends like that of the file.

    Raises:
        OSError: when it cannot be written, for example because the disk is full.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with atomic_path(Path(folder, "a.txt")) as path:
        ...         _ = path.write_text("all of it")
        ...     [each.name for each in Path(folder).iterdir()]
        ['a.txt']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path)
    try:
        yield unfinished
        _synchronise(unfinished)
        unfinished.replace(path)
        _synchronise(path.parent)
    except (OSError, RuntimeError) as error:  # the latter is what torch.save makes of a full disk
        state = "is as it was" if path.exists() else "was not made"
        raise OSError(
            f"{path} could not be written ({error}) and {state}: free space on its disk, then go on."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that appears when all of it is on the disk; see `atomic_path`.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     with atomic_file(path) as file:
        ...         _ = file.write(b"all of it")
        ...         path.exists()
        ...     path.read_text()
        False
        'all of it'
    """
    with atomic_path(path) as unfinished, unfinished.open("wb") as file:
        yield file


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder to fill, and put it in its place when all of its files are on the disk.

    A folder that is there already stays, and the new one is dropped: whoever writes the same twice loses nothing. Remove it
    first to replace it.

    Args:
        path: the folder.

    Yields:
        An empty folder beside it.

    Raises:
        OSError: when it cannot be written; nothing is left of it then.
    """
    path = Path(path)
    unfinished = _unfinished(path)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        for each in (*unfinished.iterdir(), unfinished):
            _synchronise(each)
        _rename(unfinished, path)
        _synchronise(path.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write a text in UTF-8; returns the path."""
    with atomic_file(path) as file:
        file.write(text.encode("utf-8"))
    return Path(path)


def write_json(path: str | os.PathLike[str], content: Any) -> Path:
    """Write JSON values, indented by four; returns the path.

    Raises:
        ValueError: when a number is not finite, which JSON does not know.
    """
    return write_text(path, json.dumps(content, indent=4, allow_nan=False) + "\n")


def write_array(path: str | os.PathLike[str], array: np.ndarray) -> Path:
    """Write an array as NumPy's ``.npy``; returns the path."""
    with atomic_file(path) as file:
        np.save(file, array)
    return Path(path)


def is_unfinished(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of something that was being written."""
    return Path(path).name.startswith(UNFINISHED)


def remove_unfinished(folder: str | os.PathLike[str]) -> None:
    """Remove what writers left that were killed; call it where no other process writes."""
    for left in Path(folder).glob(f"{UNFINISHED}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{UNFINISHED}{uuid.uuid4().hex}-{path.name}")


def _rename(unfinished: Path, path: Path) -> None:
    try:
        unfinished.rename(path)
    except OSError:
        if not path.is_dir():  # else another process was faster, with the same
            raise


def _synchronise(path: Path) -> None:
    """Bring a file or the names in a folder to the disk, so that a power cut leaves no empty file behind a name."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
