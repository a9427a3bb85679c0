"""Text headers of MetaImage and NRRD files: what they state, and which other files hold the voxels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TextHeader", "meta_image_header", "nrrd_header"]

LONGEST_LINE = 1 << 16
"""Bytes; a longer line is voxels that were taken for text."""
MOST_LINES = 100_000
"""More than the header of any volume has, with one file for each of its slices."""
LOCAL, LIST = "local", "list"
"""What stands in place of a file's name: the voxels follow in the same file; names of files follow, one a line."""


@dataclass(frozen=True)
class TextHeader:
    """What a text header states.

    Attributes:
        fields: name -> value, as written (NRRD: names in lower case).
        files: other files that hold the voxels; empty when they follow in the same file.
    """

    fields: dict[str, str]
    files: tuple[Path, ...] = ()


def meta_image_header(path: str | Path) -> TextHeader:
    """Header of an ``.mha`` or ``.mhd`` file (MetaIO: ``Name = value``, ``ElementDataFile`` last).

    Raises:
        OSError: when the file cannot be read.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.mhd"
        >>> _ = path.write_text("NDims = 3\\nElementDataFile = a.raw\\n")
        >>> meta_image_header(path).fields["NDims"], meta_image_header(path).files[0].name
        ('3', 'a.raw')
    """
    path, fields = Path(path), {}
    lines = _lines(path)
    for line in lines:
        name, *value = (part.strip() for part in re.split("[=:]", line, maxsplit=1))
        fields[name] = "".join(value)
        if name == "ElementDataFile":
            break
    words = fields.get("ElementDataFile", LOCAL).split()
    return TextHeader(fields, _files(path, words, lines))


def nrrd_header(path: str | Path) -> TextHeader:
    """Header of an ``.nrrd`` or ``.nhdr`` file (``field: value`` and ``key:=value``; an empty line ends it).

    Raises:
        OSError: when the file cannot be read.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.nhdr"
        >>> _ = path.write_text("NRRD0004\\ndimension: 3\\ndata file: a%d.raw 1 2 1\\n")
        >>> [file.name for file in nrrd_header(path).files]
        ['a1.raw', 'a2.raw']
    """
    path, fields = Path(path), {}
    lines = _lines(path)
    for line in lines:
        if not line:
            break
        key, is_key, text = line.partition(":=")
        name, _, value = (key, is_key, text) if is_key else line.partition(":")
        fields[name.strip().lower()] = value.strip()
        if name.strip().lower() in ("data file", "datafile") and value.split()[:1] == [LIST.upper()]:
            break
    words = (fields.get("data file") or fields.get("datafile") or LOCAL).split()
    return TextHeader(fields, _files(path, words, lines))


def _lines(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for _ in range(MOST_LINES):
            line = file.readline(LONGEST_LINE)
            if not line or (len(line) == LONGEST_LINE and not line.endswith(b"\n")):
                return
            yield line.decode("utf-8", errors="replace").strip()


def _files(header: Path, words: Sequence[str], rest: Iterator[str]) -> tuple[Path, ...]:
    """Files of a data file entry: one name, ``LIST`` and names, or a pattern with first, last and step."""
    if not words or words[0].lower() == LOCAL:
        return ()
    if words[0].lower() == LIST:
        return tuple(header.parent / line for line in rest if line)
    if re.search(r"%\d*d", words[0]) and len(words) >= 3 and all(re.fullmatch(r"-?\d+", word) for word in words[1:4]):
        first, last, step = [*map(int, words[1:4]), 1][:3]
        numbers = range(first, last + (1 if step > 0 else -1), step or 1)[:MOST_LINES]
        return tuple(header.parent / (words[0] % number) for number in numbers)
    return (header.parent / " ".join(words),)
