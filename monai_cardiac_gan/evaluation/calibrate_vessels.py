"""Learn from normal people what may be expected of a vessel, and how near such expectations come."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import MetaTensor
from tqdm import tqdm

import monai_cardiac_gan
from monai_cardiac_gan.anomaly import (
    COURSE,
    JudgedPerson,
    Levels,
    VesselPrior,
    learn_expectation,
    learn_prior,
    normal_ranges,
    predict_beyond_gap,
    pulmonary_level,
)
from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import Record
from monai_cardiac_gan.evaluation.measured_vessel import (
    LEAST_CONFIDENCE,
    MeasuredVessel,
    compared_levels,
    measure_vessel,
)
from monai_cardiac_gan.evaluation.vessel_calibration import VesselCalibration, write_vessel_calibration
from monai_cardiac_gan.inferers import AmortisedNetworks, ExpectVessel, VesselNetworks
from monai_cardiac_gan.inferers.expected_vessel import GAP_MM, HOLE, STEP_MM
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import LocaliseAortad, ScaleByPercentilesd, standard_volume

__all__ = ["CalibrateVessels"]

logger = logging.getLogger(__name__)

ABNORMAL_SDS = 4.0
"""Standard deviations above the published mean of the wider sex from which on a person is not taken for normal."""


@dataclass(frozen=True)
class _Person:
    record: Record
    track: AortaTrack
    vessel: MeasuredVessel


class CalibrateVessels:
    """Measure normal people, expect each one's vessel from all the others, and write what was learnt (`learn_expectation`).

    One volume a person: of several only the first is taken. People are not taken for normal, and left out with the reason, whose
    aorta is wider than the published mean and four standard deviations anywhere; that is the only rule that looks at what is
    measured. Left out are, too, those whose volume or track fails, or shows too little of the vessel.

    Args:
        datalist: records of normal people (`data.read_datalist`).
        networks: paint the levels.
        path: where the calibration goes, JSON.
        unseen: people whose patches no network was trained on; painted diameters are judged by them alone.
        leave_out: people that are not taken.
        volume: transform that loads a record in RAS+ axes (`transforms.standard_volume` without resampling).
        localise: transform that fills `Field.AORTA`.
        scale: transform that brings intensities to [-1, 1].
        hole: side of the hole, pixels of 1 mm.
        step_mm: distance of the levels.
        gap_mm: slices nearer than this have no part in what is expected of a level.
        level: share of normal people all of whose levels shall lie within the limits.

    Raises:
        ValueError: when one of `unseen` is not in the data list.
    """

    def __init__(
        self,
        datalist: Sequence[Record],
        networks: VesselNetworks | AmortisedNetworks,
        path: str | os.PathLike[str],
        unseen: Sequence[str] = (),
        leave_out: Sequence[str] = (),
        volume: Callable[[Any], Any] | None = None,
        localise: Callable[[Any], Any] | None = None,
        scale: Callable[[Any], Any] | None = None,
        hole: int = HOLE,
        step_mm: float = STEP_MM,
        gap_mm: float = GAP_MM,
        level: float = 0.9,
    ) -> None:
        names = {str(record[Field.SUBJECT]) for record in datalist}
        if missing := sorted(set(unseen) - names):
            raise ValueError(f"unseen names {', '.join(missing)}: expected subjects of the data list.")
        self.datalist, self.networks, self.path = list(datalist), networks, Path(path)
        self.unseen, self.leave_out = tuple(unseen), frozenset(leave_out)
        self.volume = volume or standard_volume(None)
        self.localise = localise or LocaliseAortad(Field.IMAGE)
        self.scale = scale or ScaleByPercentilesd(Field.IMAGE)
        self.hole, self.step_mm, self.gap_mm, self.level = hole, step_mm, gap_mm, level

    def run(self) -> VesselCalibration:
        """Measure, expect, learn and write.

        Raises:
            ValueError: when too few people are left for the level.
        """
        people, excluded = self._people()
        levels = self._all_levels(people, excluded)
        parts = {name: (people[name].vessel.along(), each) for name, each in levels.items()}
        model, judged = learn_expectation(parts, self.unseen, self.gap_mm, self.level)
        calibration = VesselCalibration(
            model=model,
            hole=self.hole,
            step_mm=self.step_mm,
            search=self.networks.load().digests,
            unseen=tuple(name for name in self.unseen if name in parts),
            judged=judged,
            excluded=excluded,
            package_version=monai_cardiac_gan.__version__,
        )
        write_vessel_calibration(self.path, calibration)
        _log(calibration)
        logger.info("calibration: %s", self.path)
        return calibration

    def _people(self) -> tuple[dict[str, _Person], dict[str, str]]:
        people: dict[str, _Person] = {}
        excluded: dict[str, str] = {}
        for record in tqdm(self.datalist, desc="volumes", unit="volume", disable=None):
            name = str(record[Field.SUBJECT])
            if name in people or name in excluded:
                continue
            if name in self.leave_out:
                excluded[name] = "left out by the one who asked"
                continue
            try:
                person = self._person(record)
                reason = _reason_to_exclude(person.vessel)
            except (ValueError, RuntimeError, OSError) as error:
                reason = str(error)
            if reason is None:
                people[name] = person
            else:
                _exclude(excluded, name, reason)
        return people, excluded

    def _all_levels(self, people: Mapping[str, _Person], excluded: dict[str, str]) -> dict[str, Levels]:
        """Of all whose vessel is long enough; the others are excluded, too."""
        found: dict[str, Levels] = {}
        for name in tqdm(people, desc="vessels", unit="vessel", disable=None):
            try:
                found[name] = self._levels(name, people)
            except ValueError as error:
                _exclude(excluded, name, str(error))
        return found

    def _person(self, record: Record) -> _Person:
        loaded = self.localise(self.volume(record))
        track: AortaTrack = loaded[Field.AORTA]
        if track.track_confidence < LEAST_CONFIDENCE:
            raise ValueError(
                f"confidence of the localisation {track.track_confidence:.2f}: expected at least {LEAST_CONFIDENCE}."
            )
        return _Person(record, track, measure_vessel(loaded[Field.IMAGE], track))

    def _levels(self, name: str, people: Mapping[str, _Person]) -> Levels:
        """Painted with a course that the others predict, as for a person who is not among them."""
        person = people[name]
        image: MetaTensor = self.scale(self.volume(person.record))[Field.IMAGE]
        prior = _prior([each for other, each in people.items() if other != name])
        loaded = self.networks.load()
        expect = ExpectVessel(loaded.search, loaded.generator, prior, self.hole, self.step_mm, self.gap_mm)
        levels = compared_levels(person.vessel, expect(image, person.track))
        along = person.vessel.along()
        known = predict_beyond_gap(along.heights_mm, along.centres_mm, levels.heights_mm, self.gap_mm, COURSE)
        unknown = levels.is_compared & ~np.isfinite(known.stds)
        if unknown.any() or not levels.is_compared.any():
            raise ValueError(
                f"{unknown.sum()} of {levels.is_compared.sum()} levels cannot be expected from slices {self.gap_mm:g} mm "
                "away: too little of the vessel can be compared."
            )
        return levels


def _exclude(excluded: dict[str, str], name: str, reason: str) -> None:
    excluded[name] = reason
    logger.warning("not taken for normal: %s: %s", name, reason)


def _reason_to_exclude(vessel: MeasuredVessel) -> str | None:
    pulmonary = pulmonary_level(vessel.landmarks).mm_from_top
    along = vessel.along()
    for height, diameter in zip(along.heights_mm, along.diameters_mm, strict=True):
        sds = [
            2 * (diameter - normal.mean_mm) / (normal.high_mm - normal.mean_mm)
            for normal in normal_ranges(float(height), pulmonary)
        ]
        if sds and min(sds) > ABNORMAL_SDS:
            return (
                f"{diameter:.1f} mm wide {height:.0f} mm from the top, {min(sds):.1f} standard deviations above the published "
                f"mean of the wider sex: more than {ABNORMAL_SDS:g} are not taken for normal"
            )
    return None


def _prior(people: Sequence[_Person]) -> VesselPrior:
    along = [person.vessel.along() for person in people]
    return learn_prior(
        [each.heights_mm for each in along],
        [each.diameters_mm for each in along],
        [each.centres_mm for each in along],
    )


def _log(calibration: VesselCalibration) -> None:
    judged = list(calibration.judged.values())
    unseen: list[JudgedPerson] = [calibration.judged[name] for name in calibration.unseen]
    for title, people in (("all", judged), ("unseen", unseen)):
        if people:
            logger.info(
                "%s: %d people, error of the expected diameter %.2f mm, of the own vessel alone %.2f mm, of other people's mean "
                "%.2f mm", title, len(people), *(float(np.mean([getattr(each, name) for each in people])) for name in (
                    "expected_mm", "own_mm", "others_mm")),
            )  # fmt: skip
