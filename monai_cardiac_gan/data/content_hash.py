"""Digests that decide whether work is up to date: of input files, and of settings."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monai_cardiac_gan.atomic import write_json

__all__ = [
    "InputState",
    "input_state",
    "read_input_states",
    "settings_digest",
    "settings_of",
    "write_input_states",
]

BLOCK_BYTES = 1 << 20
"""Bytes read at once."""


@dataclass(frozen=True)
class InputState:
    """What an input looked like when it was read.

    Attributes:
        size: bytes, of all files together.
        modified: latest time of modification, ns.
        files: how many files.
        sha256: digest of the content; empty where it was not read.
    """

    size: int
    modified: int
    files: int
    sha256: str = ""


def input_state(path: str | Path, known: InputState | None = None) -> InputState:
    """Digest of a file, or of all files of a folder with their names.

    Files whose size and time are those of the known state are taken as unchanged and not read, as ``make`` and ``rsync`` do.

    Args:
        path: a file, or a folder (a DICOM series).
        known: an earlier state of the same path.

    Raises:
        OSError: when a file cannot be read.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "volume.nii"
        >>> _ = path.write_bytes(b"voxels")
        >>> input_state(path).sha256[:8], input_state(path).size
        ('38d11342', 6)
    """
    path = Path(path)
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    stats = [each.stat() for each in files]
    size, modified = sum(stat.st_size for stat in stats), max((stat.st_mtime_ns for stat in stats), default=0)
    if known is not None and (known.size, known.modified, known.files) == (size, modified, len(files)):
        return known
    digest = hashlib.sha256()
    for each in files:
        if path.is_dir():
            digest.update(repr((str(each.relative_to(path)), each.stat().st_size)).encode())
        with each.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    return InputState(size, modified, len(files), digest.hexdigest())


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


def settings_of(value: Any) -> Any:
    """What a transform, or anything else, was made with: its class and its attributes, as plain JSON values.

    Random states are left out; who uses them seeds them.

    Raises:
        TypeError: when something has no attributes to tell it by.

    Example:
        >>> from monai.transforms import ScaleIntensityRange
        >>> settings_of({"steps": (1, 2.5), "low": None})
        {'steps': [1, 2.5], 'low': None}
        >>> settings_of(ScaleIntensityRange(0, 5, -1, 1))["a_max"]
        5
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, Path | torch.dtype | torch.device | np.dtype):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | torch.Tensor):
        array = np.ascontiguousarray(value)
        return [str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    if isinstance(value, Mapping):
        return {str(name): settings_of(each) for name, each in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        parts = [settings_of(each) for each in value]
        return sorted(parts, key=repr) if isinstance(value, set | frozenset) else parts
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, np.random.RandomState | np.random.Generator | torch.Generator):
        return None
    if hasattr(value, "__dict__"):
        kind = type(value)
        return {"class": f"{kind.__module__}.{kind.__qualname__}"} | {
            name: settings_of(each) for name, each in vars(value).items() if not _is_random(each)
        }
    raise TypeError(f"{type(value).__name__} has no attributes that tell what it was made with: use a plain class.")


def settings_digest(settings: Any) -> str:
    """SHA-256 of JSON values, whatever the order of their names.

    Example:
        >>> settings_digest({"a": 1, "b": [2]}) == settings_digest({"b": [2], "a": 1})
        True
    """
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _is_random(value: Any) -> bool:
    return isinstance(value, np.random.RandomState | np.random.Generator | torch.Generator)
