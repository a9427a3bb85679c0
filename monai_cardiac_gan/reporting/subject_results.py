"""What was found of one subject, as a file from which its page can be made again without a search."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from monai_cardiac_gan.anomaly import Answer, AnswerKind, NormalRange, Stretch
from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.reporting.result_pictures import Overview, Pictures, SlicePicture
from monai_cardiac_gan.reporting.subject_verdict import VerdictResult

__all__ = [
    "FORMAT",
    "Answer",
    "AnswerKind",
    "GrowthResult",
    "LevelResult",
    "Overview",
    "Pictures",
    "Scan",
    "SlicePicture",
    "Stretch",
    "Subject",
    "SubjectResults",
    "VerdictResult",
    "read_results",
    "write_results",
]

PAGE = "report.html"
"""Page of one subject, beside the file."""
FORMAT = 1
"""Version of the file; a reader refuses others."""


@dataclass(frozen=True)
class Subject:
    """Whose volume it is, as far as the data list says.

    Attributes:
        name: of the person.
        image: file of the volume.
        sex: ``"male"``, ``"female"`` or None, as below where a thing is not known.
        age: years.
        height_cm: of the body.
        weight_kg: of the body.
        date: of the scan, ISO 8601 (2026-11-27).
    """

    name: str
    image: str
    sex: str | None = None
    age: float | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    date: str | None = None


@dataclass(frozen=True)
class Scan:
    """What is known of the volume and of the course that was found in it.

    Attributes:
        grade: image quality, 0 to 4; None where it was not graded.
        grader: what graded it.
        quality_reasons: name -> number, see `quality.QualityReport`.
        track_confidence: of the localisation, 0 to 1.
        length_mm: height of the track.
        familiarity: how far the scan looks like those that the networks were trained on, 0 to 1; None where that was not asked.
        shape: (3,) voxels as in the file.
        spacing_mm: (3,) of the file.
        slice_axis: axis of the file along which its slices are numbered, 0 to 2.
        is_arch_seen: whether the track begins at the aortic arch.
    """

    grade: float | None
    grader: str | None
    quality_reasons: Mapping[str, float | None]
    track_confidence: float
    length_mm: float
    familiarity: float | None
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    slice_axis: int
    is_arch_seen: bool = False


@dataclass(frozen=True)
class LevelResult:
    """One level along the vessel; lengths in mm, None where a thing was not measured.

    Attributes:
        mm_from_top: below the top of the track.
        slice: number of the slice as in the file, counted from 0.
        name: of the level, such as ``"isthmus"``.
        centre_mm: (3,) acquired centre, scanner millimetres (RAS+).
        inscribed_mm: diameter of the largest circle inside the acquired lumen.
        area_equivalent_mm: diameter of the circle with the lumen's area.
        area_mm2: of the lumen.
        eccentricity: 0 for a circle, towards 1 for a line.
        confidence: of the localisation on this slice, 0 to 1.
        is_compared: whether acquired and expected are compared here.
        reason: why not.
        expected_mm: expected area-equivalent diameter, as all diameters below.
        low_mm: lower end of its interval.
        high_mm: upper end.
        z: (acquired area-equivalent diameter - expected) in standard deviations of the expectation.
        painted_mm: the diameter that the networks paint, from the picture around the hole alone.
        own_mm: the diameter that the subject's own vessel outside the gap predicts.
        displacement_mm: distance of the acquired centre from the course that the far slices predict.
        normals: published ranges, for the subject's sex, or for both.
        anomaly: how unusual the level is, see `anomaly.JudgedVessel`; None without a verdict, as below.
        stands_out: whether that is above the verdict's limit.
        sign: name of the score that is most unusual (`anomaly.SIGNS`).
    """

    mm_from_top: float
    slice: int
    name: str
    centre_mm: tuple[float, float, float]
    inscribed_mm: float | None
    area_equivalent_mm: float | None
    area_mm2: float | None
    eccentricity: float | None
    confidence: float
    is_compared: bool
    reason: str | None = None
    expected_mm: float | None = None
    low_mm: float | None = None
    high_mm: float | None = None
    z: float | None = None
    painted_mm: float | None = None
    own_mm: float | None = None
    displacement_mm: float | None = None
    normals: tuple[NormalRange, ...] = ()
    anomaly: float | None = None
    stands_out: bool | None = None
    sign: str | None = None


@dataclass(frozen=True)
class GrowthResult:
    """Change of the acquired diameter at a level since an earlier scan.

    Attributes:
        mm_from_top: of the level in the later scan.
        earlier_mm: diameter at the earlier date.
        later_mm: diameter at the later date.
        mm_per_year: change.
        low_mm_per_year: lower end of its 95 % interval.
        high_mm_per_year: upper end.
        earlier_date: ISO 8601.
    """

    mm_from_top: float
    earlier_mm: float
    later_mm: float
    mm_per_year: float
    low_mm_per_year: float
    high_mm_per_year: float
    earlier_date: str


@dataclass(frozen=True)
class SubjectResults:
    """All that is known of one subject's volume.

    Attributes:
        subject: whose.
        answer: what the page says first.
        scan: quality and localisation.
        levels: from the top down.
        growth: since an earlier scan; empty without one.
        left_out: what was left out and why, one sentence each.
        naming: which rule named the levels.
        interval: what the intervals promise, one sentence; None without a calibration.
        pictures: for the slider; None where nothing was found.
        provenance: version, settings, digests of weights, seconds; a search draws no random number.
        files: name -> file beside the results, such as the expected volume.
        growth_rule: how the levels of both scans were matched, or why they were not; None without an earlier scan.
        verdict: how unusual the subject is among normal people; None without any of the same kind of scan.
    """

    subject: Subject
    answer: Answer
    scan: Scan
    levels: tuple[LevelResult, ...]
    growth: tuple[GrowthResult, ...]
    left_out: tuple[str, ...]
    naming: str | None
    interval: str | None
    pictures: Pictures | None
    provenance: Mapping[str, Any]
    files: Mapping[str, str]
    growth_rule: str | None = None
    verdict: VerdictResult | None = None


def write_results(path: str | os.PathLike[str], results: SubjectResults) -> Path:
    """Write the results as JSON."""
    return write_json(path, {"format": FORMAT, **asdict(results)})


def read_results(path: str | os.PathLike[str]) -> SubjectResults:
    """Read what `write_results` wrote.

    Raises:
        ValueError: when the file is no such results, or of another version.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: is damaged, no JSON in UTF-8 ({error}): report it again.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise ValueError(
            f"{path}: format is {found!r}: expected results of a subject, format {FORMAT}; report it again."
        )
    try:
        return _results(content)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: holds no results of a subject ({error}): report it again.") from error


