"""One person's volume: is this aorta as expected, and where not?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

import monai_cardiac_gan
from monai_cardiac_gan.anomaly import (
    Answer,
    Levels,
    answer_of,
    expect_vessel,
    name_levels,
    pulmonary_level,
)
from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import Record
from monai_cardiac_gan.evaluation import (
    MeasuredVessel,
    VesselCalibration,
    compared_levels,
    measure_vessel,
    read_vessel_calibration,
)
from monai_cardiac_gan.inferers import ExpectedVessel, ExpectVessel, ScanRater, VesselNetworks, levels_of
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.quality import QualityReport
from monai_cardiac_gan.reporting.subject_levels import above_normals, level_results
from monai_cardiac_gan.reporting.subject_pictures import no_pictures, overview_of, pictures_of
from monai_cardiac_gan.reporting.subject_results import LevelResult, Scan, Subject, SubjectResults
from monai_cardiac_gan.reporting.viewer_files import write_centre_line, write_colours
from monai_cardiac_gan.reporting.volume_file import write_volume
from monai_cardiac_gan.transforms import (
    FileSlices,
    GradeImageQualityd,
    LocaliseAortad,
    ScaleByPercentilesd,
    VolumePainter,
    cut_along,
    standard_volume,
)

__all__ = ["SubjectExaminer"]

logger = logging.getLogger(__name__)

MIN_CONFIDENCE = 0.5
"""Of a track below which nothing is told: of the acquired volumes with a right track all lie above."""
MIN_GRADE = 2.0
"""Grade below which nothing is told; volumes below are left out of patch sets, too (`quality.GradeThreshold`)."""
LEAST_LEVELS = 3
"""Levels that must be comparable for an answer."""
FAMILIARITY_STEP_MM = 10.0
"""Distance of the patches that a scan is rated by, as in the reference."""
LEAST_PAINTED = 0.5
"""Share of the levels on which an aorta must have been painted for the search to be believed."""
EXPECTED, PAINTED, CENTRE_LINE, COLOURS = (
    "expected.nii.gz",
    "painted.nii.gz",
    "centre_line.mrk.json",
    "colours.ctbl",
)


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
        min_grade: automatic or given grade below which nothing is told.
        min_confidence: confidence of the localisation below which nothing is told.
        search: whether anything is painted; without it there are measurements, the own vessel's expectation and no pictures of
            an expected one.
        save_volumes: whether the expected volume is written for viewers.
    """

    def __init__(
        self,
        networks: VesselNetworks,
        calibration: str,
        familiarity: ScanRater | None = None,
        volume: Callable[[Any], Any] | None = None,
        grade: Callable[[Any], Any] | None = None,
        localise: Callable[[Any], Any] | None = None,
        scale: Callable[[Any], Any] | None = None,
        hole: int = 49,
        step_mm: float = 10.0,
        min_grade: float = MIN_GRADE,
        min_confidence: float = MIN_CONFIDENCE,
        search: bool = True,
        save_volumes: bool = True,
    ) -> None:
        self.networks, self.calibration, self.familiarity = networks, str(calibration), familiarity
        self.volume = volume or standard_volume(None)
        self.grade = grade or GradeImageQualityd(Field.IMAGE)
        self.localise = localise or LocaliseAortad(Field.IMAGE)
        self.scale = scale or ScaleByPercentilesd(Field.IMAGE)
        self.hole, self.step_mm = hole, step_mm
        self.min_grade, self.min_confidence = min_grade, min_confidence
        self.search, self.save_volumes = search, save_volumes

    def __call__(self, record: Record, folder: Path) -> SubjectResults:
        """Examine a volume.

        Args:
            record: image, subject and what else the data list knows (`keys.Field`).
            folder: for the files beside the results.

        Raises:
            ValueError: when the volume cannot be read.
        """
        return _Case(self, record, Path(folder)).results()


