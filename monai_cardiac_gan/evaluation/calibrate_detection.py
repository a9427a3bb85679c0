"""Score normal people, so that a further person can be held against them with a known rate of false alarms."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

import monai_cardiac_gan
from monai_cardiac_gan.anomaly import ALPHA, ScoredLevels, learn_normal_levels, learn_spread_factor, normals_needed
from monai_cardiac_gan.data import Record
from monai_cardiac_gan.evaluation.detection_calibration import (
    DetectionCalibration,
    NormalPerson,
    write_detection_calibration,
)
from monai_cardiac_gan.evaluation.score_scan import ScanScorer
from monai_cardiac_gan.executors import choose_executor, run_all
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import reason_of

__all__ = ["CalibrateDetection", "ScoredPerson", "score_people"]

logger = logging.getLogger(__name__)

PRELOADED = ("monai_cardiac_gan.evaluation",)


@dataclass(frozen=True)
class ScoredPerson:
    """What a calibration needs of a scan.

    Attributes:
        levels: their scores.
        texture: (D,) mean texture of the levels.
        square: see `ScoredVessel`.
        variance: see `ScoredVessel`.
    """

    levels: ScoredLevels
    texture: np.ndarray
    square: float
    variance: float


class CalibrateDetection:
    """Score a site's own normal people, each beside all the others, and write what a further person is held against.

    One volume a person: of several only the first is taken. People whose volume or track fails are left out, with the reason. The
    number of people decides what may be said: with fewer than 19 no alarm at 0.05, only a rank (`anomaly.judge`).

    Args:
        datalist: records of normal people (`data.read_datalist`).
        score: scores a scan.
        path: where the calibration goes, JSON.
        kind: name of this kind of scan, in words, such as "whole-heart bSSFP, 1.5 T".
        seen: people on whose patches a network was trained.
        leave_out: people that are not taken.
        workers: processes; None takes all cores.

    Raises:
        ValueError: when one of `seen` or `leave_out` is not in the data list.
    """

    def __init__(
        self,
        datalist: Sequence[Record],
        score: ScanScorer,
        path: str | os.PathLike[str],
        kind: str,
        seen: Sequence[str] = (),
        leave_out: Sequence[str] = (),
        workers: int | None = 1,
    ) -> None:
        names = {str(record[Field.SUBJECT]) for record in datalist}
        for what, given in (("seen", seen), ("leave_out", leave_out)):
            if isinstance(given, str):
                raise ValueError(f"{what} is the text '{given}': expected a list of subjects, such as ['{given}'].")
            if missing := sorted(set(given) - names):
                raise ValueError(f"{what} names {', '.join(missing)}: expected subjects of the data list.")
        self.datalist, self.score, self.path, self.kind = list(datalist), score, Path(path), str(kind)
        self.seen, self.leave_out, self.workers = frozenset(seen), frozenset(leave_out), workers

    def run(self) -> DetectionCalibration:
        """Score, judge and write.

        Raises:
            ValueError: when the kind has no name, or fewer than three people are left.
        """
        if not self.kind.strip():
            raise ValueError(
                "kind is empty: expected a name for this kind of scan, such as 'whole-heart bSSFP, 1.5 T'."
            )
        parts = self.score.parts()
        records: dict[str, Record] = {}
        for record in self.datalist:
            if Field.ERROR not in record:
                records.setdefault(str(record[Field.SUBJECT]), record)
        excluded = dict.fromkeys(sorted(self.leave_out & records.keys()), "left out by the one who asked")
        people, failed = score_people(
            {name: record for name, record in records.items() if name not in excluded}, self.score, self.workers
        )
        learn_normal_levels(
            {name: each.levels for name, each in people.items()}
        )  # or refuse too few before they are written
        calibration = DetectionCalibration(
            kind=self.kind,
            parts=parts,
            people={
                name: NormalPerson(each.levels, each.texture, name in self.seen)
                for name, each in people.items()
            },
            excluded=excluded | failed,
            spread_factor=learn_spread_factor(*(np.array(each) for each in zip(*(
                (person.square, person.variance) for person in people.values()), strict=True))),
            package_version=monai_cardiac_gan.__version__,
        )  # fmt: skip
        write_detection_calibration(self.path, calibration)
        logger.info("calibration of %d people: %s", len(people), self.path)
        if len(people) < normals_needed():
            logger.warning(
                "%d normal people: with fewer than %d no alarm at %g is given, only the rank among them",
                len(people), normals_needed(), ALPHA,
            )  # fmt: skip
        return calibration


def score_people(
    records: Mapping[str, Record], score: ScanScorer, workers: int | None
) -> tuple[dict[str, ScoredPerson], dict[str, str]]:
    """Score a volume of each person.

    Args:
        records: name -> record.
        score: scores a scan.
        workers: processes; None takes all cores.

    Returns:
        Name -> what was found, in the order of the records; and name -> why a person has no scores.
    """
    tasks = [(name, record, score) for name, record in records.items()]
    found: dict[str, ScoredPerson] = {}
    failed: dict[str, str] = {}
    with tqdm(total=len(tasks), desc="people", unit="person", disable=None) as bar:
        for (name, record, _), future in run_all(
            _scored, tasks, *choose_executor(workers, None, len(tasks), PRELOADED)
        ):
            try:
                found[name] = future.result()
            except (ValueError, RuntimeError, OSError) as error:
                file = Path(record[Field.IMAGE])
                failed[name] = reason_of(error, file.name).replace(str(file), file.name)  # the file may go to others
                logger.warning("not taken: %s: %s", name, failed[name])
            bar.update()
    return {name: found[name] for name in records if name in found}, failed


def _scored(task: tuple[str, Record, ScanScorer]) -> ScoredPerson:
    _, record, score = task
    scored = score(*score.load(record)).scored
    return ScoredPerson(scored.levels, scored.texture, scored.square, scored.variance)
