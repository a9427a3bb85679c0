"""The answer for one person, in words: is this aorta as expected, and where not?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.anomaly.expectation import Expectation

__all__ = ["Answer", "AnswerKind", "Stretch", "answer_of", "stretches_of"]

LEAST_ABOVE, LEAST_SHARE = 3, 0.5
"""Levels above the published range, and their share, from which on a vessel is called wide all along: of healthy people one in
forty lies above it at a level."""


class AnswerKind:
    """What is said first."""

    EXPECTED = "as expected"
    WIDER = "wider than expected"
    NARROWER = "narrower than expected"
    DISPLACED = "displaced"
    SEVERAL = "not as expected"
    UNUSUAL = "unusual"
    ABOVE_NORMALS = "wider than published normal values"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Stretch:
    """Neighbouring levels that differ from what is expected in the same way.

    Attributes:
        kind: of `AnswerKind`.
        from_mm: upper end, mm below the top of the track.
        to_mm: lower end.
        levels: how many levels it holds.
    """

    kind: str
    from_mm: float
    to_mm: float
    levels: int


@dataclass(frozen=True)
class Answer:
    """Is this aorta as expected, and where not?

    Attributes:
        kind: of `AnswerKind`.
        headline: one sentence, such as "wider than expected at 87-112 mm from the top".
        reasons: sentences that say why, most important first; or why no answer can be given.
        stretches: where it differs, from the top down.
    """

    kind: str
    headline: str
    reasons: tuple[str, ...] = ()
    stretches: tuple[Stretch, ...] = ()


def answer_of(
    heights_mm: np.ndarray,
    expectation: Expectation | None,
    is_compared: np.ndarray,
    step_mm: float,
    doubts: Sequence[str] = (),
    remarks: Sequence[str] = (),
    above_normals: int = 0,
    length_mm: float = float("inf"),
) -> Answer:
    """Put what was found into words.

    Args:
        heights_mm: (K,) of the levels below the top, from the top down.
        expectation: of these levels; None where there is none.
        is_compared: (K,) bool.
        step_mm: distance of the levels; a stretch reaches half of it beyond its outer levels.
        doubts: reasons why no answer can be given; with one of them it is "cannot tell".
        remarks: what else a reader should know.
        above_normals: compared levels that lie above the published range. A vessel that is wide all along is as its own rest
            predicts; where at least half of the levels are too wide, that is the answer.
        length_mm: of the track, beyond which no stretch reaches.

    Example:
        >>> flags = np.array([False, True, True, False])
        >>> z, none = np.array([0.0, 4.0, 5.0, 1.0]), np.zeros(4, bool)
        >>> found = Expectation(z, z, z, z, z, z, flags, none, none)
        >>> answer_of(np.array([5.0, 15.0, 25.0, 35.0]), found, np.ones(4, bool), 10.0).headline
        'wider than expected at 10-30 mm from the top'
    """
    compared = int(np.sum(is_compared))
    doubts = list(doubts)
    if not doubts and (expectation is None or not compared):
        doubts = ["no level could be compared"]
    if doubts or expectation is None:
        return Answer(AnswerKind.CANNOT_TELL, f"cannot tell: {doubts[0]}", (*doubts, *remarks))
    kinds = (
        (AnswerKind.WIDER, expectation.is_wide),
        (AnswerKind.NARROWER, expectation.is_narrow),
        (AnswerKind.DISPLACED, expectation.is_displaced),
    )
    stretches = [
        stretch for kind, flags in kinds for stretch in stretches_of(kind, heights_mm, flags, step_mm, length_mm)
    ]
    stretches.sort(key=lambda stretch: stretch.from_mm)
    if not stretches:
        return _usual(compared, len(heights_mm), above_normals, remarks)
    found = list(dict.fromkeys(stretch.kind for stretch in stretches))
    parts = [f"{kind} at {_places([each for each in stretches if each.kind == kind])}" for kind in found]
    headline = f"{'; '.join(parts)} from the top"
    kind = found[0] if len(found) == 1 else AnswerKind.SEVERAL
    return Answer(kind, headline, (*_reasons(heights_mm, expectation, kinds), *remarks), tuple(stretches))


def _usual(compared: int, count: int, above_normals: int, remarks: Sequence[str]) -> Answer:
    """No level differs from what the rest of the vessel predicts."""
    levels = f"all {compared} levels" if compared > 1 else "the one level"
    headline = f"diameters and course within what is expected at {levels}"
    if above_normals < max(LEAST_ABOVE, LEAST_SHARE * compared):
        hidden = count - compared
        unseen = f"; {hidden} of {count} could not be compared" if hidden > compared else ""
        return Answer(AnswerKind.EXPECTED, headline + unseen, tuple(remarks))
    wide = f"{AnswerKind.ABOVE_NORMALS} at {above_normals} of {compared} levels"
    reason = "diameters and course are as expected from the rest of the same vessel, which is wide itself"
    return Answer(AnswerKind.ABOVE_NORMALS, wide, (reason, *remarks))


def stretches_of(
    kind: str, heights_mm: np.ndarray, flags: np.ndarray, step_mm: float, length_mm: float = float("inf")
) -> list[Stretch]:
    """Neighbouring levels with a flag, joined.

    Args:
        kind: of `AnswerKind`.
        heights_mm: (K,) of the levels below the top, from the top down.
        flags: (K,) bool.
        step_mm: distance of the levels; a stretch reaches half of it beyond its outer levels.
        length_mm: of the track, beyond which no stretch reaches.

    Example:
        >>> stretches_of("unusual", np.array([5.0, 15.0, 25.0]), np.array([False, True, True]), 10.0)
        [Stretch(kind='unusual', from_mm=10.0, to_mm=30.0, levels=2)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [
        Stretch(
            kind,
            max(0.0, float(heights_mm[first]) - step_mm / 2),
            min(length_mm, float(heights_mm[last - 1]) + step_mm / 2),
            int(last - first),
        )
        for first, last in edges.reshape(-1, 2)
    ]


def _places(stretches: Sequence[Stretch]) -> str:
    return ", ".join(f"{stretch.from_mm:.0f}-{stretch.to_mm:.0f}" for stretch in stretches) + " mm"


def _reasons(heights_mm: np.ndarray, expectation: Expectation, kinds: Sequence[tuple[str, np.ndarray]]) -> list[str]:
    """One sentence a kind, of the level that differs most."""
    reasons = []
    for kind, flags in kinds:
        rows = np.flatnonzero(flags)
        if not len(rows):
            continue
        if kind == AnswerKind.DISPLACED:
            worst = rows[expectation.displacement[rows].argmax()]
            reasons.append(
                f"{heights_mm[worst]:.0f} mm from the top the centre lies {expectation.displacement_mm[worst]:.0f} mm from the "
                "course that the rest of the vessel predicts"
            )
            continue
        worst = rows[np.abs(expectation.z[rows]).argmax()]
        acquired = expectation.expected_mm[worst] + expectation.z[worst] * expectation.std_mm[worst]
        reasons.append(
            f"{heights_mm[worst]:.0f} mm from the top the diameter is {acquired:.1f} mm; "
            f"{expectation.expected_mm[worst]:.1f} mm was expected ({expectation.z[worst]:+.1f} standard deviations)"
        )
    return reasons
