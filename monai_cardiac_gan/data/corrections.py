"""What a person who looked at the contact sheet puts right."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from monai_cardiac_gan.data.datalist import Record
from monai_cardiac_gan.data.file_name import subject_name
from monai_cardiac_gan.data.path_tails import ends_with
from monai_cardiac_gan.data.table import read_table
from monai_cardiac_gan.keys import Field

__all__ = ["corrected", "read_corrections"]

logger = logging.getLogger(__name__)

SUBJECT, IMAGE = "subject", "image"
COLUMNS = (SUBJECT, "x", "y", "z")
SHOWN = 5
"""Names that a message lists."""
ENDS = ("bottom", "top")
REJECTED = "excluded by a correction"


def read_corrections(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """Rows of a CSV with the columns `subject`, `x`, `y`, `z`, and `image` where a subject has several volumes.

    Coordinates are a point inside the descending aorta in scanner millimetres (RAS+), as the contact sheet gives them. The
    columns `bottom` and `top`, which may be missing, are heights (z) below and above which the track is cut, whether a point
    is given or not. A row with neither excludes the volume.

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

    A row names a volume by its subject and, where that has several, by its file: its name, or as much of the path before it
    as tells it from others, such as ``visit1/heart.nii``. A point for a file name that several volumes of the subject share
    becomes a hint to all of them (`Field.HINT`), with a warning: it counts in those in which a vessel lies there.

    Args:
        records: of all volumes.
        rows: see `read_corrections`.
        shown: what the contact sheet calls each image; None is its path.

    Raises:
        ValueError: when a row fits no volume or several, two rows say different things of one volume, coordinates are not
            three numbers or none, or ends are no heights or in the wrong order.

    Example:
        >>> records = [{"subject": "ann", "image": "a.nii"}, {"subject": "bob", "image": "b.nii"}]
        >>> corrected(records, [{"subject": "bob", "x": "10", "y": "-4.5", "z": "80"}])[1]["correction"]
        [10.0, -4.5, 80.0]
    """
    changed = [dict(record) for record in records]
    images = [str(name) for name in shown or [record[Field.IMAGE] for record in records]]
    points, trims = _without_trims(rows)
    _trim(changed, trims, images)
    _correct(changed, points, images)
    return changed


def _trim(records: Sequence[Record], rows: Sequence[dict[str, str]], images: Sequence[str]) -> None:
    """Put the ends of tracks into the records."""
    for row in rows:
        (place,) = _places(row, None, records, images)
        ends = records[place].setdefault(Field.ENDS, _ends(row))
        if ends != _ends(row):
            raise ValueError(
                f"two corrections of the ends of '{row[SUBJECT]}' ({images[place]}): {ends} and {_ends(row)} mm; expected one, "
                "remove the other."
            )


def _correct(records: Sequence[Record], rows: Sequence[dict[str, str]], images: Sequence[str]) -> None:
    """Put points and exclusions into the records."""
    found: dict[int, list[float] | None] = {}
    shared: set[int] = set()
    for row in rows:
        point = _point(row)
        places = _places(row, point, records, images)
        shared.update(places if len(places) > 1 else [])
        for place in places:
            if found.setdefault(place, point) != point:
                raise ValueError(
                    f"two corrections of '{row[SUBJECT]}' ({images[place]}): {_said(found[place])} and {_said(point)}; expected "
                    "one, remove the other."
                )
    for place, point in found.items():
        if point is None:
            records[place][Field.ERROR] = f"{records[place][Field.IMAGE]}: {REJECTED}."
        else:
            records[place][Field.HINT if place in shared else Field.CORRECTION] = point


def _places(
    row: dict[str, str], point: list[float] | None, records: Sequence[Record], images: Sequence[str]
) -> list[int]:
    """The volumes that a row means."""
    name, image = subject_name(row[SUBJECT]), row.get(IMAGE)
    places = [
        place
        for place, record in enumerate(records)
        if subject_name(record[Field.SUBJECT]) == name and (not image or ends_with(images[place], image))
    ]
    if len(places) > 1 and image and point is not None:
        known = ", ".join(images[place] for place in places)
        logger.warning(
            "the correction of '%s' (%s) is a hint to all of %s; name a folder to mean one", name, image, known
        )
        return places
    if len(places) != 1:
        known = ", ".join(sorted({record[Field.SUBJECT] for record in records})[:SHOWN])
        fits = ", ".join(images[place] for place in places)
        raise ValueError(
            f"the correction of '{name}' fits {len(places)} volumes ({fits or 'none'}), expected one; the subjects are {known} "
            f"...; where one has several volumes, name the file in the column '{IMAGE}', with folders where files share a name."
        )
    return places


def _said(point: list[float] | None) -> str:
    return "to exclude it" if point is None else str(point)


def _point(row: dict[str, str]) -> list[float] | None:
    given = [row[name] for name in COLUMNS[1:]]
    if not any(given):
        return None
    try:
        return [float(value) for value in given]
    except ValueError as error:
        raise ValueError(
            f"the correction of '{row[SUBJECT]}' is {given}: expected three numbers (mm), or none to exclude the volume."
        ) from error


def _without_trims(rows: Sequence[dict[str, str]]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The rows that give a point or exclude a volume, and those that trim ends; one row may do both."""
    trims = [row for row in rows if any(row.get(name) for name in ENDS)]
    return [row for row in rows if row not in trims or any(row[name] for name in COLUMNS[1:])], trims


def _ends(row: dict[str, str]) -> list[float | None]:
    given = [row.get(name) or None for name in ENDS]
    try:
        bottom, top = (None if value is None else float(value) for value in given)
    except ValueError as error:
        raise ValueError(
            f"the ends of '{row[SUBJECT]}' are {given}: expected heights (mm) in '{ENDS[0]}' and '{ENDS[1]}', or nothing."
        ) from error
    if bottom is not None and top is not None and not bottom < top:
        raise ValueError(
            f"the ends of '{row[SUBJECT]}' are {bottom:g} and {top:g} mm: expected a '{ENDS[0]}' below the '{ENDS[1]}'."
        )
    return [bottom, top]
