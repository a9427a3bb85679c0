"""Rows of a CSV file, as spreadsheets write it."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_cardiac_gan.atomic import write_text

__all__ = ["read_table", "write_table"]

SEPARATORS = ",;\t"
"""Which one it is depends on the country that a spreadsheet is set to."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a text that a spreadsheet takes for a formula (OWASP, CSV Injection)."""
AS_TEXT = "'"
"""Put before such a text; spreadsheets show what follows."""
DECIMALS = 2
"""Of numbers: 0.01 mm."""


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


def write_table(
    path: str | os.PathLike[str], columns: Sequence[str], rows: Iterable[Mapping[str, Any]], decimals: int = DECIMALS
) -> Path:
    """Write a CSV file in UTF-8 with a header that spreadsheets read as data, whatever the texts in it.

    Numbers are rounded; None and numbers that are not finite leave their cell empty, truth is ``yes`` or ``no``. A text that
    would be taken for a formula gets an apostrophe before it.

    Args:
        path: the file.
        columns: in their order.
        rows: column -> value; columns that a row lacks are empty.
        decimals: of numbers with a fraction.

    Returns:
        The path.

    Raises:
        ValueError: when a row has a column that is not named.

    Example:
        >>> import tempfile
        >>> path = write_table(tempfile.mkdtemp() + "/a.csv", ["name", "mm"], [{"name": "=1+1", "mm": -0.123}])
        >>> path.read_text().splitlines()
        ['name,mm', "'=1+1,-0.12"]
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value, decimals) for name, value in row.items()} for row in rows)
    return write_text(path, text.getvalue())


def _cell(value: Any, decimals: int) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return round(value, decimals) + 0.0  # no negative zero
    if isinstance(value, str) and value.startswith(FORMULA):
        return AS_TEXT + value
    return value
