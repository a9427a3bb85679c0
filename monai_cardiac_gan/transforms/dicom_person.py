"""What a DICOM series says of the person who was scanned."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from monai_cardiac_gan.data.person import checked_person
from monai_cardiac_gan.data.volume_files import is_dicom_image
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms.dicom_slice import header_tags

__all__ = ["person_from_dicom"]

TAGS = {
    Field.SEX: "0010|0040",
    Field.AGE: "0010|1010",
    Field.HEIGHT: "0010|1020",
    Field.WEIGHT: "0010|1030",
    Field.DATE: "0008|0020",
}
"""PatientSex, PatientAge, PatientSize (metres), PatientWeight (kg) and StudyDate (DICOM part 6)."""
YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
"""Of an age string, such as 018M (DICOM part 5)."""
CM_PER_M = 100.0

logger = logging.getLogger(__name__)


def person_from_dicom(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Sex, age, height, weight and date from the header of a folder's first DICOM image.

    What a header does not say, says in other words (a sex other than M or F), or says implausibly (a weight of 0) is left out: a
    data list may say it.

    Args:
        folder: holds one series.

    Returns:
        Those of `data.PERSON_FIELDS` that are known, as a data list has them; empty where there is no DICOM image.
    """
    folder = Path(folder)
    first = min((each for each in folder.iterdir() if is_dicom_image(each)), default=None) if folder.is_dir() else None
    if first is None:
        return {}
    try:
        texts = header_tags(first, TAGS)
    except RuntimeError:
        return {}
    found: dict[str, Any] = {}
    for field, text in texts.items():
        try:
            found |= checked_person(str(folder), {field: _as_in_a_list(field, text)})
        except ValueError:
            logger.info("%s: the header's %s is not used", folder, field)  # its value is private
    return found


def _as_in_a_list(field: str, text: str) -> Any:
    if field == Field.AGE:
        return float(text[:-1]) * YEARS.get(text[-1].upper(), float("nan"))
    if field == Field.HEIGHT:
        return CM_PER_M * float(text)
    if field == Field.DATE:
        return datetime.strptime(text, "%Y%m%d").date().isoformat()
    return text
