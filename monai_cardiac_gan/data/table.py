"""Rows of a CSV file, as spreadsheets write it."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

__all__ = ["read_table"]

SEPARATORS = ",;\t"
"""Which one it is depends on the country that a spreadsheet is set to."""


def read_table(path: str | os.PathLike[str], columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a CSV file in UTF-8 with a header; commas, semicolons or tabs between the columns.

    Args:
        path: the file.
        columns: that must be there; others are read, too.

    Returns:
        Column -> text without spaces around it, for each row.

    Raises:
        ValueError: when the file is not UTF-8, or a column is missing.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: byte {error.start} is not UTF-8; save the table as 'CSV UTF-8', or as Unicode text."
        ) from error
    header = text.partition("\n")[0]
    # csv.Sniffer gives up on a table of one column, which has no separator at all
    separator = max(SEPARATORS, key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise ValueError(
            f"{path}: has the columns {list(reader.fieldnames or ())}, expected at least "
            f"{', '.join(map(repr, columns))}; missing: {', '.join(missing)}."
        )
    return [{name: (value or "").strip() for name, value in row.items() if name is not None} for row in reader]
