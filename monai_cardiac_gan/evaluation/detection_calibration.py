"""What normal people's levels look like beside what is expected of them, as a file; it holds for one way of scoring alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from monai_cardiac_gan.anomaly import (
    ALPHA,
    SIGNS,
    JudgedVessel,
    KindOfScan,
    NormalLevels,
    ScoredLevels,
    Verdict,
    judge,
    judge_left_out,
    learn_kind,
    learn_normal_levels,
)
from monai_cardiac_gan.atomic import write_json

__all__ = [
    "Detection",
    "DetectionCalibration",
    "NormalPerson",
    "read_detection_calibration",
    "write_detection_calibration",
]

FORMAT = 1
"""Version of the file; a reader refuses others."""
DIGITS = 4


@dataclass(frozen=True)
class NormalPerson:
    """A normal person's scan.

    Attributes:
        levels: their scores.
        texture: (D,) mean texture of the levels.
        is_seen: whether a network was trained on the person's patches, which then look more usual than they are.
    """

    levels: ScoredLevels
    texture: np.ndarray
    is_seen: bool


@dataclass(frozen=True)
class Detection:
    """How unusual a person is among normal people whose scans are of the same kind.

    Attributes:
        kind: name of these scans.
        verdict: of the person.
        judged: levels.
        limit: score above which a level stands out: from there on the person's verdict is an alarm, or, with too few normal
            people for one, more unusual than all of them.
        seen: how many of the normal people the networks were trained on.
    """

    kind: str
    verdict: Verdict
    judged: JudgedVessel
    limit: float
    seen: int

    @property
    def standing_out(self) -> np.ndarray:
        """(K,) bool, levels above the limit."""
        return self.judged.levels > self.limit


@dataclass(frozen=True)
class DetectionCalibration:
    """Normal people of one kind of scan.

    Attributes:
        kind: its name, in words.
        parts: part of the scoring -> digest (`scoring_parts`).
        people: name -> what was found.
        excluded: name -> why a person was not taken.
        spread_factor: measured, see `anomaly.learn_spread_factor`.
        package_version: that measured it.
    """

    kind: str
    parts: Mapping[str, str]
    people: Mapping[str, NormalPerson]
    excluded: Mapping[str, str]
    spread_factor: float
    package_version: str

    @cached_property
    def normals(self) -> NormalLevels:
        """What is usual at each height."""
        return learn_normal_levels({name: each.levels for name, each in self.people.items()})

    @cached_property
    def scores(self) -> np.ndarray:
        """(n,) of each person beside all the others, see `anomaly.judge_left_out`."""
        judged = judge_left_out({name: each.levels for name, each in self.people.items()})
        return np.array([each.score for each in judged.values()])

    @cached_property
    def scans(self) -> KindOfScan:
        """What their scans look like."""
        return learn_kind({name: each.texture for name, each in self.people.items()})

    def differing(self, parts: Mapping[str, str]) -> list[str]:
        """Parts of a way of scoring that differ from this one's."""
        return sorted(name for name in parts.keys() | self.parts.keys() if parts.get(name) != self.parts.get(name))

    def detect(self, levels: ScoredLevels, alpha: float = ALPHA) -> Detection:
        """Judge a person.

        Args:
            levels: scored in the same way (`differing`), of a scan of the same kind (`scans`).
            alpha: share of normal people who are alarmed.

        Raises:
            ValueError: when no level is compared, or alpha is not between 0 and 1.
        """
        judged = self.normals.judge(levels)
        scores = np.sort(self.scores)
        verdict = judge(judged.score, scores, alpha)
        allowed = max(1, int(np.floor(alpha * (len(scores) + 1) + 1e-9)))
        seen = sum(each.is_seen for each in self.people.values())
        return Detection(self.kind, verdict, judged, float(scores[-allowed]), seen)


def write_detection_calibration(path: str | os.PathLike[str], calibration: DetectionCalibration) -> Path:
    """Write it as JSON."""
    content = {
        "format": FORMAT,
        "kind": calibration.kind,
        "signs": list(SIGNS),
        "parts": dict(calibration.parts),
        "excluded": dict(calibration.excluded),
        "spread_factor": round(calibration.spread_factor, DIGITS),
        "package_version": calibration.package_version,
        "people": {name: _person_content(each) for name, each in calibration.people.items()},
    }
    return write_json(path, content)


def read_detection_calibration(path: str | os.PathLike[str]) -> DetectionCalibration:
    """Read what `write_detection_calibration` wrote.

    Raises:
        FileNotFoundError: when there is none.
        ValueError: when the file is no such calibration, or of another version.
    """
    if not Path(path).exists():
        raise FileNotFoundError(
            f"{path}: no such calibration of detection: run calibrate_detection.json on normal people, or name another one "
            "(detection_paths)."
        )
    try:
        content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["signs"] != list(SIGNS):
            raise ValueError(
                f"format is {content['format']!r} with scores {content['signs']}: expected {FORMAT} and {list(SIGNS)}"
            )
        return DetectionCalibration(
            kind=content["kind"],
            parts=content["parts"],
            people={name: _person(each) for name, each in content["people"].items()},
            excluded=content["excluded"],
            spread_factor=float(content["spread_factor"]),
            package_version=content["package_version"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: holds no calibration of detection that this version reads ({error}): run calibrate_detection.json."
        ) from error


def _person_content(person: NormalPerson) -> dict[str, Any]:
    scores = [
        [round(float(each), DIGITS) if np.isfinite(each) else None for each in row] for row in person.levels.scores
    ]
    return {
        "heights_mm": np.round(person.levels.heights_mm, 2).tolist(),
        "scores": scores,
        "is_compared": person.levels.is_compared.tolist(),
        "texture": np.round(person.texture, DIGITS).tolist(),
        "is_seen": person.is_seen,
    }


def _person(content: Mapping[str, Any]) -> NormalPerson:
    levels = ScoredLevels(
        np.array(content["heights_mm"], float),
        np.array(content["scores"], float),  # None is NaN
        np.array(content["is_compared"], bool),
    )
    return NormalPerson(levels, np.array(content["texture"], float), bool(content["is_seen"]))
