"""What a data list says twice and differently, found before any volume is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from monai_cardiac_gan.data.datalist import Record
from monai_cardiac_gan.data.splits import TEST, TRAIN
from monai_cardiac_gan.keys import Field

__all__ = ["refuse_contradictory_facts", "refuse_contradictory_grades", "wanted_split"]


def wanted_split(records: Iterable[Record]) -> dict[str, str]:
    """Subject -> the split that the data list names.

    Raises:
        ValueError: when one is neither ``"train"`` nor ``"test"``, a subject has two, or no other is named.

    Example:
        >>> wanted_split([{"subject": "ann", "split": "train"}, {"subject": "bob", "split": "test"}, {"subject": "eve"}])
        {'ann': 'train', 'bob': 'test'}
    """
    wanted: dict[str, str] = {}
    for record in records:
        if Field.SPLIT not in record:
            continue
        subject, side = record[Field.SUBJECT], record[Field.SPLIT]
        if side not in (TRAIN, TEST):
            raise ValueError(f"the data list has {subject} in the split {side!r}: expected '{TRAIN}' or '{TEST}'.")
        if wanted.setdefault(subject, side) != side:
            raise ValueError(
                f"the data list has {subject} in '{wanted[subject]}' and in '{side}': expected one split for all volumes of a "
                "subject; change one of its rows."
            )
    if len(sides := set(wanted.values())) == 1:
        raise ValueError(
            f"the data list names the split '{sides.pop()}' alone: expected '{TRAIN}' and '{TEST}', both at least once, or no "
            "split."
        )
    return wanted


def refuse_contradictory_grades(records: Iterable[Record]) -> None:
    """Nobody knows which grade counts where one file of one subject has two; copies are found by their content later.

    Raises:
        ValueError: when there is such a file.
    """
    for subject, one, other in _contradictions(records, Field.GRADE):
        raise ValueError(
            f"the data list has an image of {subject} with the grades {one:g} and {other:g}: expected one for each image; "
            "change one of its rows."
        )


def refuse_contradictory_facts(records: Sequence[Record], fields: Sequence[str]) -> None:
    """Nobody knows which of two facts holds where the rows of one file of one subject say different things.

    Args:
        records: of all volumes.
        fields: names of what a file has one of, such as a date.

    Raises:
        ValueError: when there is such a file.

    Example:
        >>> twice = [{"subject": "ann", "image": "a.nii", "date": date} for date in ("2026-01-02", "2026-02-01")]
        >>> refuse_contradictory_facts(twice, ["date"])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        ValueError: the data list has an image of ann with '2026-01-02' and '2026-02-01' as date: expected one; change one...
    """
    for field in fields:
        for subject, one, other in _contradictions(records, field):
            raise ValueError(
                f"the data list has an image of {subject} with {one!r} and {other!r} as {field}: expected one; change one of "
                "its rows."
            )


def _contradictions(records: Iterable[Record], field: str) -> Iterator[tuple[str, Any, Any]]:
    """Subject and the two values of each file that has two."""
    known: dict[tuple[str, Path], Any] = {}
    for record in records:
        if field in record:
            subject, path, value = record[Field.SUBJECT], Path(record[Field.IMAGE]).resolve(), record[field]
            if known.setdefault((subject, path), value) != value:
                yield subject, known[subject, path], value
