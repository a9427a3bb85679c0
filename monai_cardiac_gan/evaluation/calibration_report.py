"""What was learnt of a search's intervals, as a file; they are given for that search alone."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from monai_cardiac_gan.inferers import (
    AmortisedInferer,
    LatentInpaintingInferer,
    UncertaintyCalibration,
    mask_digest,
    search_digests,
)

__all__ = ["CENTRE", "DIAMETER", "PIXEL", "CalibrationReport", "Coverage", "read_calibration"]

logger = logging.getLogger(__name__)

PIXEL, DIAMETER, CENTRE = "pixel", "diameter_mm", "centre_mm"
"""Quantities that have intervals."""
MASK, SEARCH, INTERVALS = "mask", "search", "intervals"
"""Fields of a `CalibrationReport`."""


@dataclass(frozen=True)
class Coverage:
    """How often intervals held that were learnt from other subjects.

    Attributes:
        subjects: how many were judged.
        held: share of the truths in their intervals, mean over the subjects.
        low: lower end of the 95 % interval of this mean, bootstrapped over the subjects; None for fewer than 5 of them.
        high: upper end.
        uncalibrated: the same share for the mean and 1.645 standard deviations of the solutions.
        by_subject: subject -> share.
    """

    subjects: int
    held: float
    low: float | None
    high: float | None
    uncalibrated: float
    by_subject: Mapping[str, float]


@dataclass(frozen=True)
class CalibrationReport:
    """Intervals of a search, and how often they held.

    Attributes:
        level: wanted.
        search: part of the search -> digest of its settings and weights (`search_digests`).
        mask: digest of the mask (`mask_digest`).
        mask_pixels: how many it hides; None where each patch has its own.
        starts: solutions that the standard deviations are taken over.
        subjects: how many were searched to learn the intervals.
        patches: of theirs.
        tuning_subjects: how many others were searched to choose the floors.
        intervals: quantity -> calibration from all subjects.
        coverage: quantity -> group -> coverage; each subject was judged by intervals from all the others.
    """

    level: float
    search: Mapping[str, str]
    mask: str
    mask_pixels: int | None
    starts: int
    subjects: int
    patches: int
    tuning_subjects: int
    intervals: Mapping[str, UncertaintyCalibration]
    coverage: Mapping[str, Mapping[str, Coverage]]


def read_calibration(
    path: str | os.PathLike[str],
    generator: nn.Module,
    inferer: LatentInpaintingInferer | AmortisedInferer,
    mask: Tensor | Callable[[Any], Tensor] | None = None,
) -> dict[str, UncertaintyCalibration]:
    """Intervals from a file, if they were learnt for this search, these weights and this mask; else none, with a warning.

    Args:
        path: a report of `CalibrateInpainting`; no warning where there is none.
        generator: whose latents are searched or drawn.
        inferer: the search, with its weights loaded.
        mask: what is hidden; None is the publication's square.
    """
    if not Path(path).exists():
        return {}
    try:
        content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        learnt = {name: UncertaintyCalibration(**values) for name, values in content[INTERVALS].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning(
            "%s: holds no calibration that this version reads (%s): no intervals are given; run calibrate.json.",
            path,
            error,
        )
        return {}
    different = _different(content, generator, inferer, mask)
    if different:
        logger.warning(
            "%s: learnt with other %s than this search has: no intervals are given; run calibrate.json for yours.",
            path,
            " and ".join(different),
        )
    return {} if different else learnt


def _different(
    content: Mapping[str, Any], generator: nn.Module, inferer: LatentInpaintingInferer | AmortisedInferer, mask: Any
) -> list[str]:
    """Parts of the search, or its mask, that are not those of the file; what cannot be told is different."""
    try:
        wanted = search_digests(inferer, generator) | {MASK: mask_digest(mask)}
    except TypeError as error:
        return [f"settings ({error})"]
    search = content.get(SEARCH)
    known = (search if isinstance(search, dict) else {}) | {MASK: content.get(MASK)}
    return [name for name, value in wanted.items() if known.get(name) != value]
