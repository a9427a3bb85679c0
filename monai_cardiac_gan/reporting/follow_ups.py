"""Growth since an earlier scan of the same subject, added to reports that are there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from monai_cardiac_gan.data import settings_digest, settings_of
from monai_cardiac_gan.reporting.report_volume import KEY, RESULTS, ReportedVolume
from monai_cardiac_gan.reporting.subject_results import SubjectResults, read_results, write_results

__all__ = ["FollowUp", "add_follow_ups", "earlier_volumes"]

logger = logging.getLogger(__name__)

FollowUp = Callable[[SubjectResults, SubjectResults], SubjectResults]
"""From an earlier and a later scan of one subject to the later one's results, with growth."""
NOTE = "follow_up"
"""In the provenance of results: the earlier scan's key, and how they were compared."""


def earlier_volumes(volumes: Sequence[ReportedVolume]) -> dict[int, int]:
    """Place of a volume -> place of the same subject's last scan before its date.

    Volumes without a date, or without a report, have no earlier and no later scan; of several scans of one day the first in
    the list counts.

    Args:
        volumes: of the whole cohort.
    """
    dated: dict[str, list[tuple[date, int]]] = {}
    for place, volume in enumerate(volumes):
        if volume.results is not None and (day := _day(volume)) is not None:
            dated.setdefault(volume.subject, []).append((day, place))
    found: dict[int, int] = {}
    for scans in dated.values():
        for day, place in scans:
            before = [(other, -index) for other, index in scans if other < day]
            if before:
                found[place] = -max(before)[1]
    return found


def add_follow_ups(
    folder: Path,
    volumes: Sequence[ReportedVolume],
    follow_up: FollowUp | None,
    write_page: Callable[[SubjectResults, Path], Any],
) -> list[ReportedVolume]:
    """Bring the growth in the later scans' reports up to date, and take it out where there is no earlier scan any more.

    A report whose growth is up to date is not touched. The page is written before the results, which say that it was done: a
    run that is killed in between does it again.

    Args:
        folder: holds the folders of the reports.
        volumes: of the whole cohort.
        follow_up: compares two scans; None adds no growth. A ValueError is logged, and the later
            scan says so in place of a growth.
        write_page: see `VolumeReporter`.

    Returns:
        The volumes, with what their reports hold now.
    """
    earlier = earlier_volumes(volumes) if follow_up is not None else {}
    done = list(volumes)
    for place, volume in enumerate(volumes):
        if volume.results is None or volume.folder is None:
            continue
        before = volumes[earlier[place]] if place in earlier else None
        note = None if before is None else _note(before, follow_up)
        if volume.results.provenance.get(NOTE) != note:
            results = _followed(folder, volume, before, follow_up, note)
            write_page(results, folder / volume.folder)
            write_results(folder / volume.folder / RESULTS, results)
            done[place] = replace(volume, results=replace(results, pictures=None))
    return done


def _followed(
    folder: Path,
    volume: ReportedVolume,
    before: ReportedVolume | None,
    follow_up: FollowUp | None,
    note: Mapping[str, Any] | None,
) -> SubjectResults:
    """The results of a volume, with growth since the volume before, or without."""
    later = read_results(folder / str(volume.folder) / RESULTS)
    provenance = {name: value for name, value in later.provenance.items() if name != NOTE}
    later = replace(later, growth=(), growth_rule=None, provenance=provenance | ({} if note is None else {NOTE: note}))
    if before is None or follow_up is None:
        return later
    try:
        return follow_up(read_results(folder / str(before.folder) / RESULTS), later)
    except ValueError as error:
        logger.warning("%s: no growth between %s and %s: %s", volume.subject, before.image, volume.image, error)
        day = None if before.results is None else before.results.subject.date
        return replace(later, growth_rule=f"no growth is given since the scan of {day}: {error}")


def _note(before: ReportedVolume, follow_up: FollowUp | None) -> dict[str, Any]:
    key = None if before.results is None else before.results.provenance[KEY]
    return {"earlier": key, "settings": settings_digest(settings_of(follow_up))}


def _day(volume: ReportedVolume) -> date | None:
    given = volume.results.subject.date if volume.results else None
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        logger.warning("%s: the date of %s is %r: expected 2026-11-27 or the like", volume.subject, volume.image, given)
        return None
