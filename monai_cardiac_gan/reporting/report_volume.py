"""One volume from its file to the folder with its report: the work that is shared out to processes."""

from __future__ import annotations

import errno
import json
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import monai_cardiac_gan
from monai_cardiac_gan.atomic import atomic_folder
from monai_cardiac_gan.data import (
    InputState,
    Record,
    VolumeTask,
    file_name_of,
    input_fields,
    input_state,
    settings_of,
    told_by_content,
    volume_key,
)
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.reporting.aorta_table import write_aorta_table
from monai_cardiac_gan.reporting.subject_results import (
    FORMAT,
    PAGE,
    Pictures,
    SubjectResults,
    read_results,
    write_results,
)
from monai_cardiac_gan.transforms import reason_of

__all__ = [
    "KEY",
    "RESULTS",
    "Examiner",
    "ReportTask",
    "ReportedVolume",
    "VolumeReporter",
    "owner_of",
    "ready_report",
    "report_volume",
]

logger = logging.getLogger(__name__)

RESULTS, TABLE = "results.json", "aorta.csv"
KEY = "key"
"""In the provenance of results: what they were made from and how, `data.volume_key`."""
OWN = ("cohort.html", "cohort.csv", "inputs.json")
"""Files beside the folders of the reports, whose places no subject's folder may take."""
SHORT = 8
"""Digits of the key in the name of a folder, where a subject has several volumes."""
NOT_READ = (Field.LABEL, Field.SPLIT)
"""Fields of a record that no report depends on."""
STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors of the disk that the reports go to: they hit all volumes alike."""
EXPECTED = (ValueError, RuntimeError, OSError, MemoryError)
"""Kinds of errors whose message says what is wrong with a volume."""


class Examiner(Protocol):
    """What finds out about one subject's volume.

    It goes to other processes by pickle, so it holds settings and paths of weights, and loads networks once a process. What it
    was made with tells whether its work is up to date (`data.settings_of`); the files that it names count by their content. A
    digest of the voxels (`Field.DIGEST`) in the provenance of its results tells one image in two formats.
    """

    def __call__(self, record: Record, folder: Path) -> SubjectResults:
        """Examine a volume.

        Args:
            record: image, subject and what else the data list knows.
            folder: for files that belong to the results; no file may hold another name of the person than the record's subject.

        Raises:
            ValueError: when the volume cannot be read.
        """


@dataclass(frozen=True)
class ReportTask(VolumeTask):
    """One record on its way to a report.

    Attributes:
        is_alone: whether its subject has no other volume in the data list.
    """

    is_alone: bool = True


@dataclass(frozen=True)
class ReportedVolume:
    """What became of a volume.

    Attributes:
        subject: whose it is.
        image: its file, or the pseudonym of that.
        folder: name of the folder with its report; None without one.
        error: why there is no report.
        results: without the pictures, so that a cohort fits into memory.
        inputs: field -> state of the files that were read.
    """

    subject: str
    image: str
    folder: str | None = None
    error: str | None = None
    results: SubjectResults | None = None
    inputs: Mapping[str, InputState] = field(default_factory=dict)

    @classmethod
    def failed(cls, task: VolumeTask, reason: str) -> ReportedVolume:
        """A volume without a report."""
        return cls(task.record[Field.SUBJECT], task.image, error=task.shown(reason))


@dataclass(frozen=True)
class VolumeReporter:
    """What is done to each volume.

    Attributes:
        examine: gives the results.
        write_page: writes the page of results, and its figures, into a folder.
    """

    examine: Examiner
    write_page: Callable[[SubjectResults, Path], Any]

    def settings(self) -> dict[str, Any]:
        """All that the results depend on beside the volume, as JSON values."""
        examine = told_by_content(settings_of(self.examine))
        return {"package_version": monai_cardiac_gan.__version__, "format": FORMAT, "examine": examine}


def report_volume(
    reporter: VolumeReporter, digest: str, folder: str, overwrite: bool, task: ReportTask
) -> ReportedVolume:
    """Report one volume, unless that was done before.

    Args:
        reporter: what is done.
        digest: `settings_digest` of its settings.
        folder: holds the folders of all reports.
        overwrite: do it again.
        task: the volume.

    Returns:
        What became of it; whatever is wrong with the volume is its `error`.

    Raises:
        OSError: when the disk is full, or cannot be written.
    """
    if Field.ERROR in task.record:
        return ReportedVolume.failed(task, str(task.record[Field.ERROR]))
    try:
        names, known = input_fields(task.record, use_labels=False), task.known or {}
        states = {name: input_state(task.record[name], known.get(name)) for name in names}
    except OSError as error:
        return ReportedVolume.failed(task, task.unreadable(error))
    key = volume_key(task, digest, states)
    if not overwrite and (ready := ready_report(Path(folder), task, key, states)) is not None:
        return ready
    try:
        target = _target(Path(folder), task, key)
        results = _make(reporter, target, task, key)
    except Exception as error:  # one bad volume must not stop the others
        _stop_if_disk_is_full(error)
        logger.debug("failed: %s", task.image, exc_info=task.name is None)
        return ReportedVolume.failed(task, _reason(error, str(task.record[Field.IMAGE])))
    return _reported(task, target, results, states)


def ready_report(folder: Path, task: ReportTask, key: str, states: Mapping[str, InputState]) -> ReportedVolume | None:
    """The report that was made of the same volume in the same way, whole; None without one."""
    for target in _places(folder, task, key):
        if not all((target / name).is_file() for name in (RESULTS, TABLE, PAGE)):
            continue
        try:
            results = read_results(target / RESULTS)
        except (ValueError, OSError):  # of another version, or damaged: it is made again
            continue
        if results.provenance.get(KEY) == key:
            return _reported(task, target, results, states)
    return None


def owner_of(folder: Path) -> tuple[str, str] | None:
    """Subject and image of the report in a folder, whatever its version; None where there is none."""
    try:
        subject = json.loads((folder / RESULTS).read_text(encoding="utf-8"))["subject"]
        return str(subject["name"]), str(subject["image"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _places(folder: Path, task: ReportTask, key: str) -> tuple[Path, Path]:
    """Where a report may lie: by the subject's name alone, and with its key."""
    name = file_name_of(task.record[Field.SUBJECT])
    return folder / name, folder / f"{name}_{key[:SHORT]}"


