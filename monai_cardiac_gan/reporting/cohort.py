"""From a data list to a report of each volume, and of all; by any number of processes, and again where it stopped."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monai_cardiac_gan.data import (
    PERSON_FIELDS,
    InputNotes,
    Record,
    claimed_folder,
    corrected,
    file_name_of,
    named_records,
    read_corrections,
    refuse_contradictory_facts,
    refuse_contradictory_grades,
    settings_digest,
    unchanged_inputs,
    volume_key,
)
from monai_cardiac_gan.executors import LostWorkerError, choose_executor, run_all
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.reporting.cohort_page import CohortRow, write_cohort_page
from monai_cardiac_gan.reporting.cohort_table import write_cohort_table
from monai_cardiac_gan.reporting.follow_ups import FollowUp, add_follow_ups
from monai_cardiac_gan.reporting.repeated_rows import counting_rows, once_each, repeated
from monai_cardiac_gan.reporting.report_volume import (
    RESULTS,
    Examiner,
    ReportedVolume,
    ReportTask,
    VolumeReporter,
    owner_of,
    ready_report,
    report_volume,
)
from monai_cardiac_gan.reporting.subject_page import write_subject_page
from monai_cardiac_gan.reporting.subject_results import SubjectResults, read_results

__all__ = ["CohortReport"]

logger = logging.getLogger(__name__)

TABLE = "cohort.csv"
PRELOADED = ("monai_cardiac_gan.reporting",)
"""Imported once, for all workers."""
FAILED_STATUS = 3
"""Exit status of a strict run with failures, as `PreparePatchSet` has it; 1 and 2 are Python's own."""


