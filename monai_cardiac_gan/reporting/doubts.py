"""Why no answer can be given for a scan, and what was left out, one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.inferers import ExpectedVessel, ScanFamiliarity
from monai_cardiac_gan.inferers.familiarity import LIMIT_SCORE
from monai_cardiac_gan.quality import QualityReport
from monai_cardiac_gan.reporting.subject_results import LevelResult

__all__ = ["doubts_of_familiarity", "doubts_of_levels", "doubts_of_scan", "levels_left_out"]

LEAST_LEVELS = 3
"""Levels that must be comparable for an answer."""
LEAST_PAINTED = 0.5
"""Share of the levels on which an aorta must have been painted for the search to be believed."""


def doubts_of_scan(report: QualityReport, track: AortaTrack, min_grade: float, min_confidence: float) -> list[str]:
    """What speaks against the picture and against the course that was found in it.

    Args:
        report: quality of the image.
        track: of its aorta; may be empty.
        min_grade: grade up to which no answer is given.
        min_confidence: confidence of the track below which no answer is given.
    """
    doubts = []
    if report.grade <= min_grade:
        doubts.append(
            f"the image quality is graded {report.grade:.1f} of 4 ({report.grader}); more than {min_grade:g} is needed"
        )
    if not len(track):
        doubts.append("no descending aorta was found; click on it to give a correction")
    elif track.track_confidence < min_confidence:
        doubts.append(
            f"the localisation is unsure (confidence {track.track_confidence:.2f}; at least {min_confidence:g} is needed)"
        )
    return doubts


def doubts_of_familiarity(found: ScanFamiliarity) -> list[str]:
    """Whether the scan is none of the kind that the networks know."""
    if found.is_familiar:
        return []
    return [
        f"the scan looks unlike those that the networks know (familiarity {found.score:.2f}; at least {LIMIT_SCORE:g} is "
        "needed): another sequence, body region, contrast, or a narrow field of view?"
    ]


def doubts_of_levels(levels: Sequence[LevelResult], expected: ExpectedVessel) -> list[str]:
    """Whether too few levels can be compared, or too few aortas were painted."""
    doubts = []
    compared = sum(level.is_compared for level in levels)
    if compared < LEAST_LEVELS:
        doubts.append(
            f"only {compared} {'level' if compared == 1 else 'levels'} can be compared, at least {LEAST_LEVELS} are needed"
        )
    painted = sum(disc is not None for disc in expected.discs) / len(expected.discs)
    if expected.search is not None and painted < LEAST_PAINTED:
        doubts.append(f"an aorta was painted on only {100 * painted:.0f} % of the levels")
    return doubts


def levels_left_out(levels: Sequence[LevelResult]) -> list[str]:
    """Levels that are not compared, with their reason, those of one reason together."""
    places: dict[str, list[str]] = {}
    for level in levels:
        if not level.is_compared:
            places.setdefault(str(level.reason), []).append(f"{level.mm_from_top:.0f}")
    return [f"{', '.join(each)} mm from the top: {reason}" for reason, each in places.items()]
