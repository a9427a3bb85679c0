"""How often the truth lies where the solutions of a search say, and intervals that hold it as often as they should."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from monai_cardiac_gan.aorta import measure_disc
from monai_cardiac_gan.data import AortaPatchDataset, valid_region, write_json
from monai_cardiac_gan.inferers import (
    LatentInpaintingInferer,
    SpreadCalibration,
    calibrate_spread,
    coverage,
    disc_spread,
    pixel_spread,
    square_hole,
)
from monai_cardiac_gan.inferers.latent_bank import digest_of
from monai_cardiac_gan.keys import Field

__all__ = ["CalibrateInpainting", "CalibrationReport", "read_calibration"]

logger = logging.getLogger(__name__)

NORMAL_90 = 1.6448536269514722
"""Half of the 90 % interval of a normal distribution, in standard deviations: what a spread would mean uncalibrated."""
PIXEL, DIAMETER, CENTRE = "pixel", "diameter_mm", "centre_mm"


@dataclass(frozen=True)
class Cases:
    """Errors and spreads of one quantity, with the subject of each case."""

    errors: np.ndarray
    deviations: np.ndarray
    subjects: np.ndarray


@dataclass(frozen=True)
class CalibrationReport:
    """Intervals of a search, and how often they held.

    Attributes:
        level: wanted.
        starts: solutions that the spreads are taken over.
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
    intervals: Mapping[str, SpreadCalibration]
    coverage: Mapping[str, float]
    uncalibrated: Mapping[str, float]


class CalibrateInpainting:
    """Search held-out patches from several starts and learn what their spread is worth.

    Each subject's patches are judged by intervals from all other subjects' patches, because those of one person are alike.
    The intervals that are written are learnt from all. Quantities: each hidden pixel, the diameter of the aorta, the
    distance of its centre; the latter two for patches in whose original an aorta is found, and in two solutions or more.

    Args:
        inferer: searches from at least two starts.
        generator: whose latents are searched.
        held_out: patches that neither the generator nor its encoder was trained on, of at least two subjects.
        path: where the report goes, JSON.
        hole_size: side of the square hole in the middle, pixels.
        level: share of the truths that the intervals shall hold.
        batch_size: patches at once.

    Raises:
        ValueError: when there are fewer than two starts or two subjects, or too few cases (`calibrate_spread`).
    """

    def __init__(
        self,
        inferer: LatentInpaintingInferer,
        generator: nn.Module,
        held_out: AortaPatchDataset,
        path: str | os.PathLike[str],
        hole_size: int = 25,
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
        self.path, self.hole_size, self.level, self.batch_size = Path(path), hole_size, level, batch_size

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
            coverage={name: left_out_coverage(each, self._calibrate) for name, each in cases.items()},
            uncalibrated={name: coverage(each.errors, NORMAL_90 * each.deviations) for name, each in cases.items()},
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, asdict(report))
        logger.info("calibration: %s, held %s", self.path, dict(report.coverage))
        return report

    def cases(self) -> dict[str, Cases]:
        """Errors and spreads of all held-out patches."""
        originals = self.held_out.all_patches().float()
        pixel_mm = float(self.held_out[0][Field.IMAGE].pixdim[0])
        hole = square_hole(self.hole_size, shape=originals.shape[2:])
        valid = valid_region(self.held_out.all_bounds(), originals.shape[-1])
        device = next(self.generator.parameters()).device
        rows: dict[str, list[tuple[np.ndarray, np.ndarray, str]]] = {PIXEL: [], DIAMETER: [], CENTRE: []}
        subjects = self.held_out.subjects()
        for part in torch.arange(len(originals)).split(self.batch_size):
            result = self.inferer.search(originals[part].to(device), hole.to(device), self.generator, valid[part])
            spread = pixel_spread(result)
            for place, number in enumerate(part.tolist()):
                truth, hidden = originals[number], hole & valid[number, 0]
                errors = (truth - spread.mean[place])[0][hidden]
                rows[PIXEL].append((errors.numpy(), spread.deviation[place, 0][hidden].numpy(), subjects[number]))
                for name, error, deviation in _disc_errors(truth, result.inpainted[place], pixel_mm):
                    rows[name].append((np.array([error]), np.array([deviation]), subjects[number]))
        return {name: _cases(found) for name, found in rows.items()}

    def _calibrate(self, cases: Cases) -> SpreadCalibration:
        return calibrate_spread(cases.errors, cases.deviations, self.level)


def left_out_coverage(cases: Cases, calibrate: Callable[[Cases], SpreadCalibration]) -> float:
    """Share of the truths in intervals that were learnt from the other subjects."""
    held = np.zeros(len(cases.errors), dtype=bool)
    for subject in np.unique(cases.subjects):
        out = cases.subjects == subject
        learnt = calibrate(Cases(cases.errors[~out], cases.deviations[~out], cases.subjects[~out]))
        held[out] = np.abs(cases.errors[out]) <= learnt.half_width(cases.deviations[out])
    return float(held.mean())


def name_of(inferer: LatentInpaintingInferer) -> str:
    """What kind of search this is: its descent and its starts."""
    return f"{type(inferer.descent).__name__} from {type(inferer.start_finder).__name__}"


def read_calibration(
    path: str | os.PathLike[str], generator: nn.Module, inferer: LatentInpaintingInferer
) -> dict[str, SpreadCalibration]:
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
    return {name: SpreadCalibration(**values) for name, values in content["intervals"].items()}


def _digest(generator: nn.Module) -> str:
    return bytes(digest_of(generator).tolist()).hex()


def _disc_errors(truth: Tensor, solutions: Tensor, pixel_mm: float) -> list[tuple[str, float, float]]:
    """Error and spread of diameter and centre; nothing where an aorta is missing."""
    original = measure_disc(truth[0].numpy(), pixel_mm)
    spread = disc_spread(solutions, pixel_mm)
    if original is None or spread.centre is None or spread.diameter_mm is None:
        return []
    if spread.centre_mm is None or spread.diameter_deviation_mm is None:  # a single solution has no spread
        return []
    distance = pixel_mm * float(np.linalg.norm(np.subtract(original.centre, spread.centre)))
    return [
        (DIAMETER, original.diameter_mm - spread.diameter_mm, spread.diameter_deviation_mm),
        (CENTRE, distance, spread.centre_mm),
    ]


def _cases(found: list[tuple[np.ndarray, np.ndarray, str]]) -> Cases:
    errors, deviations = (np.concatenate([each[i] for each in found] or [np.zeros(0)]) for i in (0, 1))
    subjects = np.concatenate([np.full(len(each[0]), each[2]) for each in found] or [np.zeros(0, dtype=str)])
    return Cases(errors, deviations, subjects)
