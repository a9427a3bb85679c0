"""Which volumes there are: records from a folder, one file, a Decathlon-style JSON or a table."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_cardiac_gan.data.file_name import subject_name
from monai_cardiac_gan.data.folder_scan import records_from_folder
from monai_cardiac_gan.data.path_tails import shortest_tail
from monai_cardiac_gan.data.person import PERSON_FIELDS, checked_person
from monai_cardiac_gan.data.table import read_table
from monai_cardiac_gan.data.volume_files import VOLUME_SUFFIXES, subject_of
from monai_cardiac_gan.keys import Field

__all__ = ["Record", "read_datalist", "records_from_csv", "records_from_json"]

Record = dict[str, Any]
"""One volume: at least `Field.IMAGE` (a path) and `Field.SUBJECT`."""

logger = logging.getLogger(__name__)

SEED_COLUMNS = ("seed_x", "seed_y", "seed_z")
KNOWN = (Field.IMAGE, Field.SUBJECT, Field.GRADE, Field.LABEL, Field.SPLIT, *SEED_COLUMNS, *PERSON_FIELDS)
"""What an entry may say, and `Field.SEED` as a list; all else is a note of somebody, whatever its name."""
LOWEST_GRADE, HIGHEST_GRADE = 0.0, 4.0
TABLES = (".csv", ".tsv")


def read_datalist(source: str | os.PathLike[str], section: str = "training") -> list[Record]:
    """Read the records from a folder of volumes, a ``.json``, a ``.csv`` or a ``.tsv``; one volume is a list, too.

    Args:
        source: where to look; a folder may be a DICOM series itself.
        section: which list of a JSON file to take.

    Returns:
        Records, each with an image and a subject.

    Raises:
        FileNotFoundError: when the source does not exist.
        ValueError: when it holds no volumes or cannot be read as a list. A single entry that cannot be used becomes a
            record with `Field.ERROR`, so that the others go on.
    """
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: no such file or folder; give a folder of volumes, one volume, a .json, a .csv or a .tsv data list."
        )
    if path.is_dir():
        return records_from_folder(path)
    if path.suffix.lower() == ".json":
        return records_from_json(path, section)
    if path.suffix.lower() in TABLES:
        return records_from_csv(path)
    if path.name.lower().endswith(VOLUME_SUFFIXES):
        return [{Field.IMAGE: str(path), Field.SUBJECT: subject_name(subject_of(path))}]
    raise ValueError(
        f"{path}: not a data list; give a folder of volumes, one volume, a .json, a .csv or a .tsv data list."
    )


def records_from_json(path: str | os.PathLike[str], section: str = "training") -> list[Record]:
    """Records of one section of a Medical Segmentation Decathlon data list; paths are relative to the file.

    An entry is a path or has the names of `records_from_csv`; others are left out, which the log says.

    Raises:
        ValueError: when the file is no JSON or has no such section.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: is not valid JSON ({error}); expected a Decathlon-style data list.") from error
    if not isinstance(content, dict) or not isinstance(content.get(section), list):
        found = ", ".join(content) if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"{path}: has no list '{section}' (found: {found}); name the section that holds the volumes.")
    entries = [entry if isinstance(entry, dict) else {Field.IMAGE: entry} for entry in content[section]]
    known = _known(path, entries)
    return _told_apart([_record_or_error(path, number, entry) for number, entry in enumerate(known)])


def records_from_csv(path: str | os.PathLike[str]) -> list[Record]:
    """Records of a table with the columns `image` and, optionally, `subject`, `grade`, `label`, `split`, `seed_x/y/z`, and
    `sex`, `age`, `height`, `weight`, `date` of the person at the scan (`data.person`).

    Other columns are left out, which the log says.

    Raises:
        ValueError: when the column `image` is missing or the file is not UTF-8.
    """
    path = Path(path)
    rows = _known(path, read_table(path, [Field.IMAGE]))
    return _told_apart(
        [_record_or_error(path, number, row) for number, row in enumerate(rows, start=2) if any(row.values())]
    )


