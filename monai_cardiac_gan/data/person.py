"""What a data list says of the person who was scanned: sex, age, height, weight and the date of the scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from monai_cardiac_gan.anomaly.normals import FEMALE, MALE
from monai_cardiac_gan.keys import Field

__all__ = ["PERSON_FIELDS", "SEX_WORDS", "checked_person"]

PERSON_FIELDS = (Field.SEX, Field.AGE, Field.HEIGHT, Field.WEIGHT, Field.DATE)
"""What belongs to the person; none of it changes a patch."""
SEX_WORDS = {"m": MALE, MALE: MALE, "f": FEMALE, FEMALE: FEMALE}
"""In upper or lower case."""
OLDEST = 120.0
"""Years."""
HEIGHTS_CM, HEIGHTS_M = (40.0, 250.0), (0.4, 2.5)
WEIGHTS_KG = (1.0, 400.0)
FIRST_SCAN = date(1977, 1, 1)
"""Nobody was scanned by MR before."""


def checked_person(where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a person that an entry of a data list gives, as words and numbers of one kind.

    Args:
        where: names the entry in a message.
        entry: may have any of `PERSON_FIELDS`; an absent or empty one is not known.

    Returns:
        Sex as ``"male"`` or ``"female"``, age in years, height in cm, weight in kg, date in ISO 8601; only what is given.

    Raises:
        ValueError: when a sex is another word, a number is none or no person's, a height seems to be in metres, or a date is none
            or lies in the future.

    Example:
        >>> checked_person("list.csv, entry 2", {"image": "a.nii", "sex": "F", "height": "172", "date": "2026-01-31"})
        {'sex': 'female', 'height': 172.0, 'date': '2026-01-31'}
    """
    checks: dict[str, Callable[[str, Any], Any]] = {
        Field.SEX: _sex,
        Field.AGE: _age,
        Field.HEIGHT: _height,
        Field.WEIGHT: _weight,
        Field.DATE: _date,
    }
    given = {field: entry[field] for field in checks if entry.get(field) not in (None, "")}
    return {field: checks[field](where, value) for field, value in given.items()}


def _sex(where: str, value: Any) -> str:
    word = str(value).strip().lower()
    if word not in SEX_WORDS:
        raise ValueError(
            f"{where}: has the sex {value!r}, expected one of {', '.join(SEX_WORDS)}; leave it empty where it is not known."
        )
    return SEX_WORDS[word]


def _age(where: str, value: Any) -> float:
    return _number(where, Field.AGE, value, (0.0, OLDEST), "years")


def _height(where: str, value: Any) -> float:
    if HEIGHTS_M[0] <= _as_number(value) <= HEIGHTS_M[1]:
        raise ValueError(
            f"{where}: has the height {value!r}, which seems to be in metres; give centimetres ({100 * _as_number(value):g})."
        )
    return _number(where, Field.HEIGHT, value, HEIGHTS_CM, "cm")


def _weight(where: str, value: Any) -> float:
    return _number(where, Field.WEIGHT, value, WEIGHTS_KG, "kg")


def _number(where: str, name: str, value: Any, limits: tuple[float, float], unit: str) -> float:
    number = _as_number(value)
    if not limits[0] <= number <= limits[1]:
        raise ValueError(
            f"{where}: has the {name} {value!r}, expected a number from {limits[0]:g} to {limits[1]:g} "
            f"{unit}; leave it empty where "
            "it is not known."
        )
    return number


def _as_number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _date(where: str, value: Any) -> str:
    try:
        found = datetime.strptime(str(value).strip(), "%Y-%m-%d").date()
    except ValueError as error:
        raise ValueError(
            f"{where}: has the date {value!r}, expected year, month and day as 2026-11-27 (ISO 8601); leave it empty where it is "
            "not known."
        ) from error
    if not FIRST_SCAN <= found <= date.today():
        raise ValueError(
            f"{where}: has the date {value!r}, expected the day of the scan, between {FIRST_SCAN} and today; "
            f"correct it or leave it "
            "empty."
        )
    return found.isoformat()
