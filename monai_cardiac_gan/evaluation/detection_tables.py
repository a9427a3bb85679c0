"""Tables of an evaluation of detection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from monai_cardiac_gan.anomaly import SIGNS, ScoredLevels, judge, judge_left_out, learn_normal_levels
from monai_cardiac_gan.evaluation.detection_page import (
    ALARM_RATE,
    ALARMS,
    ALL,
    DICE_HEALTHY,
    DICE_ORACLE,
    DICE_OTHERS,
    DILATIONS,
    FAILED,
    FOUND,
    LEVELS,
    LEVELS_AP,
    PIXELS_AP,
    PLACED,
    SUBJECTS,
    SUBJECTS_AP,
    DetectionRow,
)
from monai_cardiac_gan.evaluation.detection_quality import (
    CaseScores,
    area_under_roc,
    average_precision,
    best_dice,
    binomial_band,
    dice_at,
    with_interval,
)
from monai_cardiac_gan.evaluation.lesion_cases import HEALTHY, OURS, LesionCase
from monai_cardiac_gan.transforms.lesion_shapes import DILATION

__all__ = ["DetectionTables"]

LEAST_SHARE = 0.5
"""Of a lesion's severity, from which on a level counts as abnormal; levels with less of it are neither."""
MEASURED = ("width", "course", "shape", "wall")
"""Scores that need nothing painted."""
MEASURED_ONLY, PAINTED_ONLY = f"{OURS}: measurements alone", f"{OURS}: what is painted alone"
HEALTHY_QUANTILE = 0.99
"""Of the pixels of healthy scans, the threshold that needs no lesion."""
TOLERATED = 0.9
"""Specificity at which sensitivities to dilations are given."""


