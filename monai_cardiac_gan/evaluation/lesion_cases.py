"""One subject without and with lesions, scored in every way that is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from monai.data import MetaTensor
from scipy import ndimage

from monai_cardiac_gan.anomaly import ScoredLevels
from monai_cardiac_gan.data import Record
from monai_cardiac_gan.evaluation.detection_baselines import DetectionBaseline
from monai_cardiac_gan.evaluation.score_scan import ScanScorer, ScoredScan
from monai_cardiac_gan.transforms import LesionSimulator, cut_along

__all__ = ["HEALTHY", "OURS", "CaseTask", "Lesion", "LesionCase", "lesion_cases"]

OURS = "expected vessel"
"""Name of the package's own way."""
HEALTHY = "none"
"""Kind of a scan without a lesion."""
MAP_SMOOTH_PX = 1.0
"""Of all maps, before pixels are compared: half a pixel to two change no order of the ways."""
HEALTHY_MAPS = 4
"""Levels of a healthy scan whose maps are kept."""
LEAST_TRUTH = 0.5
"""Share of a pixel that a lesion must take."""


@dataclass(frozen=True)
class Lesion:
    """A lesion to be made.

    Attributes:
        kind: see `LesionSimulator`.
        severity: 0 to 1.
    """

    kind: str
    severity: float


@dataclass(frozen=True)
class CaseTask:
    """A subject and the lesions that it gets, one after the other.

    Attributes:
        name: of the subject.
        record: of its healthy scan.
        lesions: none leaves it healthy.
        seed: of the lesions' places and directions.
        maps: whether maps are kept.
    """

    name: str
    record: Record
    lesions: tuple[Lesion, ...]
    seed: int
    maps: bool = True


@dataclass(frozen=True)
class LesionCase:
    """One scan, with a lesion or without.

    Attributes:
        subject: whose.
        lesion: kind `HEALTHY` with severity 0 for none.
        levels: name of a way -> scores of the K levels.
        amounts: (K,) of the lesion, 0 to 1.
        maps: name of a way -> (k, h, w) float16 in the hole, of the levels that the lesion takes; of a healthy scan of a few.
        truth: (k, h, w) bool, what the lesion takes of them.
        error: why there are no scores, None where there are.
    """

    subject: str
    lesion: Lesion
    levels: Mapping[str, ScoredLevels]
    amounts: np.ndarray
    maps: Mapping[str, np.ndarray]
    truth: np.ndarray
    error: str | None = None


def lesion_cases(score: ScanScorer, baselines: Mapping[str, DetectionBaseline], task: CaseTask) -> list[LesionCase]:
    """The healthy scan of a subject, and the same scan with each of its lesions, localised anew.

    Args:
        score: scores a scan.
        baselines: name -> another way.
        task: whose, and with which lesions.

    Returns:
        One case for each; a scan that cannot be scored has its reason.

    Raises:
        ValueError: when the volume cannot be read, or its aorta is not found.
    """
    image, track = score.load(task.record)
    cases = [_case(score, baselines, task, image, None, Lesion(HEALTHY, 0.0), {})]
    for number, lesion in enumerate(task.lesions):
        made = LesionSimulator(lesion.kind, lesion.severity, seed=task.seed + number)(image, track)
        amounts = dict(zip(track.slices.tolist(), made.amounts.tolist(), strict=True))
        cases.append(_case(score, baselines, task, made.image, made.truth, lesion, amounts))
    return cases


def _case(
    score: ScanScorer,
    baselines: Mapping[str, DetectionBaseline],
    task: CaseTask,
    image: MetaTensor,
    truth: MetaTensor | None,
    lesion: Lesion,
    amounts: Mapping[int, float],
) -> LesionCase:
    try:
        scan = score(image, score.located(image))
    except ValueError as error:
        return LesionCase(task.name, lesion, {}, np.zeros(0), {}, np.zeros((0, 0, 0), bool), str(error))
    own = scan.scored.levels
    levels, maps = {OURS: own}, {OURS: np.abs(scan.scored.deviation)}
    for name, baseline in baselines.items():
        values, found = baseline(scan)
        levels[name] = ScoredLevels(own.heights_mm, values[:, None], own.is_compared & np.isfinite(values), (name,))
        if found is not None:
            maps[name] = found
    slices = scan.expected.patches.slices[scan.expected.levels]
    taken = np.array([amounts.get(int(each), 0.0) for each in slices])
    kept, marked = _kept(scan, truth, taken) if task.maps else (np.zeros(0, int), np.zeros((0, 0, 0), bool))
    return LesionCase(task.name, lesion, levels, taken, _in_hole(maps, kept, scan), marked)


def _kept(scan: ScoredScan, truth: MetaTensor | None, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels whose maps are kept, and what the lesion takes of their holes."""
    compared = np.flatnonzero(scan.scored.levels.is_compared)
    rows, columns = _hole(scan)
    if truth is None:
        kept = compared[np.unique(np.linspace(0, len(compared) - 1, HEALTHY_MAPS).astype(int))]
        return kept, np.zeros((len(kept), rows.stop - rows.start, columns.stop - columns.start), bool)
    kept = compared[taken[compared] > 0]
    places = scan.expected.levels[kept]
    slices, course = scan.expected.patches.slices[places], scan.expected.course_mm[places]
    share = cut_along(truth.float(), slices, course).pixels[:, 0, rows, columns]
    return kept, (share > LEAST_TRUTH).numpy()


def _in_hole(
    maps: Mapping[str, np.ndarray], kept: Sequence[int] | np.ndarray, scan: ScoredScan
) -> dict[str, np.ndarray]:
    rows, columns = _hole(scan)
    smooth = (0.0, MAP_SMOOTH_PX, MAP_SMOOTH_PX)
    return {
        name: ndimage.gaussian_filter(each[kept], smooth)[:, rows, columns].astype(np.float16)
        for name, each in maps.items()
        if len(kept)
    }


def _hole(scan: ScoredScan) -> tuple[slice, slice]:
    """Rows and columns of the hole."""
    mask = scan.expected.mask.numpy()
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
