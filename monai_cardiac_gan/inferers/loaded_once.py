"""Networks that are loaded once in each process, and anew when a file changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from monai_cardiac_gan.data import settings_digest, settings_of

__all__ = ["LoadedOnce"]

Parts = TypeVar("Parts")


class LoadedOnce(Generic[Parts]):
    """What was loaded last in this process: whoever asks with equal settings shares it, while its files stay as they are.

    Example:
        >>> loaded = LoadedOnce[list]()
        >>> loaded.of({"size": 3}, (), list) is loaded.of({"size": 3}, (), list)
        True
    """

    def __init__(self) -> None:
        self._kept: tuple[str, Parts] | None = None

    def of(self, settings: object, paths: Iterable[str], load: Callable[[], Parts]) -> Parts:
        """The parts.

        Args:
            settings: what they are made with (`data.settings_of`).
            paths: of files that they are loaded from; whether one changed is told by its time and size.
            load: called when others, or none, were loaded last.
        """
        key = settings_digest([settings_of(settings), [_state(Path(path)) for path in paths]])
        if self._kept is None or self._kept[0] != key:
            self._kept = None  # two at once need twice the memory
            self._kept = (key, load())
        return self._kept[1]


def _state(path: Path) -> list[int]:
    """Nothing for a file that is missing."""
    if not path.exists():
        return []
    found = path.stat()
    return [found.st_mtime_ns, found.st_size]
