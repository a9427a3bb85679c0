"""One image of one subject that a data list names more than once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.quality import PERSON
from monai_cardiac_gan.reporting.report_volume import ReportedVolume, ReportTask

__all__ = ["counting_rows", "once_each", "repeated"]


def once_each(volumes: Sequence[ReportedVolume]) -> list[ReportedVolume]:
    """The same image of the same subject counts once, under one name or several; the others say so as their error.

    Images are the same where their files or their voxels are. The one that a person graded counts, then the first.

    Raises:
        ValueError: when people gave one image two grades.
    """
    alike: dict[tuple[str, str], list[int]] = {}
    for place, volume in enumerate(volumes):
        if volume.results is not None:
            digest = volume.results.provenance.get(Field.DIGEST) or volume.inputs[Field.IMAGE].sha256
            alike.setdefault((volume.subject, str(digest)), []).append(place)
    found = list(volumes)
    for places in alike.values():
        graded = [place for place in places if _is_graded(volumes[place])]
        _refuse_two_grades([volumes[place] for place in graded])
        chosen = [*graded, *places][0]
        for place in places:
            if place != chosen:
                volume = volumes[place]
                error = f"{volume.image}: the same image of the same subject as {volumes[chosen].image}."
                found[place] = ReportedVolume(volume.subject, volume.image, error=error)
    return found


def _is_graded(volume: ReportedVolume) -> bool:
    return volume.results is not None and volume.results.scan.grader == PERSON


def _refuse_two_grades(volumes: Sequence[ReportedVolume]) -> None:
    grades = {volume.image: volume.results.scan.grade for volume in volumes if volume.results is not None}
    if len(set(grades.values())) > 1:
        said = ", ".join(f"{grade:g} ({image})" for image, grade in grades.items())
        raise ValueError(
            f"the data list has several grades of one image of {volumes[0].subject}: {said}; expected one, change one of its "
            "rows."
        )


def counting_rows(tasks: Sequence[ReportTask]) -> list[ReportTask]:
    """Of the rows that name one file of one subject, the one with a grade, else the first; in their order."""
    counting: dict[tuple[str, Path], int] = {}
    for task in sorted(tasks, key=lambda task: (Field.GRADE not in task.record, task.number)):
        counting.setdefault(_file(task), task.number)
    return [task for task in tasks if counting[_file(task)] == task.number]


def repeated(task: ReportTask) -> ReportedVolume:
    """What becomes of the other rows."""
    return ReportedVolume.failed(task, f"{task.image}: the same image of the same subject in another row.")


def _file(task: ReportTask) -> tuple[str, Path]:
    return task.record[Field.SUBJECT], Path(task.record[Field.IMAGE]).resolve()
