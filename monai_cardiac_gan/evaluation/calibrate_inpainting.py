"""Calibration of a search: how often the truth lies where its solutions say, and intervals that hold it as often as asked."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.data import AortaPatchDataset, valid_region
from monai_cardiac_gan.inferers import (
    InpaintedPatch,
    LatentInpaintingInferer,
    PatchOrigin,
    UncertaintyCalibration,
    calibrate_uncertainty,
    coverage,
    square_mask,
)
from monai_cardiac_gan.inferers.latent_bank import digest_of
from monai_cardiac_gan.keys import Field

__all__ = ["CalibrateInpainting", "CalibrationReport", "read_calibration"]

logger = logging.getLogger(__name__)

NORMAL_90 = 1.6448536269514722
"""Half of the 90 % interval of a normal distribution, in standard deviations: what these would mean uncalibrated."""
PIXEL, DIAMETER, CENTRE = "pixel", "diameter_mm", "centre_mm"


@dataclass(frozen=True)
class Cases:
    """Errors and standard deviations of one quantity, with the subject of each case."""

    errors: np.ndarray
    stds: np.ndarray
    subjects: np.ndarray


@dataclass(frozen=True)
class CalibrationReport:
    """Intervals of a search, and how often they held.

    Attributes:
        level: wanted.
        starts: solutions that the standard deviations are taken over.
        search: what searched, see `name_of`.
        generator: SHA-256 of the generator's weights, hexadecimal.
        subjects: how many were searched.
        intervals: quantity -> calibration from all subjects.
        coverage: quantity -> share of a subject's truths in the intervals that were learnt from all the others.
        uncalibrated: the same for the mean and 1.645 standard deviations.
    """

    level: float
    starts: int
    search: str
    generator: str
    subjects: int
    intervals: Mapping[str, UncertaintyCalibration]
    coverage: Mapping[str, float]
    uncalibrated: Mapping[str, float]


class CalibrateInpainting:
    """Search held-out patches from several starts and learn what the standard deviation of the solutions is worth.

    Each subject's patches are judged by intervals from all other subjects' patches, because those of one person are alike.
    The intervals that are written are learnt from all. Quantities: each hidden pixel, the diameter of the aorta, the
    distance of its centre; the latter two for patches in whose original an aorta is found, and in two solutions or more.

    Args:
        inferer: searches from at least two starts.
        generator: whose latents are searched.
        held_out: patches that neither the generator nor its encoder was trained on, of at least two subjects.
        path: where the report goes, JSON.
        mask_size: side of the square mask in the middle, pixels.
        level: share of the truths that the intervals shall hold.
        batch_size: patches at once.

    Raises:
        ValueError: when there are fewer than two starts or two subjects, or too few cases (`calibrate_uncertainty`).
    """

    def __init__(
        self,
        inferer: LatentInpaintingInferer,
        generator: nn.Module,
        held_out: AortaPatchDataset,
        path: str | os.PathLike[str],
        mask_size: int = 25,
        level: float = 0.9,
        batch_size: int = 8,
    ) -> None:
        people = len(set(held_out.subjects()))
        if inferer.starts < 2 or people < 2:
            raise ValueError(
                f"{inferer.starts} starts and {people} subjects: expected at least two of both; search from more starts, "
                "or hold more subjects out."
            )
        self.inferer, self.generator, self.held_out = inferer, generator, held_out
        self.path, self.mask_size, self.level, self.batch_size = Path(path), mask_size, level, batch_size

    def run(self) -> CalibrationReport:
        """Search, learn and write."""
        cases = self.cases()
        report = CalibrationReport(
            level=self.level,
            starts=self.inferer.starts,
            search=name_of(self.inferer),
            generator=_digest(self.generator),
            subjects=len(set(self.held_out.subjects())),
            intervals={name: self._calibrate(each) for name, each in cases.items()},
            coverage={name: leave_one_out_coverage(each, self._calibrate) for name, each in cases.items()},
            uncalibrated={name: coverage(each.errors, NORMAL_90 * each.stds) for name, each in cases.items()},
        )
        write_json(self.path, asdict(report))
        logger.info("calibration: %s, held %s", self.path, dict(report.coverage))
        return report

    def cases(self) -> dict[str, Cases]:
        """Errors and standard deviations of all held-out patches."""
        originals = self.held_out.all_patches().float()
        pixel_mm = float(self.held_out[0][Field.IMAGE].pixdim[0])
        mask = square_mask(self.mask_size, shape=originals.shape[2:])
        valid = valid_region(self.held_out.all_bounds(), originals.shape[-1])
        device = next(self.generator.parameters()).device
        rows: dict[str, list[tuple[np.ndarray, np.ndarray, str]]] = {PIXEL: [], DIAMETER: [], CENTRE: []}
        subjects = self.held_out.subjects()
        for part in torch.arange(len(originals)).split(self.batch_size):
            result = self.inferer.search(originals[part].to(device), mask.to(device), self.generator, valid[part])
            for found, number in zip(result, part.tolist(), strict=True):
                patch = replace(found, origin=PatchOrigin(subjects[number], pixel_mm=pixel_mm))
                hidden = patch.mask & patch.valid
                errors = (patch.acquired - patch.mean)[hidden]
                rows[PIXEL].append((errors.numpy(), patch.std[hidden].numpy(), subjects[number]))
                for name, error, std in _disc_errors(patch):
                    rows[name].append((np.array([error]), np.array([std]), subjects[number]))
        return {name: _cases(found) for name, found in rows.items()}

    def _calibrate(self, cases: Cases) -> UncertaintyCalibration:
        return calibrate_uncertainty(cases.errors, cases.stds, self.level)


def leave_one_out_coverage(cases: Cases, calibrate: Callable[[Cases], UncertaintyCalibration]) -> float:
    """Share of the truths in intervals that were learnt from the other subjects."""
    held = np.zeros(len(cases.errors), dtype=bool)
    for subject in np.unique(cases.subjects):
        out = cases.subjects == subject
        learnt = calibrate(Cases(cases.errors[~out], cases.stds[~out], cases.subjects[~out]))
        held[out] = np.abs(cases.errors[out]) <= learnt.half_width(cases.stds[out])
    return float(held.mean())


def name_of(inferer: LatentInpaintingInferer) -> str:
    """What kind of search this is: its optimiser and its initialiser."""
    return f"{type(inferer.optimizer).__name__} from {type(inferer.initializer).__name__}"


def read_calibration(
    path: str | os.PathLike[str], generator: nn.Module, inferer: LatentInpaintingInferer
) -> dict[str, UncertaintyCalibration]:
    """Intervals from a file, if they were learnt for this generator and this search; otherwise none, with a warning.

    Args:
        path: a report of `CalibrateInpainting`; no warning where there is none.
        generator: whose latents are searched.
        inferer: the search.
    """
    if not Path(path).exists():
        return {}
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    wanted = {"starts": inferer.starts, "search": name_of(inferer), "generator": _digest(generator)}
    different = [name for name, value in wanted.items() if content[name] != value]
    if different:
        logger.warning(
            "%s: learnt with other %s than this search has: no intervals are given; run calibrate.json for yours.",
            path,
            " and ".join(different),
        )
        return {}
    return {name: UncertaintyCalibration(**values) for name, values in content["intervals"].items()}


def _digest(generator: nn.Module) -> str:
    return bytes(digest_of(generator).tolist()).hex()


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