class CohortReport:
    """Report each volume into a folder of its own, then all of them as one table and one page. One subject is a cohort, too.

    A folder is called as its subject, with a part of the volume's key where a subject has several volumes; it is there when all
    of it is: ``results.json``, ``aorta.csv``, ``report.html`` with its figures, and what the examiner wrote. ``cohort.csv`` has
    a row for each volume, those that failed included. A second run does only what is missing: a report is up to date while the
    content of its volume's files, its entry in the data list, the examiner's settings with the content of the files that they
    name, and the version of the package are the same. What failed is tried again. Reports of subjects that the data list does
    not name stay where they are.

    Args:
        datalist: records (`data.read_datalist`); a split in them does not matter.
        output_dir: folder of the reports.
        examine: finds out about one volume.
        workers: processes; None takes all cores, 1 works in this process.
        scheduler: address or file of a Dask scheduler whose cluster does the work (extra ``cluster``); all its workers
            must see the files, the weights and the output folder under the same paths.
        corrections: CSV of points inside the aorta (`data.read_corrections`), for volumes whose pages show a wrong course.
        subject_key: file with a secret, made where it does not exist; with it subjects and files appear nowhere under
            their names, but under keyed hashes (`data.Pseudonyms`).
        overwrite: make all reports again, those that are up to date, too.
        strict: end with an error when a volume failed (the others are reported all the same).
        follow_up: adds growth to the later of two scans of one subject; None adds none.
        write_page: writes a subject's page; None is the package's own.
        write_cohort: writes the page of all; None is the package's own.

    Raises:
        ValueError: when a switch is neither True nor False, corrections fit no volume, or the data list says two different
            things of one file.
    """

    def __init__(
        self,
        datalist: Sequence[Record],
        output_dir: str,
        examine: Examiner,
        workers: int | None = 1,
        scheduler: str | None = None,
        corrections: str | None = None,
        subject_key: str | None = None,
        overwrite: bool = False,
        strict: bool = False,
        follow_up: FollowUp | None = None,
        write_page: Callable[[SubjectResults, Path], Any] | None = None,
        write_cohort: Callable[[Path, Sequence[ReportedVolume]], Any] | None = None,
    ) -> None:
        for name, value in {"overwrite": overwrite, "strict": strict}.items():
            if not isinstance(value, bool):  # the text "false" is true
                raise ValueError(f"{name} is {value!r}: expected True or False.")
        self.folder = Path(output_dir).resolve()  # workers of a cluster start elsewhere
        self.reporter = VolumeReporter(examine, write_page or write_subject_page)
        self.write_cohort = write_cohort or _write_cohort_page
        self.workers, self.scheduler = workers, scheduler
        self.overwrite, self.strict, self.follow_up = overwrite, strict, follow_up
        self.records, self.names = named_records(datalist, subject_key)
        refuse_contradictory_grades(self.records)
        refuse_contradictory_facts(self.records, PERSON_FIELDS)
        if corrections is not None:
            images = [name or str(record[Field.IMAGE]) for record, name in zip(self.records, self.names, strict=True)]
            self.records = corrected(self.records, read_corrections(corrections), images)

    def run(self) -> list[ReportedVolume]:
        """Report all volumes whose reports are not up to date, then write the table and the page.

        Returns:
            What became of each record, in their order.

        Raises:
            RuntimeError: when another process is writing reports into the same folder.
            ValueError: when no volume could be reported, or people gave one image two grades.
            OSError: when the folder cannot be written, such as a full disk; what is done is kept.
            SystemExit: with status 3, when volumes failed and `strict` is true.
        """
        digest = settings_digest(self.reporter.settings())
        with claimed_folder(self.folder, "writing reports into this folder"):
            volumes = once_each(self._reported(digest))
            volumes = add_follow_ups(self.folder, volumes, self.follow_up, self.reporter.write_page)
            table = write_cohort_table(self.folder / TABLE, volumes)
            self.write_cohort(self.folder, volumes)
            self._remove_replaced(volumes)
        failed = [volume for volume in volumes if volume.error is not None]
        for volume in failed:
            logger.warning("not reported: %s: %s", volume.subject, volume.error)
        logger.info("%d of %d volumes reported: %s", len(volumes) - len(failed), len(volumes), table)
        if self.strict and failed:
            logger.error("%d volumes were not reported and --strict was asked for", len(failed))
            raise SystemExit(FAILED_STATUS)
        if failed and len(failed) == len(volumes):
            raise ValueError(f"none of {len(volumes)} volumes could be reported; the first: {failed[0].error}")
        return volumes

    def _reported(self, digest: str) -> list[ReportedVolume]:
        """What became of each record, in their order; a row that names the same file of the same subject again is none."""
        notes = InputNotes(self.folder)
        tasks = self._tasks(notes)
        counting = counting_rows(tasks)
        alike = Counter(_folded(task) for task in counting)
        chosen = [replace(task, is_alone=alike[_folded(task)] == 1) for task in counting]
        done: dict[int, ReportedVolume] = {}
        with tqdm(total=len(chosen), desc="volumes", unit="volume", disable=None) as bar:
            for number, volume in self._done(chosen, digest, notes):
                done[number] = volume
                notes.add(volume.image, volume.inputs)
                bar.update()
        notes.write()
        return [done[task.number] if task.number in done else repeated(task) for task in tasks]

    def _tasks(self, notes: InputNotes) -> list[ReportTask]:
        return [
            ReportTask(number, record, name, notes.known(name or str(record[Field.IMAGE])))
            for number, (record, name) in enumerate(zip(self.records, self.names, strict=True))
        ]

    def _done(
        self, tasks: Sequence[ReportTask], digest: str, notes: InputNotes
    ) -> Iterator[tuple[int, ReportedVolume]]:
        """Number and outcome of each task, first of those that were ready before."""
        missing: list[ReportTask] = []
        for task in tasks:
            if (volume := self._ready(task, digest)) is None:
                missing.append(task)
            else:
                yield task.number, volume
        ready = len(tasks) - len(missing)
        logger.info("%d of %d reports are up to date", ready, len(tasks))
        work = partial(report_volume, self.reporter, digest, str(self.folder), self.overwrite)
        chosen = choose_executor(self.workers, self.scheduler, len(missing), PRELOADED)
        for made, (task, future) in enumerate(run_all(work, missing, *chosen)):
            try:
                yield task.number, future.result()
            except LostWorkerError as error:
                yield task.number, ReportedVolume.failed(task, f"{task.image}: {error}")
            except OSError as error:
                notes.write()
                raise OSError(
                    f"{self.folder}: cannot be written ({error.strerror or error}); {ready + made} of {len(tasks)} volumes are "
                    "done and kept: make room and start the same command again."
                ) from error

    def _ready(self, task: ReportTask, digest: str) -> ReportedVolume | None:
        """The report of a volume whose files have not changed since."""
        states = None if self.overwrite else unchanged_inputs(task, use_labels=False)
        return None if states is None else ready_report(self.folder, task, volume_key(task, digest, states), states)

    def _remove_replaced(self, volumes: Sequence[ReportedVolume]) -> None:
        """Remove reports in whose place others of the same volumes have come under another name."""
        used = {volume.folder for volume in volumes}
        owners = {(volume.subject, volume.image) for volume in volumes if volume.folder is not None}
        for folder in sorted(self.folder.iterdir()):
            if folder.is_dir() and folder.name not in used and owner_of(folder) in owners:
                shutil.rmtree(folder, ignore_errors=True)


def _folded(task: ReportTask) -> str:
    """What a disk that does not tell case apart makes of a subject's name."""
    return file_name_of(task.record[Field.SUBJECT]).casefold()


def _write_cohort_page(folder: Path, volumes: Sequence[ReportedVolume]) -> None:
    """The page of all; one volume's pictures at a time are in memory."""
    rows = [
        CohortRow.from_results(read_results(folder / volume.folder / RESULTS), volume.folder)
        if volume.folder is not None
        else CohortRow.from_failure(volume.subject, volume.image, str(volume.error))
        for volume in volumes
    ]
    write_cohort_page(folder, rows)
