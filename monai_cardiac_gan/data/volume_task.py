"""One record on its way to a worker, and what it is made from: by that, work that was done before is recognised."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monai_cardiac_gan.data.content_hash import InputState, input_state
from monai_cardiac_gan.data.datalist import Record
from monai_cardiac_gan.data.described_settings import settings_digest, settings_of
from monai_cardiac_gan.data.file_name import subject_name
from monai_cardiac_gan.data.pseudonyms import Pseudonyms
from monai_cardiac_gan.keys import Field

__all__ = ["VolumeTask", "input_fields", "named_records", "unchanged_inputs", "volume_key"]

KEY_DIGITS = 24
"""Hexadecimal digits of a volume's key; two of a million share one with a probability of 6e-18."""


@dataclass(frozen=True)
class VolumeTask:
    """One record on its way.

    Attributes:
        number: place in the data list.
        record: image, subject and what else the data list knows.
        name: what stands for the file's name in all that is written; None is the file itself.
        known: state of the files when they were read last.
    """

    number: int
    record: Record
    name: str | None = None
    known: Mapping[str, InputState] | None = None

    @property
    def image(self) -> str:
        """The image's name in all that is written."""
        return self.name or str(self.record[Field.IMAGE])

    def shown(self, text: str) -> str:
        """A text without the file's name where that must stay secret.

        The name without its ending goes as a whole word; where it is a number alone, only before an ending, so that measured
        numbers stay.

        Example:
            >>> task = VolumeTask(0, {"image": "/in/Meyer.nii", "subject": "subject_1"}, "subject_2")
            >>> task.shown("/in/Meyer.nii: names Meyer.raw")
            'subject_2: names subject_2.raw'
        """
        if self.name is None:
            return text
        for each in (Field.IMAGE, Field.LABEL):
            path = Path(str(self.record.get(each, "")))
            for part in sorted({str(path), str(path.parent), path.name} - {"", ".", "/"}, key=len, reverse=True):
                text = text.replace(part, self.name)
            if stem := path.name.split(".")[0]:
                text = re.sub(_as_word(stem), self.name, text)
        return text

    def unreadable(self, error: OSError) -> str:
        """Why the files of the volume cannot be read."""
        image, file = str(self.record[Field.IMAGE]), str(error.filename or "")
        # a header may name the files with its voxels; under pseudonyms their names are not written
        named = f": {Path(file).name}" if self.name is None and file not in ("", image) else ""
        return f"{image}: cannot be read ({error.strerror or error}{named}); check the path and its rights."


def _as_word(stem: str) -> str:
    behind = r"(?=\.[^\W\d])" if not re.search(r"[^\W\d_]", stem) else r"(?![^\W_])"
    return rf"(?<![^\W_]){re.escape(stem)}{behind}"


def named_records(datalist: Sequence[Record], subject_key: str | None) -> tuple[list[Record], list[str | None]]:
    """The records, and what stands for the files' names; under pseudonyms where a key is given.

    Args:
        datalist: records.
        subject_key: file with the secret (`Pseudonyms`); None leaves all names.

    Returns:
        Copies of the records, each subject under one name, and for each the file's pseudonym or None.
    """
    records = [{**record, Field.SUBJECT: subject_name(record[Field.SUBJECT])} for record in datalist]
    if subject_key is None:
        return records, [None] * len(datalist)
    names = Pseudonyms(subject_key)
    records = [{**record, Field.SUBJECT: names(record[Field.SUBJECT])} for record in records]
    return records, [names(str(Path(record[Field.IMAGE]).resolve())) for record in datalist]


def volume_key(task: VolumeTask, steps_digest: str, states: Mapping[str, InputState]) -> str:
    """Name of what is made of a volume: from what and how, so that the same work is recognised."""
    rest = {name: value for name, value in task.record.items() if name not in (Field.IMAGE, Field.LABEL, Field.SPLIT)}
    content = {field: state.sha256 for field, state in states.items()}
    return settings_digest({"steps": steps_digest, "record": settings_of(rest), "content": content})[:KEY_DIGITS]


def input_fields(record: Record, use_labels: bool) -> list[str]:
    """Fields of a record that name files which are read."""
    return [field for field in (Field.IMAGE, Field.LABEL) if field in record and (use_labels or field != Field.LABEL)]


def unchanged_inputs(task: VolumeTask, use_labels: bool) -> Mapping[str, InputState] | None:
    """States of a task's files, where none has changed since it was read last; None where that is not known."""
    if task.known is None or Field.ERROR in task.record:
        return None
    try:
        states = {
            field: input_state(task.record[field], task.known.get(field))
            for field in input_fields(task.record, use_labels)
            if field in task.known
        }
    except OSError:
        return None
    return states if states == dict(task.known) else None