def _results(content: Mapping[str, Any]) -> SubjectResults:
    pictures = content["pictures"]
    answer, verdict = content["answer"], content.get("verdict")
    return SubjectResults(
        subject=Subject(**content["subject"]),
        answer=_of(Answer, answer, stretches=_stretches(answer)),
        scan=_of(Scan, content["scan"]),
        levels=tuple(
            _of(LevelResult, each, normals=tuple(NormalRange(**normal) for normal in each["normals"]))
            for each in content["levels"]
        ),
        growth=tuple(GrowthResult(**each) for each in content["growth"]),
        left_out=tuple(content["left_out"]),
        naming=content["naming"],
        interval=content["interval"],
        pictures=None if pictures is None else _pictures(pictures),
        provenance=content["provenance"],
        files=content["files"],
        growth_rule=content.get("growth_rule"),
        verdict=None if verdict is None else _of(VerdictResult, verdict, stretches=_stretches(verdict)),
    )


def _stretches(content: Mapping[str, Any]) -> tuple[Stretch, ...]:
    return tuple(Stretch(**each) for each in content["stretches"])


def _pictures(content: Mapping[str, Any]) -> Pictures:
    overview = content["overview"]
    return _of(
        Pictures,
        content,
        slices=tuple(_of(SlicePicture, each) for each in content["slices"]),
        overview=None if overview is None else _of(Overview, overview),
    )


def _of(kind: type, content: Mapping[str, Any], **given: Any) -> Any:
    """A dataclass from its JSON, whose lists are tuples."""
    names = {field.name for field in fields(kind)}
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content.items() if name in names
    }
    return kind(**(values | given))
