"""From a volume to the scores of its vessel's levels: the way of a report, without the pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import MetaTensor

from monai_cardiac_gan.anomaly import Expectation, Levels, expect_vessel
from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import Record, settings_digest
from monai_cardiac_gan.evaluation.measured_vessel import (
    LEAST_CONFIDENCE,
    MeasuredVessel,
    compared_levels,
    measure_vessel,
)
from monai_cardiac_gan.evaluation.score_vessel import ScoredVessel, ScoreVessel
from monai_cardiac_gan.evaluation.vessel_calibration import read_vessel_calibration
from monai_cardiac_gan.inferers import AmortisedNetworks, ExpectedVessel, ExpectVessel, VesselNetworks, check_levels
from monai_cardiac_gan.inferers.expected_vessel import HOLE, STEP_MM
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import LocaliseAortad, ScaleByPercentilesd, standard_volume

__all__ = ["MOST_LEVELS", "ScanScorer", "ScoredScan", "scoring_parts"]

MOST_LEVELS = 25
"""Of a vessel; at 10 mm that is a whole thoracic aorta."""


@dataclass(frozen=True)
class ScoredScan:
    """One scan on its way.

    Attributes:
        track: of its aorta.
        vessel: what was measured.
        expected: what was painted at the levels.
        levels: what is compared.
        expectation: of these levels.
        scored: scores and maps.
    """

    track: AortaTrack
    vessel: MeasuredVessel
    expected: ExpectedVessel
    levels: Levels
    expectation: Expectation
    scored: ScoredVessel


class ScanScorer:
    """Load, localise, measure, paint the levels, expect, and score. It travels to other processes as settings and paths.

    Args:
        networks: paint the levels, with several answers to each.
        calibration: file that `CalibrateVessels` wrote.
        scorer: scores levels.
        volume: transform that loads a record in RAS+ axes on its own grid.
        localise: transform that fills `Field.AORTA`.
        scale: transform that brings intensities to [-1, 1].
        hole: side of the hole, pixels of 1 mm.
        step_mm: distance of the levels.
        most_levels: of a vessel.

    Raises:
        ValueError: see `inferers.check_levels`.
    """

    def __init__(
        self,
        networks: VesselNetworks | AmortisedNetworks,
        calibration: str,
        scorer: ScoreVessel,
        volume: Callable[[Any], Any] | None = None,
        localise: Callable[[Any], Any] | None = None,
        scale: Callable[[Any], Any] | None = None,
        hole: int = HOLE,
        step_mm: float = STEP_MM,
        most_levels: int = MOST_LEVELS,
    ) -> None:
        check_levels(hole, step_mm)
        self.networks, self.calibration, self.scorer = networks, str(calibration), scorer
        self.volume = volume or standard_volume(None)
        self.localise = localise or LocaliseAortad(Field.IMAGE)
        self.scale = scale or ScaleByPercentilesd(Field.IMAGE)
        self.hole, self.step_mm, self.most_levels = hole, step_mm, most_levels

    def load(self, record: Record) -> tuple[MetaTensor, AortaTrack]:
        """A record's volume on its own grid, and the course of its aorta; may be empty."""
        found = self.localise(self.volume(record))
        return found[Field.IMAGE], found[Field.AORTA]

    def located(self, image: MetaTensor) -> AortaTrack:
        """The course of the aorta in a volume that was changed since it was loaded."""
        track: AortaTrack = self.localise({Field.IMAGE: image})[Field.AORTA]
        return track

    def __call__(self, image: MetaTensor, track: AortaTrack) -> ScoredScan:
        """Score a scan.

        Args:
            image: (1, X, Y, Z) in RAS+ axes, brightness as in the file.
            track: of its aorta.

        Raises:
            ValueError: when the track is empty, unsure or too short, no level can be compared, or weights do not fit.
            FileNotFoundError: when weights or the calibration are missing.
        """
        if track.track_confidence < LEAST_CONFIDENCE:
            raise ValueError(
                f"confidence of the localisation {track.track_confidence:.2f}: expected at least {LEAST_CONFIDENCE}."
            )
        loaded = self.networks.load()
        known = read_vessel_calibration(self.calibration)
        model, _ = known.model_for(loaded.digests, self.hole, self.step_mm)  # as a report does
        expect = ExpectVessel(
            loaded.search, loaded.generator, model.prior, self.hole, self.step_mm, model.gap_mm,
            between=False, most_levels=self.most_levels,
        )  # fmt: skip
        vessel = measure_vessel(image, track)
        expected = expect(self.scale({Field.IMAGE: image})[Field.IMAGE], track)
        levels = compared_levels(vessel, expected)
        expectation = expect_vessel(vessel.along(), levels, model)
        levels = replace(levels, is_compared=levels.is_compared & np.isfinite(expectation.z))
        if not levels.is_compared.any():
            raise ValueError(
                "no level can be compared: expected at least one; give a volume that shows more of the aorta."
            )
        return ScoredScan(
            track, vessel, expected, levels, expectation, self.scorer(vessel, expected, levels, expectation)
        )

    def parts(self) -> dict[str, str]:
        """What scores rest on, see `scoring_parts`."""
        return scoring_parts(self.networks, self.scorer, self.calibration, self.hole, self.step_mm)


def scoring_parts(
    networks: VesselNetworks | AmortisedNetworks, scorer: ScoreVessel, calibration: str, hole: int, step_mm: float
) -> dict[str, str]:
    """Part of the scoring -> digest: scores that differ in one of them must not be compared.

    Args:
        networks: paint the levels.
        scorer: scores them.
        calibration: file that `CalibrateVessels` wrote.
        hole: side of the hole, pixels of 1 mm.
        step_mm: distance of the levels.

    Raises:
        FileNotFoundError: when weights or the calibration are missing.
        ValueError: when weights do not fit.
    """
    loaded = networks.load()
    answers = [
        getattr(networks, "answers", 1),
        getattr(networks, "seed", 0),
        float(getattr(loaded.generator, "spread", 1.0)),
    ]
    return {
        **loaded.digests,
        "answers": settings_digest(answers),
        "features": scorer.digest(),
        "expectation": hashlib.sha256(Path(calibration).read_bytes()).hexdigest(),
        "hole": settings_digest(int(hole)),
        "distance of the levels": settings_digest(float(step_mm)),
    }
