"""Digests of input files, which decide whether work is up to date."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.data.volume_files import volume_files

__all__ = ["InputNotes", "InputState", "input_state", "read_input_states", "told_by_content", "write_input_states"]

BLOCK_BYTES = 1 << 20
"""Bytes read at once."""
INPUTS = "inputs.json"
"""Sizes, times and digests of the files that were read, so that a second run need not read them."""
NOTE_SECONDS = 10.0
"""How often that file is brought up to date during a run."""


@dataclass(frozen=True)
class InputState:
    """What an input looked like when it was read.

    Attributes:
        size: bytes, of all files together.
        modified: latest time of modification, ns.
        files: how many files.
        sha256: digest of the content; empty where it was not read.
        listing: digest of name, size and times of each file; empty in states of earlier versions, which are read again.
    """

    size: int
    modified: int
    files: int
    sha256: str = ""
    listing: str = ""


def input_state(path: str | Path, known: InputState | None = None) -> InputState:
    """Digest of all files that a volume is read from (`volume_files`); of several with their names.

    When each file has the name, the size and the times of the known state, all are taken as unchanged and not read, as
    ``make`` and ``rsync`` do. The times are those of the content and of the file's entry (``st_ctime``): an archive that is
    unpacked gives files the content's time of long ago, but not the entry's.

    Args:
        path: a file, or a folder (a DICOM series).
        known: an earlier state of the same path.

    Raises:
        OSError: when one of the files cannot be read.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "volume.nii"
        >>> _ = path.write_bytes(b"voxels")
        >>> input_state(path).sha256[:8], input_state(path).size
        ('38d11342', 6)
    """
    path = Path(path)
    files = volume_files(path)
    stats = [each.stat() for each in files]
    # one file's name is not told, so that nobody can try names until the digest fits
    names = [os.path.relpath(each, path.parent) for each in files] if len(files) > 1 else [""] * len(files)
    rows = [(name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in zip(names, stats, strict=True)]
    listing = hashlib.sha256(repr(rows).encode()).hexdigest()
    if known is not None and known.listing == listing:
        return known
    size, modified = sum(stat.st_size for stat in stats), max((stat.st_mtime_ns for stat in stats), default=0)
    return InputState(size, modified, len(files), _content(path, files), listing)


def _content(path: Path, files: Sequence[Path]) -> str:
    """SHA-256 of one file, or of several with their names, relative to the folder that holds the first."""
    digest = hashlib.sha256()
    folder = path if path.is_dir() else path.parent
    for each in files:
        if files != [path]:
            digest.update(repr((os.path.relpath(each, folder), each.stat().st_size)).encode())
        with each.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()


def read_input_states(path: str | Path) -> dict[str, Mapping[str, InputState]]:
    """What `write_input_states` wrote; nothing where there is no such file."""
    if not Path(path).exists():
        return {}
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    return {name: {field: InputState(**state) for field, state in each.items()} for name, each in content.items()}


def write_input_states(path: str | Path, states: Mapping[str, Mapping[str, InputState]]) -> None:
    """Write the states of the files of many volumes, by name of the image and field."""
    content = {name: {field: asdict(state) for field, state in states[name].items()} for name in sorted(states)}
    write_json(path, content)


def told_by_content(settings: Any) -> Any:
    """JSON values in which the digest of a file stands for its path, so that weights elsewhere are the same weights.

    Args:
        settings: see `settings_of`.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "model.pt"
        >>> _ = path.write_bytes(b"voxels")
        >>> told_by_content({"weights": str(path), "seed": 0})["weights"][:15]
        'sha256:38d11342'
    """
    if isinstance(settings, Mapping):
        return {name: told_by_content(value) for name, value in settings.items()}
    if isinstance(settings, list):
        return [told_by_content(value) for value in settings]
    if isinstance(settings, str) and os.path.isfile(
        settings
    ):  # unlike Path, for texts that no system takes for a path, too
        return f"sha256:{input_state(settings).sha256}"
    return settings


class InputNotes:
    """States of the files of many volumes in a file of a folder, brought up to date during a run.

    Args:
        folder: holds ``inputs.json``, or will.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> notes = InputNotes(folder)
        >>> notes.add("a.nii", {"image": InputState(6, 0, 1)})
        >>> notes.write()
        >>> InputNotes(folder).known("a.nii")["image"].size
        6
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.path = Path(folder) / INPUTS
        self._states = read_input_states(self.path)
        self._written = time.monotonic()

    def known(self, image: str) -> Mapping[str, InputState] | None:
        """States of a volume's files, by field, when they were read last."""
        return self._states.get(image)

    def add(self, image: str, states: Mapping[str, InputState]) -> None:
        """Note states that are not empty; the file follows every ten seconds, and when `write` is called."""
        if states:
            self._states[image] = states
        if time.monotonic() - self._written > NOTE_SECONDS:
            self.write()

    def write(self) -> None:
        """Write the file."""
        write_input_states(self.path, self._states)
        self._written = time.monotonic()
