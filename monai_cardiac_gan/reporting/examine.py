"""One person's volume: is this aorta as expected, and where not?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import MetaTensor

from monai_cardiac_gan.anomaly import Answer, AnswerKind, ExpectationModel, answer_of, name_levels, pulmonary_level
from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import Record
from monai_cardiac_gan.evaluation import (
    DetectedVessel,
    DetectVessel,
    MeasuredVessel,
    measure_vessel,
    read_vessel_calibration,
    scoring_parts,
)
from monai_cardiac_gan.evaluation.measured_vessel import LEAST_CONFIDENCE
from monai_cardiac_gan.inferers import (
    AmortisedNetworks,
    ExpectedVessel,
    ExpectVessel,
    ScanRater,
    ShortTrackError,
    VesselNetworks,
    check_levels,
    levels_of,
)
from monai_cardiac_gan.inferers.expected_vessel import HOLE, STEP_MM
from monai_cardiac_gan.inferers.familiarity import STEP_MM as FAMILIARITY_STEP_MM
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.quality import QualityReport
from monai_cardiac_gan.reporting.doubts import (
    doubts_of_familiarity,
    doubts_of_levels,
    doubts_of_scan,
    levels_left_out,
)
from monai_cardiac_gan.reporting.examined_files import write_examined_files
from monai_cardiac_gan.reporting.provenance import digests_of_files, versions
from monai_cardiac_gan.reporting.subject_anomalies import anomaly_maps, levels_with_scores
from monai_cardiac_gan.reporting.subject_levels import ComparedVessel, above_normals, compare_vessel, level_results
from monai_cardiac_gan.reporting.subject_pictures import no_pictures, overview_of, pictures_of
from monai_cardiac_gan.reporting.subject_results import LevelResult, Pictures, Scan, Subject, SubjectResults
from monai_cardiac_gan.reporting.subject_verdict import verdict_of, with_verdict
from monai_cardiac_gan.transforms import (
    FileSlices,
    GradeImageQualityd,
    LocaliseAortad,
    ScaleByPercentilesd,
    cut_along,
    person_from_dicom,
    standard_volume,
)

__all__ = ["SubjectExaminer"]

MIN_GRADE = 2.0
"""Grade up to which no answer is given; such volumes are left out of patch sets, too (`quality.GradeThreshold`)."""


class SubjectExaminer:
    """From a volume to `SubjectResults` and the files beside them.

    Load, grade, localise; measure the lumen on every slice; paint the whole expected vessel (`ExpectVessel`); expect every level
    from the vessel beyond a gap and from what was painted (`expect_vessel`); compare, and put it into words (`answer_of`). It
    travels to other processes as settings and paths; networks are loaded there once.

    Args:
        networks: paint the vessel.
        calibration: file that `CalibrateVessels` wrote.
        familiarity: tells whether a scan is of the kind that the networks know; None does not ask.
        volume: transform that loads a record in RAS+ axes on its own grid (`transforms.standard_volume` without resampling).
        grade: transform that fills `Field.QUALITY`.
        localise: transform that fills `Field.AORTA`.
        scale: transform that brings intensities to [-1, 1].
        hole: side of the hole, pixels of 1 mm.
        step_mm: distance of the levels.
        min_grade: automatic or given grade up to which the answer is "cannot tell".
        min_confidence: confidence of the localisation below which it is, too.
        search: whether anything is painted; without it there are measurements, the own vessel's expectation and no pictures of
            an expected one.
        save_volumes: whether the expected volume is written for viewers.
        detect: gives the verdict; None gives none.

    Raises:
        ValueError: see `inferers.check_levels`.
    """

    def __init__(
        self,
        networks: VesselNetworks | AmortisedNetworks,
        calibration: str,
        familiarity: ScanRater | None = None,
        volume: Callable[[Any], Any] | None = None,
        grade: Callable[[Any], Any] | None = None,
        localise: Callable[[Any], Any] | None = None,
        scale: Callable[[Any], Any] | None = None,
        hole: int = HOLE,
        step_mm: float = STEP_MM,
        min_grade: float = MIN_GRADE,
        min_confidence: float = LEAST_CONFIDENCE,
        search: bool = True,
        save_volumes: bool = True,
        detect: DetectVessel | None = None,
    ) -> None:
        check_levels(hole, step_mm)  # before a cohort fails volume by volume
        self.networks, self.calibration, self.familiarity = networks, str(calibration), familiarity
        self.volume = volume or standard_volume(None)
        self.grade = grade or GradeImageQualityd(Field.IMAGE)
        self.localise = localise or LocaliseAortad(Field.IMAGE)
        self.scale = scale or ScaleByPercentilesd(Field.IMAGE)
        self.min_grade, self.min_confidence = min_grade, min_confidence
        self.hole, self.step_mm, self.search, self.save_volumes = hole, step_mm, search, save_volumes
        self.detect = detect

    def __call__(self, record: Record, folder: Path) -> SubjectResults:
        """Examine a volume.

        Args:
            record: image, subject and what else the data list knows (`keys.Field`).
            folder: for the files beside the results.

        Raises:
            ValueError: when the volume or the calibration cannot be read, or weights do not fit.
            FileNotFoundError: when weights or the calibration are missing.
        """
        return _Case(self, record, Path(folder)).results()


class _Case:
    """One volume on its way."""

    def __init__(self, settings: SubjectExaminer, record: Record, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.given = {**person_from_dicom(record[Field.IMAGE]), **record}  # what a list says counts more
        self.seconds: dict[str, float] = {}
        self.doubts: list[str] = []
        self.left_out: list[str] = []
        self.digests: dict[str, str] = {}

    def results(self) -> SubjectResults:
        self._load()
        familiarity = self._familiarity()
        with self._timed("measure"):
            vessel = measure_vessel(self.image, self.track) if len(self.track) else None
        scan = self._scan(vessel, familiarity)
        compared = None if vessel is None else self._compared(vessel)
        results = self._without_levels(scan) if compared is None else self._with_levels(compared, scan)
        return replace(results, provenance=self._provenance())

    def _load(self) -> None:
        settings = self.settings
        with self._timed("load"):
            record = settings.volume(self.given)
        with self._timed("grade"):
            record = settings.grade(record)
        with self._timed("localise"):
            record = settings.localise(record)
        self.image: MetaTensor = record[Field.IMAGE]
        self.track: AortaTrack = record[Field.AORTA]
        self.quality: QualityReport = record[Field.QUALITY]
        self.digest = record.get(Field.DIGEST)
        self.files = FileSlices.of(self.image)
        self.doubts += doubts_of_scan(self.quality, self.track, settings.min_grade, settings.min_confidence)
        with self._timed("scale"):
            self.scaled: MetaTensor = settings.scale(record)[Field.IMAGE]

    def _familiarity(self) -> float | None:
        """Of patches along the course as it was found, as the reference was learnt."""
        if self.settings.familiarity is None or not len(self.track):
            return None
        with self._timed("familiarity"):
            heights = (self.track.slices[-1] - self.track.slices) * float(self.image.pixdim[2])
            rows = len(self.track) - 1 - levels_of(heights[::-1], FAMILIARITY_STEP_MM)
            patches = cut_along(self.scaled, self.track.slices[rows], self.track.centres_mm[rows])
            found = self.settings.familiarity(patches.pixels, patches.valid)
        self.doubts += doubts_of_familiarity(found)
        return round(found.score, 3)

    def _compared(self, vessel: MeasuredVessel) -> ComparedVessel | None:
        """The vessel beside what is expected of it; None, with a doubt, where the track is too short."""
        settings = self.settings
        calibration = read_vessel_calibration(settings.calibration)
        with self._timed("search"):
            expected = self._expected(calibration.model)
        if expected is None:
            return None
        model, note = calibration.model_for(self.digests, settings.hole, settings.step_mm)
        self.left_out += [note] if note is not None and settings.search else []
        with self._timed("measure"):
            return compare_vessel(vessel, expected, model)

    def _expected(self, model: ExpectationModel) -> ExpectedVessel | None:
        settings, search, generator = self.settings, None, None
        if settings.search:
            loaded = settings.networks.load()
            search, generator, self.digests = loaded.search, loaded.generator, dict(loaded.digests)
        expect = ExpectVessel(search, generator, model.prior, settings.hole, settings.step_mm, model.gap_mm)
        try:
            return expect(self.scaled, self.track)
        except ShortTrackError as error:
            self.doubts.append(str(error))
            return None

    def _with_levels(self, compared: ComparedVessel, scan: Scan) -> SubjectResults:
        vessel, heights = compared.vessel, compared.levels.heights_mm
        named = name_levels(heights.tolist(), float(vessel.heights_mm.max()), vessel.landmarks)
        levels = level_results(compared, named.names, self.files, self.given.get(Field.SEX))
        self.doubts += doubts_of_levels(levels, compared.expected)
        self.left_out += levels_left_out(levels)
        detected = self._detected(compared)
        maps, verdict = None, None
        if detected is not None and detected.scored is not None:
            maps = anomaly_maps(compared.expected, detected.scored)
        if detected is not None and detected.detection is not None and not self.doubts:
            levels = levels_with_scores(levels, detected.detection)
            length = float(vessel.heights_mm.max())
            verdict = verdict_of(detected.detection, compared.levels, self.settings.step_mm, length)
        answer = self._answer(compared, levels)
        with self._timed("pictures"):
            overview = overview_of(self.image, self.track)
            pictures = pictures_of(compared.expected, vessel, self.files, overview, maps)
        results = replace(
            self._assembled(answer if verdict is None else with_verdict(answer, verdict), scan, pictures),
            levels=levels,
            verdict=verdict,
            naming=f"{named.rule}; {pulmonary_level(vessel.landmarks).rule}",
            interval=_promise(compared.model),
        )
        with self._timed("volumes"):
            what = results, self.image, compared.expected, self.settings.save_volumes, maps
            files = write_examined_files(self.folder, *what)
        return replace(results, files=files)

    def _detected(self, compared: ComparedVessel) -> DetectedVessel | None:
        settings = self.settings
        if settings.detect is None or compared.expected.search is None:
            return None
        with self._timed("detect"):
            scorer = settings.detect.scorer
            parts = scoring_parts(settings.networks, scorer, settings.calibration, settings.hole, settings.step_mm)
            what = compared.vessel, compared.expected, compared.levels, compared.expectation
            detected = settings.detect(*what, parts)
        self.left_out += [] if detected.reason is None else [detected.reason]
        return detected

    def _without_levels(self, scan: Scan) -> SubjectResults:
        """Nothing can be compared; the overview shows where the vessel was taken to be, so that a click can put it right."""
        answer = answer_of(np.zeros(0), None, np.zeros(0, bool), self.settings.step_mm, self.doubts)
        with self._timed("pictures"):
            pictures = no_pictures(overview_of(self.image, self.track))
        return self._assembled(answer, scan, pictures)

    def _answer(self, compared: ComparedVessel, found: tuple[LevelResult, ...]) -> Answer:
        levels, wide, length = compared.levels, above_normals(found), float(compared.vessel.heights_mm.max())
        where = levels.heights_mm, compared.expectation, levels.is_compared
        answer = answer_of(*where, self.settings.step_mm, self.doubts, (), wide, length)
        if not wide or answer.kind == AnswerKind.ABOVE_NORMALS:  # whose headline says it
            return answer
        remark = f"wider than the published range at {wide} of {int(levels.is_compared.sum())} compared levels"
        return replace(answer, reasons=(*answer.reasons, remark))

    def _scan(self, vessel: MeasuredVessel | None, familiarity: float | None) -> Scan:
        reasons = {name: value if np.isfinite(value) else None for name, value in self.quality.reasons.items()}
        return Scan(
            grade=round(float(self.quality.grade), 2),
            grader=self.quality.grader,
            quality_reasons=reasons,
            track_confidence=round(float(self.track.track_confidence), 3),
            length_mm=0.0 if vessel is None else round(float(vessel.heights_mm.max()), 2),
            familiarity=familiarity,
            shape=self.files.shape,
            spacing_mm=self.files.spacing_mm,
            slice_axis=self.files.axis,
            is_arch_seen=vessel is not None and vessel.landmarks.is_arch_seen,
        )

    def _assembled(self, answer: Answer, scan: Scan, pictures: Pictures) -> SubjectResults:
        return SubjectResults(
            subject=_subject(self.given),
            answer=answer,
            scan=scan,
            levels=(),
            growth=(),
            left_out=tuple(self.left_out),
            naming=None,
            interval=None,
            pictures=pictures,
            provenance={},
            files={},
        )

    def _provenance(self) -> dict[str, Any]:
        settings, rater = self.settings, self.settings.familiarity
        files = [settings.calibration, *([] if rater is None else [rater.features_path, rater.familiarity_path])]
        files += [] if settings.detect is None else [path for path in settings.detect.paths if Path(path).exists()]
        return {
            "hole_mm": settings.hole,
            "level_step_mm": settings.step_mm,
            "networks": self.digests,
            "files_sha256": digests_of_files(files),
            "versions": versions(),
            Field.DIGEST: self.digest,
            "seconds": dict(self.seconds),
        }

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 3)


def _promise(model: ExpectationModel) -> str:
    return (
        f"the band holds all levels of at least {100 * model.level:.0f} in 100 normal people like the {model.subjects} "
        "that it was learnt from"
    )


def _subject(record: Record) -> Subject:
    return Subject(
        name=str(record[Field.SUBJECT]),
        image=str(record[Field.IMAGE]),
        sex=record.get(Field.SEX),
        age=record.get(Field.AGE),
        height_cm=record.get(Field.HEIGHT),
        weight_kg=record.get(Field.WEIGHT),
        date=record.get(Field.DATE),
    )
