"""What was detected on one vessel: its levels with their scores, and the anomaly map on every slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from monai_cardiac_gan.anomaly import deviation_map
from monai_cardiac_gan.evaluation import Detection, ScoredVessel
from monai_cardiac_gan.inferers import ExpectedVessel
from monai_cardiac_gan.reporting.subject_results import LevelResult

__all__ = ["anomaly_maps", "levels_with_scores"]


def levels_with_scores(levels: Sequence[LevelResult], detection: Detection) -> tuple[LevelResult, ...]:
    """Levels with how unusual they are, whether they stand out, and by which score; those that are not compared as they were."""
    standing, judged = detection.standing_out, detection.judged
    return tuple(
        replace(
            level,
            anomaly=round(float(judged.levels[place]), 3),
            stands_out=bool(standing[place]),
            sign=judged.leading(place),
        )
        if level.is_compared
        else level
        for place, level in enumerate(levels)
    )


def anomaly_maps(expected: ExpectedVessel, scored: ScoredVessel) -> np.ndarray:
    """(N, S, S) how far every slice differs from what was painted, in spreads; 0 outside the hole.

    The spread of a slice between two levels lies on the straight line between theirs.

    Args:
        expected: what was painted.
        scored: its levels.
    """
    heights, known = expected.heights_mm, expected.heights_mm[expected.levels]
    above = np.clip(np.searchsorted(known, heights, side="right") - 1, 0, len(known) - 1)
    below = np.minimum(above + 1, len(known) - 1)
    gaps = known[below] - known[above]
    share = np.clip((heights - known[above]) / np.where(gaps > 0, gaps, 1.0), 0.0, 1.0)[:, None, None]
    spread = (1 - share) * scored.spread[above] + share * scored.spread[below]
    counts = (expected.patches.valid[:, 0] & expected.mask).numpy()
    acquired, painted = (each[:, 0].double().numpy() for each in (expected.patches.pixels, expected.painted))
    return deviation_map(acquired, painted, spread, counts)