class _Case:
    """One volume on its way."""

    def __init__(self, settings: SubjectExaminer, record: Record, folder: Path) -> None:
        self.settings, self.given, self.folder = settings, dict(record), folder
        self.seconds: dict[str, float] = {}
        self.doubts: list[str] = []
        self.left_out: list[str] = []
        self.remarks: list[str] = []
        self.files: dict[str, str] = {}

    def results(self) -> SubjectResults:
        settings = self.settings
        with self._timed("load"):
            self.record = settings.volume(self.given)
        with self._timed("grade"):
            self.record = settings.grade(self.record)
        with self._timed("localise"):
            self.record = settings.localise(self.record)
        self._doubt_scan()
        with self._timed("scale"):
            self.scaled: MetaTensor = settings.scale(self.record)[Field.IMAGE]
        familiarity = self._familiarity()
        with self._timed("measure"):
            vessel = measure_vessel(self.image, self.track) if len(self.track) else None
        calibration = read_vessel_calibration(settings.calibration)
        expected = None if vessel is None else self._expected(calibration)
        if vessel is None or expected is None:
            return self._without_levels(vessel, familiarity)
        return self._with_levels(vessel, expected, calibration, familiarity)

    @property
    def image(self) -> MetaTensor:
        image: MetaTensor = self.record[Field.IMAGE]
        return image

    @property
    def track(self) -> AortaTrack:
        track: AortaTrack = self.record[Field.AORTA]
        return track

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 3)

    def _doubt_scan(self) -> None:
        report: QualityReport = self.record[Field.QUALITY]
        if report.grade <= self.settings.min_grade:
            self.doubts.append(f"the image quality is graded {report.grade:.1f} of 4 ({report.grader})")
        if not len(self.track):
            self.doubts.append("no descending aorta was found; click on it to give a correction")
        elif self.track.track_confidence < self.settings.min_confidence:
            self.doubts.append(
                f"the localisation is unsure (confidence {self.track.track_confidence:.2f}, needed "
                f"{self.settings.min_confidence:g})"
            )

    def _expected(self, calibration: VesselCalibration) -> ExpectedVessel | None:
        """The expected vessel; None, with a doubt, where the track is too short."""
        settings = self.settings
        model = calibration.model
        try:
            with self._timed("search"):
                loaded = settings.networks.load() if settings.search else None
                expect = ExpectVessel(
                    None if loaded is None else loaded.search,
                    None if loaded is None else loaded.generator,
                    model.prior,
                    settings.hole,
                    settings.step_mm,
                    model.gap_mm,
                )
                self.digests = {} if loaded is None else loaded.digests
                return expect(self.scaled, self.track)
        except ValueError as error:
            self.doubts.append(str(error))
            return None

    def _with_levels(
        self,
        vessel: MeasuredVessel,
        expected: ExpectedVessel,
        calibration: VesselCalibration,
        familiarity: float | None,
    ) -> SubjectResults:
        settings, levels = self.settings, compared_levels(vessel, expected)
        model, note = calibration.model_for(self.digests, settings.hole)
        if note is not None and settings.search:
            self.left_out.append(note)
        expectation = expect_vessel(vessel.along(), levels, model)
        files = FileSlices.of(self.image)
        named = name_levels(levels.heights_mm.tolist(), float(vessel.heights_mm.max()), vessel.landmarks)
        found = level_results(
            expected, vessel, levels, expectation, model, named.names, files, self.given.get(Field.SEX)
        )
        self._doubt_levels(levels, expected)
        self.left_out += _left_out(found)
        wide = above_normals(found)
        if wide:
            self.remarks.append(
                f"wider than the published range at {wide} of {int(levels.is_compared.sum())} compared levels"
            )
        answer = answer_of(
            levels.heights_mm, expectation, levels.is_compared, settings.step_mm, self.doubts, self.remarks, wide
        )
        with self._timed("pictures"):
            pictures = pictures_of(expected, vessel, files, overview_of(self.image, self.track))
        results = self._assembled(answer, found, files, vessel, familiarity)
        interval = (
            f"the band holds all levels of at least {100 * model.level:.0f} in 100 normal people like the {model.subjects} "
            "that it was learnt from"
        )
        rules = f"{named.rule}; {pulmonary_level(vessel.landmarks).rule}"
        results = replace(results, naming=rules, interval=interval, pictures=pictures)
        with self._timed("volumes"):
            self._write_files(results, expected)
        return replace(results, files=dict(self.files), provenance=self._provenance())

    def _without_levels(self, vessel: MeasuredVessel | None, familiarity: float | None) -> SubjectResults:
        """Nothing can be compared; the overview shows where the vessel was taken to be, so that a click can put it right."""
        answer = answer_of(np.zeros(0), None, np.zeros(0, bool), self.settings.step_mm, self.doubts, self.remarks)
        results = self._assembled(answer, (), FileSlices.of(self.image), vessel, familiarity)
        return replace(
            results, pictures=no_pictures(overview_of(self.image, self.track)), provenance=self._provenance()
        )

    def _familiarity(self) -> float | None:
        """Of patches along the course as it was found, as the reference was learnt."""
        if self.settings.familiarity is None or not len(self.track):
            return None
        with self._timed("familiarity"):
            heights = (self.track.slices[-1] - self.track.slices) * float(self.image.pixdim[2])
            rows = len(self.track) - 1 - levels_of(heights[::-1], FAMILIARITY_STEP_MM)
            patches = cut_along(self.scaled, self.track.slices[rows], self.track.centres_mm[rows])
            found = self.settings.familiarity(patches.pixels, patches.valid)
        if not found.is_familiar:
            self.doubts.append(
                f"the scan looks unlike those that the networks know (familiarity {found.score:.2f}, needed 0.5): another "
                "sequence, region or contrast?"
            )
        return round(found.score, 3)

    def _doubt_levels(self, levels: Levels, expected: ExpectedVessel) -> None:
        compared = int(levels.is_compared.sum())
        if compared < LEAST_LEVELS:
            self.doubts.append(f"only {compared} levels can be compared, at least {LEAST_LEVELS} are needed")
        painted = np.mean([disc is not None for disc in expected.discs])
        if expected.search is not None and painted < LEAST_PAINTED:
            self.doubts.append(f"the search painted an aorta on {100 * painted:.0f} % of the levels only")

    def _write_files(self, results: SubjectResults, expected: ExpectedVessel) -> None:
        if any(level.inscribed_mm is not None for level in results.levels):
            write_centre_line(self.folder / CENTRE_LINE, results)
            self.files["centre line"] = CENTRE_LINE
        if not self.settings.save_volumes or expected.search is None:
            return
        painter = VolumePainter(self.image)
        for row in range(len(expected.patches)):
            try:
                painter.add(expected.patches.patch(row), expected.painted[row], expected.mask)
            except ValueError as error:  # one slice that shows too little must not cost the others
                logger.debug("slice %d is not painted: %s", row, error)
        write_volume(self.folder / EXPECTED, painter.volume, self.image)
        write_volume(self.folder / PAINTED, painter.painted.to(torch.uint8), self.image, np.uint8)
        write_colours(self.folder / COLOURS)
        self.files |= {"expected volume": EXPECTED, "painted voxels": PAINTED, "colours of the painted voxels": COLOURS}

    def _assembled(
        self,
        answer: Answer,
        levels: tuple[LevelResult, ...],
        files: FileSlices,
        vessel: MeasuredVessel | None,
        familiarity: float | None,
    ) -> SubjectResults:
        report: QualityReport = self.record[Field.QUALITY]
        scan = Scan(
            grade=round(float(report.grade), 2),
            grader=report.grader,
            quality_reasons={name: value if np.isfinite(value) else None for name, value in report.reasons.items()},
            track_confidence=round(float(self.track.track_confidence), 3),
            length_mm=0.0 if vessel is None else round(float(vessel.heights_mm.max()), 2),
            familiarity=familiarity,
            shape=files.shape,
            spacing_mm=files.spacing_mm,
            slice_axis=files.axis,
            is_arch_seen=vessel is not None and vessel.landmarks.is_arch_seen,
        )
        return SubjectResults(
            subject=_subject(self.given),
            answer=answer,
            scan=scan,
            levels=levels,
            growth=(),
            left_out=tuple(self.left_out),
            naming=None,
            interval=None,
            pictures=None,
            provenance=self._provenance(),
            files=dict(self.files),
        )

    def _provenance(self) -> dict[str, Any]:
        settings = self.settings
        return {
            "package_version": monai_cardiac_gan.__version__,
            "hole_mm": settings.hole,
            "level_step_mm": settings.step_mm,
            "networks": getattr(self, "digests", {}),
            "digest": self.record.get(Field.DIGEST),
            "seconds": dict(self.seconds),
        }


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


def _left_out(levels: tuple[LevelResult, ...]) -> list[str]:
    """Stretches of levels that are not compared, with the reason of each."""
    reasons: dict[str, list[float]] = {}
    for level in levels:
        if not level.is_compared:
            reasons.setdefault(level.reason or "nothing can be expected here", []).append(level.mm_from_top)
    return [
        f"{', '.join(f'{place:.0f}' for place in places)} mm from the top: {reason}"
        for reason, places in reasons.items()
    ]
