"""A verdict on one vessel, by the calibration whose scans are of its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monai_cardiac_gan.anomaly import ALPHA, Expectation, Levels
from monai_cardiac_gan.evaluation.detection_calibration import (
    Detection,
    DetectionCalibration,
    read_detection_calibration,
)
from monai_cardiac_gan.evaluation.measured_vessel import MeasuredVessel
from monai_cardiac_gan.evaluation.score_vessel import NoSpreadError, ScoredVessel, ScoreVessel
from monai_cardiac_gan.inferers import ExpectedVessel

__all__ = ["DetectVessel", "DetectedVessel"]


@dataclass(frozen=True)
class DetectedVessel:
    """What was detected.

    Attributes:
        scored: levels and maps; None where what was painted says not how sure it is.
        detection: the verdict; None where there is none.
        reason: why not, one sentence; None where there is a verdict.
    """

    scored: ScoredVessel | None
    detection: Detection | None
    reason: str | None


class DetectVessel:
    """Score a vessel and hold it against normal people.

    Of several calibrations that one is taken whose scans the vessel's scan is most like; none, where it is like none of them.

    Args:
        scorer: scores levels.
        paths: of calibrations that `CalibrateDetection` wrote; those that are missing are passed over.
        alpha: share of normal people who are alarmed.
    """

    def __init__(self, scorer: ScoreVessel, paths: Sequence[str], alpha: float = ALPHA) -> None:
        self.scorer, self.paths, self.alpha = scorer, tuple(map(str, paths)), alpha

    def __call__(
        self,
        vessel: MeasuredVessel,
        expected: ExpectedVessel,
        levels: Levels,
        expectation: Expectation,
        parts: Mapping[str, str],
    ) -> DetectedVessel:
        """
        Args:
            vessel: what was acquired.
            expected: what was painted, with answers drawn at the levels.
            levels: what is compared.
            expectation: of these levels.
            parts: what the scores rest on (`scoring_parts`).

        Raises:
            FileNotFoundError: when weights are missing.
            ValueError: when weights do not fit, or a calibration cannot be read.
        """
        try:
            scored = self.scorer(vessel, expected, levels, expectation)
        except NoSpreadError as error:
            return DetectedVessel(None, None, f"no verdict: {error}")
        chosen, reason = self._chosen(scored, parts)
        if chosen is None or not scored.levels.is_compared.any():
            return DetectedVessel(scored, None, reason or "no verdict: no level can be compared")
        return DetectedVessel(scored, chosen.detect(scored.levels, self.alpha), None)

    def _chosen(self, scored: ScoredVessel, parts: Mapping[str, str]) -> tuple[DetectionCalibration | None, str | None]:
        known = [read_detection_calibration(path) for path in self.paths if Path(path).exists()]
        if not known:
            return None, "no verdict: no normal people are known; run calibrate_detection.json on yours"
        usable = [each for each in known if not each.differing(parts)]
        if not usable:
            different = min((each.differing(parts) for each in known), key=len)
            return None, (
                f"no verdict: normal people were scored with another {', '.join(different)}; run calibrate_detection.json for "
                "these"
            )
        distances = [each.scans.distance(scored.texture) for each in usable]
        nearest = min(range(len(usable)), key=distances.__getitem__)
        if distances[nearest] > 1:
            return None, (
                f"no verdict: the scan is unlike those of normal people that are known (nearest: {usable[nearest].kind}, "
                f"{distances[nearest]:.1f} times as far away as the farthest of them); run calibrate_detection.json for it"
            )
        return usable[nearest], None
