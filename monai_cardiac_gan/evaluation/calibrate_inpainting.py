"""Calibration of a search: how often the truth lies where its solutions say, and intervals that hold it as often as asked."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.evaluation.calibration_report import CENTRE, DIAMETER, PIXEL, CalibrationReport, Coverage
from monai_cardiac_gan.evaluation.subject_interval import subject_interval
from monai_cardiac_gan.inferers import (
    AmortisedInferer,
    InpaintedPatch,
    LatentInpaintingInferer,
    PatchOrigin,
    UncertaintyCalibration,
    calibrate_uncertainty,
    choose_floor,
    mask_digest,
    search_digests,
    square_mask,
    subjects_needed,
)
from monai_cardiac_gan.keys import Field

__all__ = ["CalibrateInpainting"]

logger = logging.getLogger(__name__)

NORMAL_90 = 1.6448536269514722
"""Half of the 90 % interval of a normal distribution, in standard deviations: what these would mean uncalibrated."""
ALL = "all"


@dataclass(frozen=True)
class Cases:
    """Errors and standard deviations of one quantity, with the subject of each case."""

    errors: np.ndarray
    stds: np.ndarray
    subjects: np.ndarray

    def of(self, chosen: np.ndarray) -> Cases:
        """Those for which it is true."""
        return Cases(self.errors[chosen], self.stds[chosen], self.subjects[chosen])


class CalibrateInpainting:
    """Solve held-out patches several times, and learn what the standard deviation of the solutions is worth.

    All is by subject, because the patches of one person are alike: every subject weighs the same, and how often the
    intervals held is counted for each subject with intervals from all others. Nothing is judged by what was chosen with it:
    the floors of the intervals come from other people (`tuning`), such as those that the generator was trained on. The intervals
    that are written are learnt from all of `held_out`, and hold for people like these (`calibrate_uncertainty`): where they
    are phantoms for the most part, say so.

    Quantities: each hidden pixel, the diameter of the aorta, the distance of its centre; the latter two for patches in whose
    original an aorta is found, and in two solutions or more. A quantity with too few subjects is left out, with a warning.

    Args:
        inferer: searches from at least two starts, or draws as many answers.
        generator: whose latents are searched or drawn.
        held_out: items of `AortaPatchDataset`, of people that neither the generator nor anything else was trained on.
        tuning: the same of any other people; they choose the floors and nothing else.
        path: where the report goes, JSON.
        mask: (H, W) bool, true where a patch is painted, or a function of the batch; None is the publication's square.
        level: share of the truths that the intervals shall hold.
        groups: name -> pattern of subjects (``"la_*"``, as `fnmatch` reads it) whose coverage is reported apart.
        batch_size: patches at once.
        seed: of the bootstrap.

    Raises:
        ValueError: when there are fewer than two starts, a subject is in both sets, or no quantity has enough subjects
            (`subjects_needed`).
    """

    def __init__(
        self,
        inferer: LatentInpaintingInferer | AmortisedInferer,
        generator: nn.Module,
        held_out: Dataset[Any],
        tuning: Dataset[Any],
        path: str | os.PathLike[str],
        mask: Tensor | Callable[[Any], Tensor] | None = None,
        level: float = 0.9,
        groups: Mapping[str, str] | None = None,
        batch_size: int = 8,
        seed: int = 0,
    ) -> None:
        if inferer.starts < 2:
            raise ValueError(
                f"{inferer.starts} starts: expected at least two, whose solutions may differ; search from more."
            )
        self.inferer, self.generator, self.held_out, self.tuning = inferer, generator, held_out, tuning
        self.path, self.level, self.batch_size, self.seed = Path(path), level, batch_size, seed
        self.mask = square_mask() if mask is None else mask
        self.groups = {ALL: "*"} | dict(groups or {})

    def run(self) -> CalibrationReport:
        """Search, learn and write."""
        subjects, others = (_subjects(data) for data in (self.held_out, self.tuning))
        if shared := sorted(subjects & others):
            raise ValueError(
                f"{', '.join(shared)}: in the held-out patches and in those for tuning, too; expected other people there, such "
                "as those of the training split."
            )
        tuning, cases = self.cases(self.tuning), self.cases(self.held_out)
        pixel_mm = PatchOrigin.of(self.held_out[0][Field.IMAGE]).pixel_mm
        floors = {name: self._floor(each) for name, each in tuning.items()}
        intervals, judged = {}, {}
        for name, each in cases.items():
            floor, people = floors[name], len(np.unique(each.subjects))
            if floor is None or people < subjects_needed(self.level):
                logger.warning("%s: no interval, it was found in the patches of %d subjects only", name, people)
                continue
            intervals[name] = replace(self._calibrate(each, floor), pixel_mm=pixel_mm)
            judged[name] = self._judge(each, floor)
        if not intervals:
            raise ValueError(
                f"patches of {len(subjects)} subjects: expected at least {subjects_needed(self.level)} for a level of "
                f"{self.level}; hold more people out, or ask for less."
            )
        report = self._report(intervals, judged, len(subjects), len(others))
        write_json(self.path, asdict(report))
        for name, groups in judged.items():
            logger.info("%s: held %s", name, {group: round(each.held, 3) for group, each in groups.items()})
        logger.info("calibration: %s", self.path)
        return report

    def _report(
        self,
        intervals: Mapping[str, UncertaintyCalibration],
        judged: Mapping[str, Mapping[str, Coverage]],
        subjects: int,
        others: int,
    ) -> CalibrationReport:
        return CalibrationReport(
            level=self.level,
            search=search_digests(self.inferer, self.generator),
            mask=mask_digest(self.mask),
            mask_pixels=int(self.mask.sum()) if isinstance(self.mask, Tensor) else None,
            starts=self.inferer.starts,
            subjects=subjects,
            patches=len(self.held_out),  # type: ignore[arg-type]
            tuning_subjects=others,
            intervals=intervals,
            coverage=judged,
        )

    def cases(self, patches: Dataset[Any]) -> dict[str, Cases]:
        """Errors and standard deviations of all patches of a set."""
        rows: dict[str, list[tuple[np.ndarray, np.ndarray, str]]] = {PIXEL: [], DIAMETER: [], CENTRE: []}
        for patch in self._searched(patches):
            hidden = patch.mask & patch.valid
            errors = (patch.acquired - patch.mean)[hidden]
            rows[PIXEL].append((errors.numpy(), patch.std[hidden].numpy(), patch.origin.subject))
            for name, error, std in _disc_errors(patch):
                rows[name].append((np.array([error]), np.array([std]), patch.origin.subject))
        return {name: _cases(found) for name, found in rows.items()}

    def _searched(self, patches: Dataset[Any]) -> Sequence[InpaintedPatch]:
        device = next(self.generator.parameters()).device
        found: list[InpaintedPatch] = []
        for part in torch.arange(len(patches)).split(self.batch_size):  # type: ignore[arg-type]
            items = [patches[number] for number in part.tolist()]
            batch = {name: [item[name] for item in items] for name in (Field.IMAGE, Field.SUBJECT)}
            masks = self.mask(batch) if callable(self.mask) else self.mask
            images = torch.stack([image.as_tensor().float() for image in batch[Field.IMAGE]])
            valid = torch.stack([item[Field.VALID] for item in items])
            result = self.inferer.search(images.to(device), masks.to(device), self.generator, valid)
            origins = [PatchOrigin.of(image) for image in batch[Field.IMAGE]]
            found += [replace(each, origin=origin) for each, origin in zip(result, origins, strict=True)]
        return found

    def _floor(self, cases: Cases) -> float | None:
        return choose_floor(cases.errors, cases.stds, cases.subjects, self.level) if cases.errors.size else None

    def _calibrate(self, cases: Cases, floor: float) -> UncertaintyCalibration:
        return calibrate_uncertainty(cases.errors, cases.stds, cases.subjects, floor, self.level)

    def _judge(self, cases: Cases, floor: float) -> dict[str, Coverage]:
        """Coverage of each group; nothing where the others are too few to learn from."""
        if len(np.unique(cases.subjects)) <= subjects_needed(self.level):
            return {}
        held = leave_one_out(cases, lambda others: self._calibrate(others, floor))
        plain = {name: _share(cases.of(cases.subjects == name), NORMAL_90) for name in held}
        chosen = {group: [n for n in held if fnmatchcase(n, pattern)] for group, pattern in self.groups.items()}
        return {group: self._coverage(held, plain, names) for group, names in chosen.items() if names}

    def _coverage(self, held: Mapping[str, float], plain: Mapping[str, float], names: Sequence[str]) -> Coverage:
        shares = np.array([held[name] for name in names])
        low, high = subject_interval(shares, names, self.seed) or (None, None)
        mean = float(np.mean([plain[name] for name in names]))
        return Coverage(len(names), float(shares.mean()), low, high, mean, {name: held[name] for name in names})


def leave_one_out(cases: Cases, calibrate: Callable[[Cases], UncertaintyCalibration]) -> dict[str, float]:
    """Subject -> share of its truths in intervals that were learnt from the other subjects."""
    held = {}
    for subject in np.unique(cases.subjects):
        own = cases.subjects == subject
        learnt, judged = calibrate(cases.of(~own)), cases.of(own)
        held[str(subject)] = float(np.mean(np.abs(judged.errors) <= learnt.half_width(judged.stds)))
    return held


def _subjects(data: Dataset[Any]) -> set[str]:
    named: set[str] = set(data.subjects())  # type: ignore[attr-defined]
    return named


def _share(cases: Cases, factor: float) -> float:
    return float(np.mean(np.abs(cases.errors) <= factor * cases.stds))


def _disc_errors(patch: InpaintedPatch) -> list[tuple[str, float, float]]:
    """Error and standard deviation of diameter and centre; nothing where an aorta is missing."""
    acquired, found = patch.acquired_disc, patch.uncertainty
    if acquired is None or found.centre is None or found.diameter_mm is None:
        return []
    if found.centre_std_mm is None or found.diameter_std_mm is None:  # a single solution has none
        return []
    distance = patch.origin.pixel_mm * float(np.linalg.norm(np.subtract(acquired.centre, found.centre)))
    return [
        (DIAMETER, acquired.diameter_mm - found.diameter_mm, found.diameter_std_mm),
        (CENTRE, distance, found.centre_std_mm),
    ]


def _cases(found: list[tuple[np.ndarray, np.ndarray, str]]) -> Cases:
    errors, stds = (np.concatenate([each[i] for each in found] or [np.zeros(0)]) for i in (0, 1))
    subjects = np.concatenate([np.full(len(each[0]), each[2]) for each in found] or [np.zeros(0, dtype=str)])
    return Cases(errors, stds, subjects)
