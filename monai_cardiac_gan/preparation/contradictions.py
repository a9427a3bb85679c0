"""What a data list says twice and differently, found before any volume is read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from monai_cardiac_gan.data import TEST, TRAIN, Record
from monai_cardiac_gan.keys import Field

__all__ = ["refuse_contradictory_grades", "wanted_split"]


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
    """Nobody knows which grade counts where one file of one subject has two; copies are found by `once_each`.

    Raises:
        ValueError: when there is such a file.
    """
    grades: dict[tuple[str, Path], float] = {}
    for record in records:
        if Field.GRADE not in record:
            continue
        subject, path, grade = record[Field.SUBJECT], Path(record[Field.IMAGE]).resolve(), record[Field.GRADE]
        if grades.setdefault((subject, path), grade) != grade:
            raise ValueError(
                f"the data list has an image of {subject} with the grades {grades[subject, path]:g} and {grade:g}: expected one "
                "for each image; change one of its rows."
            )