class DetectionTables:
    """Compare ways of detection on scored cases.

    Args:
        normals: cases of normal people.
        cases: of other subjects, without and with lesions.
        severities: name -> severity.
        alpha: of the verdict.
        by_subject: whether each subject is a group, too.
        seed: of the bootstrap.

    Raises:
        ValueError: when there are fewer than three normal people, or no subject without a lesion.
    """

    def __init__(
        self,
        normals: Sequence[LesionCase],
        cases: Sequence[LesionCase],
        severities: Mapping[str, float],
        alpha: float,
        by_subject: bool,
        seed: int,
    ) -> None:
        self.severities, self.alpha, self.by_subject, self.seed = dict(severities), alpha, by_subject, seed
        self.everything = list(cases)
        self.failed = [case for case in cases if case.error is not None]
        known = {case.subject: _ways(case) for case in normals if case.error is None}
        self.cases = [case for case in cases if case.error is None]
        if not any(case.lesion.kind == HEALTHY for case in self.cases):
            raise ValueError(
                "no subject could be scored without a lesion: expected at least one; see the reasons above."
            )
        self.ways = list(_ways(self.cases[0]))
        people = {way: {name: levels[way] for name, levels in known.items()} for way in self.ways}
        self.normals = {way: learn_normal_levels(each) for way, each in people.items()}
        self.own_scores = [each.score for each in judge_left_out(people[OURS]).values()]
        self.judged = [
            {way: self.normals[way].judge(levels) for way, levels in _ways(case).items() if levels.is_compared.any()}
            for case in self.cases
        ]

    def rows(self) -> list[DetectionRow]:
        """All tables."""
        return [*self._areas(), *self._pixels(), *self._verdicts(), *self._dilations(), *self._failures()]

    def _areas(self) -> Iterator[DetectionRow]:
        statistics = {
            LEVELS: (area_under_roc, self._levels),
            LEVELS_AP: (average_precision, self._levels),
            SUBJECTS: (area_under_roc, self._subjects),
            SUBJECTS_AP: (average_precision, self._subjects),
        }
        for group, kind, severity, chosen in self._selections():
            for way in self.ways:
                for table, (statistic, of) in statistics.items():
                    found = [of(way, subject, rows) for subject, rows in chosen.items()]
                    usable = [each for each in found if len(each.normal) and len(each.abnormal)]
                    if group != ALL and table in (SUBJECTS, SUBJECTS_AP):
                        continue
                    if usable:
                        yield DetectionRow(
                            table, group, kind, severity, way, len(usable), *with_interval(statistic, usable, self.seed)
                        )

    def _selections(self) -> Iterator[tuple[str, str, str, dict[str, list[int]]]]:
        """Group, kind and severity, and subject -> numbers of its cases of that kind."""
        kinds = list(dict.fromkeys(case.lesion.kind for case in self.cases if case.lesion.kind != HEALTHY))
        subjects = list(dict.fromkeys(case.subject for case in self.cases))
        groups = {ALL: subjects, **({each: [each] for each in subjects} if self.by_subject else {})}
        for group, members in groups.items():
            for severity in self.severities:
                for kind in (*kinds, ALL):
                    chosen: dict[str, list[int]] = {}
                    for number, case in enumerate(self.cases):
                        fits = case.subject in members and kind in (ALL, case.lesion.kind)
                        if fits and self._severity(case) == severity:
                            chosen.setdefault(case.subject, []).append(number)
                    if chosen:
                        yield group, kind, severity, chosen

    def _levels(self, way: str, subject: str, rows: Sequence[int]) -> CaseScores:
        """Scores of the levels of a subject's healthy scan, and of those with at least half of its lesions."""
        abnormal = []
        for number in rows:
            case = self.cases[number]
            if way in self.judged[number]:
                taken = case.amounts >= LEAST_SHARE * case.lesion.severity
                abnormal.append(self.judged[number][way].levels[taken & case.levels[OURS].is_compared])
        healthy = [
            self.judged[number][way].levels[self.cases[number].levels[OURS].is_compared]
            for number in self._healthy(subject)
            if way in self.judged[number]
        ]
        return CaseScores(_joined(healthy), _joined(abnormal))

    def _subjects(self, way: str, subject: str, rows: Sequence[int]) -> CaseScores:
        found = [
            np.array([self.judged[number][way].score for number in numbers if way in self.judged[number]])
            for numbers in (self._healthy(subject), rows)
        ]
        return CaseScores(*found)

    def _healthy(self, subject: str) -> list[int]:
        return [n for n, case in enumerate(self.cases) if case.subject == subject and case.lesion.kind == HEALTHY]

    def _severity(self, case: LesionCase) -> str | None:
        """Its name; None for a size that is none of the severities."""
        return next((name for name, each in self.severities.items() if abs(each - case.lesion.severity) < 1e-9), None)

    def _pixels(self) -> Iterator[DetectionRow]:
        for group, kind, severity, chosen in self._selections():
            if group != ALL:
                continue
            for way in self.ways:
                pairs = {subject: self._maps(way, rows) for subject, rows in chosen.items()}
                pairs = {subject: found for subject, found in pairs.items() if found}
                if any(truth.any() for found in pairs.values() for _, truth in found):
                    for table, value in self._pixel_values(way, pairs):
                        yield DetectionRow(table, group, kind, severity, way, len(pairs), value)

    def _maps(self, way: str, rows: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        cases = [self.cases[number] for number in rows]
        return [(each.maps[way].astype(np.float32), each.truth) for each in cases if way in each.maps]

    def _pixel_values(
        self, way: str, pairs: Mapping[str, list[tuple[np.ndarray, np.ndarray]]]
    ) -> Iterator[tuple[str, float]]:
        halves = [_pixels_of(list(pairs.values())[start::2]) for start in (0, 1)]
        maps, truth = (np.concatenate([half[side] for half in halves]) for side in (0, 1))
        yield PIXELS_AP, average_precision(maps[~truth], maps[truth])
        yield DICE_ORACLE, best_dice(maps, truth)[0]
        if all(len(half[0]) for half in halves):
            thresholds = [best_dice(*half)[1] for half in halves]
            found = np.concatenate([half[0] > other for half, other in zip(halves, reversed(thresholds), strict=True)])
            yield DICE_OTHERS, dice_at(found.astype(float), truth, 0.5)
        healthy = [case.maps[way] for case in self.cases if case.lesion.kind == HEALTHY and way in case.maps]
        if healthy:
            usual = float(np.quantile(np.concatenate([each.ravel() for each in healthy]), HEALTHY_QUANTILE))
            yield DICE_HEALTHY, dice_at(maps, truth, usual)

    def _verdicts(self) -> Iterator[DetectionRow]:
        verdicts = [judge(found[OURS].score, self.own_scores, self.alpha) for found in self.judged]
        healthy = [n for n, case in enumerate(self.cases) if case.lesion.kind == HEALTHY]
        if any(each.is_alarm is None for each in verdicts):
            return  # too few normal people for an alarm
        alarms = sum(bool(verdicts[n].is_alarm) for n in healthy)
        low, high = binomial_band(self.alpha, len(healthy))
        yield DetectionRow(ALARMS, ALL, HEALTHY, "", OURS, len(healthy), alarms, low, high)
        yield DetectionRow(ALARM_RATE, ALL, HEALTHY, "", OURS, len(healthy), alarms / len(healthy))
        limit = np.sort(self.own_scores)[-max(1, int(np.floor(self.alpha * (len(self.own_scores) + 1) + 1e-9)))]
        for group, kind, severity, chosen in self._selections():
            if group != ALL:
                continue
            numbers = [n for rows in chosen.values() for n in rows]
            found = [bool(verdicts[n].is_alarm) for n in numbers]
            yield DetectionRow(FOUND, ALL, kind, severity, OURS, len(chosen), float(np.mean(found)))
            alarmed = [number for number, alarm in zip(numbers, found, strict=True) if alarm]
            inside = [self.cases[n].amounts[self.judged[n][OURS].levels > limit] > 0 for n in alarmed]
            if inside:
                yield DetectionRow(PLACED, ALL, kind, severity, OURS, len(inside), float(np.concatenate(inside).mean()))

    def _dilations(self) -> Iterator[DetectionRow]:
        """At a threshold of each way that a tenth of all healthy subjects exceed."""
        sizes: dict[float, list[int]] = {}
        for number, case in enumerate(self.cases):
            if case.lesion.kind == "dilation":
                sizes.setdefault(round(1 + DILATION * case.lesion.severity, 4), []).append(number)
        for way in self.ways:
            healthy = [
                found[way].score
                for case, found in zip(self.cases, self.judged, strict=True)
                if case.lesion.kind == HEALTHY and way in found
            ]
            if not healthy:
                continue
            limit = np.quantile(healthy, TOLERATED)
            for factor, numbers in sorted(sizes.items()):
                found = [self.judged[n][way].score > limit for n in numbers if way in self.judged[n]]
                if found:
                    yield DetectionRow(
                        DILATIONS, ALL, "dilation", f"x {factor:.2f}", way, len(found), float(np.mean(found))
                    )

    def _failures(self) -> Iterator[DetectionRow]:
        for kind in dict.fromkeys(case.lesion.kind for case in self.failed):
            count, every = (sum(case.lesion.kind == kind for case in cases) for cases in (self.failed, self.everything))
            yield DetectionRow(FAILED, ALL, kind, "", OURS, every, count)


def _ways(case: LesionCase) -> dict[str, ScoredLevels]:
    """All ways, and the package's own with some of its scores."""
    own = case.levels.get(OURS)
    if own is None:
        return {}
    measured = np.isin(SIGNS, MEASURED)
    parts = {
        name: ScoredLevels(
            own.heights_mm, own.scores[:, chosen], own.is_compared, tuple(np.array(SIGNS)[chosen].tolist())
        )
        for name, chosen in ((MEASURED_ONLY, measured), (PAINTED_ONLY, ~measured))
    }
    others = {name: each for name, each in case.levels.items() if name != OURS}
    return {OURS: own, **parts, **others}


def _pixels_of(pairs: Sequence[list[tuple[np.ndarray, np.ndarray]]]) -> tuple[np.ndarray, np.ndarray]:
    found = [each for part in pairs for each in part]
    maps, truth = (_joined([pair[side].ravel() for pair in found]) for side in (0, 1))
    return maps, truth.astype(bool)


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if len(parts) else np.zeros(0)
