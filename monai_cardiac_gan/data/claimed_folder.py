"""One run at a time in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from monai_cardiac_gan.atomic import remove_unfinished

__all__ = ["LOCK", "claimed_folder"]

LOCK = ".lock"


@contextmanager
def claimed_folder(folder: str | os.PathLike[str], work: str) -> Iterator[None]:
    """Make a folder and keep other runs out of it inside; the claim ends with the process, however that ends.

    What writers left there that were killed is removed.

    Args:
        folder: where the work is done.
        work: what another process would be doing there, for the message.

    Raises:
        RuntimeError: when another process has claimed it.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RuntimeError(
            f"{path}: another process is {work}; wait until it has ended, or choose another folder."
        ) from error
    try:
        remove_unfinished(path)
        yield
    finally:
        lock.release()
