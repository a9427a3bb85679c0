"""What a person who looked at the contact sheet puts right."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from monai_cardiac_gan.data.datalist import Record
from monai_cardiac_gan.data.table import read_table
from monai_cardiac_gan.keys import Field

__all__ = ["corrected", "read_corrections"]

COLUMNS = ("subject", "x", "y", "z")
IMAGE = "image"
REJECTED = "excluded by a correction"


def read_corrections(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Rows of a CSV with the columns `subject`, `x`, `y`, `z`, and `image` where a subject has several volumes.

    Coordinates are a point inside the descending aorta in scanner millimetres (RAS+), as the contact sheet gives them. A row
    without coordinates excludes the volume.

    Raises:
        FileNotFoundError: when there is no such file.
        ValueError: when a column is missing or the file is not UTF-8.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; give a CSV with the columns {', '.join(COLUMNS)}.")
    rows = read_table(path, COLUMNS)
    return [row for row in rows if any(row.values())]


def corrected(
    records: Sequence[Record], rows: Sequence[dict[str, str]], shown: Sequence[str] | None = None
) -> list[Record]:
    """The records with the corrections in them; a correction wins over a seed of the data list.

    Args:
        records: of all volumes.
        rows: see `read_corrections`; of two rows for one volume the later one counts.
        shown: what the contact sheet calls each image; None is the name of its file.

    Raises:
        ValueError: when a row fits no volume or several, or its coordinates are not three numbers or none.

    Example:
        >>> records = [{"subject": "ann", "image": "a.nii"}, {"subject": "bob", "image": "b.nii"}]
        >>> corrected(records, [{"subject": "bob", "x": "10", "y": "-4.5", "z": "80"}])[1]["correction"]
        [10.0, -4.5, 80.0]
    """
    changed = [dict(record) for record in records]
    images = [Path(str(name)).name for name in shown or [record[Field.IMAGE] for record in records]]
    for row in rows:
        name = row["subject"]
        fits = [
            record
            for record, image in zip(changed, images, strict=True)
            if record[Field.SUBJECT] == name and (not row.get(IMAGE) or image == Path(row[IMAGE]).name)
        ]
        if len(fits) != 1:
            known = ", ".join(sorted({record[Field.SUBJECT] for record in changed})[:5])
            raise ValueError(
                f"the correction of '{name}' fits {len(fits)} volumes, expected one; the subjects are {known} ...; where one "
                f"has several volumes, name the file in the column '{IMAGE}'."
            )
        point = _point(row)
        if point is None:
            fits[0][Field.ERROR] = f"{fits[0][Field.IMAGE]}: {REJECTED}."
        else:
            fits[0][Field.CORRECTION] = point
    return changed


def _point(row: dict[str, str]) -> list[float] | None:
    given = [row[name] for name in COLUMNS[1:]]
    if not any(given):
        return None
    try:
        return [float(value) for value in given]
    except ValueError as error:
        raise ValueError(
            f"the correction of '{row['subject']}' is {given}: expected three numbers (mm), or none to exclude the volume."
        ) from error
