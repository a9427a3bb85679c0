"""How well lesions are found, beside other ways to find them: subjects without and with simulated lesions."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tqdm import tqdm

import monai_cardiac_gan
from monai_cardiac_gan.anomaly import ALPHA
from monai_cardiac_gan.atomic import write_json, write_text
from monai_cardiac_gan.data import Record, file_name_of, input_state, settings_digest, settings_of, told_by_content
from monai_cardiac_gan.evaluation.case_files import read_cases, write_cases
from monai_cardiac_gan.evaluation.detection_baselines import DetectionBaseline
from monai_cardiac_gan.evaluation.detection_page import DetectionRow, as_page
from monai_cardiac_gan.evaluation.detection_tables import DetectionTables
from monai_cardiac_gan.evaluation.lesion_cases import CaseTask, Lesion, LesionCase, lesion_cases
from monai_cardiac_gan.evaluation.score_scan import ScanScorer
from monai_cardiac_gan.executors import choose_executor, run_all
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import reason_of
from monai_cardiac_gan.transforms.lesion_shapes import DILATION, LESIONS

__all__ = ["SEVERITIES", "EvaluateDetection"]

logger = logging.getLogger(__name__)

SEVERITIES = {"mild": 1 / 3, "moderate": 2 / 3, "severe": 1.0}
"""Thirds of what `LesionSimulator` calls full severity: a moderate dilation is one of 1.4, a severe one of 1.6."""
PRELOADED = ("monai_cardiac_gan.evaluation",)
DIGEST_LETTERS = 12
ROUNDING = 1e-9


class EvaluateDetection:
    """Score normal people, then others without and with lesions, and compare ways of detection.

    Every way is treated alike: its scores are held against those of the normal people at the same height and against the
    subject's own other levels, and averaged along the vessel (`anomaly.NormalLevels`). Normal people, and the subjects, should be
    none that a network was trained on. What was scored is kept in ``cases`` in the output folder; a second run scores what is
    missing.

    Tables: areas under curves over levels and over subjects; over pixels, with the Dice at three thresholds (an oracle's, one
    chosen on the other half of the subjects, and one from healthy people alone); false alarms and sensitivity of the verdict;
    dilations by size.

    Args:
        datalist: subjects.
        normals: normal people, whom a verdict is held against.
        score: scores a scan.
        output_dir: where ``detection.json``, ``detection.md`` and the cases go.
        baselines: name -> another way.
        kinds: of lesions, all of `LesionSimulator` by default.
        severities: name -> severity, see `SEVERITIES`.
        kinds_each: how many kinds of each severity a subject gets, in turn; None gives all.
        dilations: further factors by which the aorta of the first subjects is dilated.
        dilation_subjects: how many of them.
        alpha: of the verdict.
        by_subject: whether each subject is a group, too.
        seed: of the lesions and of the bootstrap.
        workers: processes; None takes all cores.

    Raises:
        ValueError: when a kind is unknown, or a number is out of its range.
    """

    def __init__(
        self,
        datalist: Sequence[Record],
        normals: Sequence[Record],
        score: ScanScorer,
        output_dir: str,
        baselines: Mapping[str, DetectionBaseline] | None = None,
        kinds: Sequence[str] | None = None,
        severities: Mapping[str, float] | None = None,
        kinds_each: int | None = None,
        dilations: Sequence[float] = (),
        dilation_subjects: int = 0,
        alpha: float = ALPHA,
        by_subject: bool = False,
        seed: int = 0,
        workers: int | None = 1,
    ) -> None:
        self.records, self.normals = (_by_name(each) for each in (datalist, normals))
        self.kinds = tuple(LESIONS if kinds is None else kinds)
        if unknown := sorted(set(self.kinds) - LESIONS.keys()):
            raise ValueError(f"kinds names {', '.join(unknown)}: expected some of {', '.join(LESIONS)}.")
        self.severities = dict(SEVERITIES if severities is None else severities)
        if not all(0 < each <= 1 for each in self.severities.values()) or not all(
            1 < each <= 1 + DILATION + ROUNDING for each in dilations
        ):
            raise ValueError(
                f"severities {self.severities} and dilations {list(dilations)}: expected severities of more than 0 up to 1, and "
                f"factors of more than 1 up to {1 + DILATION:g}."
            )
        self.kinds_each = len(self.kinds) if kinds_each is None else kinds_each
        self.dilations, self.dilation_subjects = tuple(dilations), dilation_subjects
        self.score, self.baselines, self.folder = score, dict(baselines or {}), Path(output_dir)
        self.alpha, self.by_subject, self.seed, self.workers = alpha, by_subject, seed, workers

    def run(self) -> list[DetectionRow]:
        """Score, compare and write; the rows of all tables.

        Raises:
            ValueError: when a subject is also a normal person, or fewer than three normal people, or no subject, could be scored.
        """
        if both := sorted(self.records.keys() & self.normals.keys()):
            raise ValueError(
                f"{', '.join(both)}: subjects, and normal people whom they are held against; expected either."
            )
        known = self._cases([CaseTask(name, record, (), self.seed) for name, record in self.normals.items()])
        tested = self._cases(self._tasks())
        rows = DetectionTables(known, tested, self.severities, self.alpha, self.by_subject, self.seed).rows()
        write_json(self.folder / "detection.json", [asdict(each) for each in rows])
        write_text(self.folder / "detection.md", as_page(rows))
        logger.info("detection: %s", self.folder / "detection.md")
        return rows

    def _tasks(self) -> list[CaseTask]:
        tasks = []
        for number, (name, record) in enumerate(self.records.items()):
            turned = [
                self.kinds[(number * self.kinds_each + each) % len(self.kinds)] for each in range(self.kinds_each)
            ]
            lesions = [Lesion(kind, severity) for severity in self.severities.values() for kind in turned]
            if number < self.dilation_subjects:
                lesions += [Lesion("dilation", min(1.0, (factor - 1) / DILATION)) for factor in self.dilations]
            tasks.append(CaseTask(name, record, tuple(lesions), self.seed + 1000 * (number + 1)))
        return tasks

    def _cases(self, tasks: Sequence[CaseTask]) -> list[LesionCase]:
        """All cases of all tasks, in their order; those that were kept are not scored again."""
        told = [told_by_content(settings_of(each)) for each in (self.score, self.baselines)]
        digest = settings_digest([self.score.parts(), *told, monai_cardiac_gan.__version__])
        done: dict[str, list[LesionCase]] = {}
        missing = []
        for task in tasks:
            path = self._path(task, digest)
            if path.exists():
                done[task.name] = read_cases(path)
            else:
                missing.append(task)
        work = partial(lesion_cases, self.score, self.baselines)
        with tqdm(total=len(missing), desc="subjects", unit="subject", disable=None) as bar:
            for task, future in run_all(work, missing, *choose_executor(self.workers, None, len(missing), PRELOADED)):
                try:
                    done[task.name] = future.result()
                    write_cases(self._path(task, digest), done[task.name])
                except (ValueError, RuntimeError, OSError) as error:
                    logger.warning("not scored: %s: %s", task.name, reason_of(error, str(task.record[Field.IMAGE])))
                bar.update()
        return [case for task in tasks for case in done.get(task.name, [])]

    def _path(self, task: CaseTask, digest: str) -> Path:
        """Where a subject's cases are kept: another name for other lesions, or another way of scoring."""
        made = settings_digest(
            [digest, settings_of(task.lesions), task.seed, input_state(task.record[Field.IMAGE]).sha256]
        )
        return self.folder / "cases" / f"{file_name_of(task.name)}_{made[:DIGEST_LETTERS]}.npz"


def _by_name(records: Sequence[Record]) -> dict[str, Record]:
    """The first record of each subject."""
    found: dict[str, Record] = {}
    for record in records:
        if Field.ERROR not in record:
            found.setdefault(str(record[Field.SUBJECT]), record)
    return found