def _known(source: Path, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The entries without what is not known here, such as notes."""
    known = [{name: value for name, value in entry.items() if _is_known(name, value)} for entry in entries]
    others = sorted(
        {str(name) for entry, kept in zip(entries, known, strict=True) for name in entry if name not in kept}
    )
    if others:
        logger.warning("%s: not read: %s; known are %s", source, ", ".join(others), ", ".join(KNOWN))
    return known


def _is_known(name: str, value: Any) -> bool:
    return name in KNOWN or (name == Field.SEED and isinstance(value, list))


def _told_apart(records: list[tuple[Record, bool]]) -> list[Record]:
    """Each file of its own subject where the list names none: by as much of its path as tells it from others.

    ``p1/heart.nii`` and ``p2/heart.nii`` are two people, ``p1/heart.nii`` and ``p1/heart.nrrd`` are one.
    """
    paths = [Path(record[Field.IMAGE]) for record, _ in records]
    stems = [subject_name(path.with_name(subject_of(path))) for path in paths]
    alike: dict[str, set[str]] = {}
    for (record, _), stem in zip(records, stems, strict=True):
        alike.setdefault(record[Field.SUBJECT], set()).add(stem)
    for (record, is_named), stem in zip(records, stems, strict=True):
        if not is_named:
            record[Field.SUBJECT] = shortest_tail(stem, sorted(alike[record[Field.SUBJECT]]))
    return [record for record, _ in records]


def _record_or_error(source: Path, number: int, entry: Mapping[str, Any]) -> tuple[Record, bool]:
    """The record of an entry, and whether that names the subject.

    Of an entry that cannot be used it is only what that names and why, so that the others go on.
    """
    is_named = subject_name(entry.get(Field.SUBJECT)) != ""
    try:
        return _record(source, number, entry), is_named
    except ValueError as error:
        image = str(entry.get(Field.IMAGE) or source)
        subject = _subject(entry, image)
        return {Field.IMAGE: image, Field.SUBJECT: subject, Field.ERROR: str(error)}, is_named


def _record(source: Path, number: int, entry: Mapping[str, Any]) -> Record:
    where = f"{source}, entry {number}"
    filled = {key: value for key, value in entry.items() if value not in (None, "")}
    if Field.IMAGE not in filled:
        raise ValueError(f"{where}: names no image; every entry needs the path of its volume.")
    record = dict(filled)
    for field in (Field.IMAGE, Field.LABEL):
        if field in record:
            record[field] = str((source.parent / str(record[field])).resolve())
    record[Field.SUBJECT] = _subject(record, record[Field.IMAGE])
    if Field.SPLIT in record:
        record[Field.SPLIT] = str(record[Field.SPLIT]).strip()
    if Field.GRADE in record:
        record[Field.GRADE] = _grade(where, record[Field.GRADE])
    record |= checked_person(where, record)
    return _with_seed(where, record)


def _subject(entry: Mapping[str, Any], image: str) -> str:
    return subject_name(entry.get(Field.SUBJECT)) or subject_name(subject_of(Path(image)))


def _grade(where: str, value: Any) -> float:
    try:
        grade = float(value)
    except (TypeError, ValueError):
        grade = float("nan")
    if not LOWEST_GRADE <= grade <= HIGHEST_GRADE:
        raise ValueError(
            f"{where}: has the grade {value!r}, expected a number from {LOWEST_GRADE:g} (not usable) to {HIGHEST_GRADE:g} "
            "(excellent); leave it empty to have the volume graded."
        )
    return grade


def _with_seed(where: str, record: Record) -> Record:
    given = record.pop(Field.SEED, []) or [record.pop(column) for column in SEED_COLUMNS if column in record]
    if not given:
        return record
    try:
        seed = [float(value) for value in given]
    except (TypeError, ValueError):
        seed = []
    if len(seed) != len(SEED_COLUMNS):
        raise ValueError(
            f"{where}: has the seed {given}, expected three numbers in {', '.join(SEED_COLUMNS)}, or none."
        )
    record[Field.SEED] = seed
    return record
