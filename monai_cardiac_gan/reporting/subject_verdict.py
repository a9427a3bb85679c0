"""The verdict on one subject as it is reported."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from monai_cardiac_gan.anomaly import Answer, AnswerKind, Levels, Stretch, stretches_of
from monai_cardiac_gan.evaluation import Detection

__all__ = ["SIGN_WORDS", "VerdictResult", "verdict_of", "with_verdict"]

SIGN_WORDS = {
    "width": "width",
    "course": "course",
    "shape": "shape of the rim",
    "lumen": "dark parts in the lumen",
    "wall": "tissue just outside the rim",
    "darker": "darker than expected where blood is expected",
    "brighter": "brighter than expected beside the vessel",
    "surroundings": "surroundings of the vessel",
}
"""Scores of a level (`anomaly.SIGNS`) in a reader's words."""


@dataclass(frozen=True)
class VerdictResult:
    """How unusual a subject is among normal people.

    Attributes:
        sentence: what may be said.
        kind: of the scans that it was held against.
        score: of the subject, that of the most unusual level.
        limit: score above which a level stands out.
        p_value: conformal.
        normals: how many normal people it was held against.
        seen: how many of them the networks were trained on.
        alpha: share of normal people who are alarmed.
        is_alarm: None where the normal people are too few to tell.
        stretches: of levels that stand out, from the top down.
    """

    sentence: str
    kind: str
    score: float
    limit: float
    p_value: float
    normals: int
    seen: int
    alpha: float
    is_alarm: bool | None
    stretches: tuple[Stretch, ...] = ()


def verdict_of(detection: Detection, levels: Levels, step_mm: float, length_mm: float) -> VerdictResult:
    """The verdict in words.

    Args:
        detection: of the subject.
        levels: what was compared.
        step_mm: distance of the levels.
        length_mm: of the track.
    """
    found = detection.verdict
    standing = detection.standing_out
    stretches = stretches_of(AnswerKind.UNUSUAL, levels.heights_mm, standing, step_mm, length_mm)
    sentence = found.sentence
    if standing.any():
        worst = int(np.argmax(detection.judged.levels))
        places = ", ".join(f"{each.from_mm:.0f}-{each.to_mm:.0f}" for each in stretches)
        sentence += f"; {places} mm from the top stand out, most by the {SIGN_WORDS[detection.judged.leading(worst)]}"
    return VerdictResult(
        sentence=sentence,
        kind=detection.kind,
        score=round(found.score, 3),
        limit=round(detection.limit, 3),
        p_value=round(found.p_value, 4),
        normals=found.normals,
        seen=detection.seen,
        alpha=found.alpha,
        is_alarm=found.is_alarm,
        stretches=tuple(stretches),
    )


def with_verdict(answer: Answer, verdict: VerdictResult) -> Answer:
    """An answer that an alarm is part of: as expected in width and course alone is not as expected."""
    if not verdict.is_alarm or answer.kind != AnswerKind.EXPECTED:
        return answer
    places = ", ".join(f"{each.from_mm:.0f}-{each.to_mm:.0f}" for each in verdict.stretches)
    return replace(
        answer,
        kind=AnswerKind.UNUSUAL,
        headline=f"unusual at {places} mm from the top",
        reasons=(answer.headline, *answer.reasons),
        stretches=verdict.stretches,
    )