def _target(folder: Path, task: ReportTask, key: str) -> Path:
    """Where a report goes: never in the place of another volume's, or of anything else."""
    owner = (task.record[Field.SUBJECT], task.image)
    plain, with_key = _places(folder, task, key)
    places = [plain, with_key] if task.is_alone and plain.name.casefold() not in OWN else [with_key]
    free = [place for place in places if not place.exists() or owner_of(place) == owner]
    if not free:
        raise FileExistsError(
            f"{with_key}: holds no report of this volume: expected one, or nothing; remove it, or choose another output folder."
        )
    return free[0]


def _make(reporter: VolumeReporter, target: Path, task: ReportTask, key: str) -> SubjectResults:
    record = {name: value for name, value in task.record.items() if name not in NOT_READ}
    with atomic_folder(target) as working:
        results = reporter.examine(record, working)
        if task.name is not None:
            results = _without_names(results, task)
        subject = replace(results.subject, name=task.record[Field.SUBJECT], image=task.image)
        results = replace(results, subject=subject, provenance={**results.provenance, KEY: key})
        write_results(working / RESULTS, results)
        write_aorta_table(working / TABLE, results.levels)
        reporter.write_page(results, working)
        shutil.rmtree(target, ignore_errors=True)  # an earlier report of this volume
    return results


def _without_names(value: Any, task: ReportTask) -> Any:
    """Results whose texts do not hold the file's name."""
    if isinstance(value, str):
        return task.shown(value)
    if isinstance(value, Mapping):
        return {name: _without_names(each, task) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_names(each, task) for each in value)
    if is_dataclass(value) and not isinstance(value, Pictures | type):
        return replace(value, **{each.name: _without_names(getattr(value, each.name), task) for each in fields(value)})
    return value


def _reported(
    task: ReportTask, target: Path, results: SubjectResults, states: Mapping[str, InputState]
) -> ReportedVolume:
    light = replace(results, pictures=None)
    return ReportedVolume(task.record[Field.SUBJECT], task.image, target.name, results=light, inputs=states)


def _stop_if_disk_is_full(error: BaseException | None) -> None:
    """Raise what hits all volumes alike, in a form that reaches another process whole."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in STORAGE:
            raise OSError(error.errno, error.strerror)
        error = error.__cause__


def _reason(error: Exception, image: str) -> str:
    if isinstance(error, EXPECTED):
        return reason_of(error, image)
    return f"{image}: {type(error).__name__}: {error}; tell the authors, this is no fault of the volume."
