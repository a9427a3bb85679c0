"""Files that are either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["whole_file"]


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside its place, and put it there when all of it is on the disk; its folder is made.

    Whatever goes wrong, a file that was there stays as it was, and no part of the new one is left.

    Args:
        path: the file.

    Yields:
        The new file, open for writing.

    Raises:
        OSError: when it cannot be written, for example because the disk is full.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     with whole_file(path) as file:
        ...         _ = file.write(b"all of it")
        ...         path.exists()
        ...     path.read_text()
        False
        'all of it'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a crash of the machine after the renaming must not leave an empty file
        unfinished.replace(path)
    except (OSError, RuntimeError) as error:  # the latter is what torch.save makes of a full disk
        state = "is as it was" if path.exists() else "was not made"
        raise OSError(
            f"{path} could not be written ({error}) and {state}: free space on its disk, then go on."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
