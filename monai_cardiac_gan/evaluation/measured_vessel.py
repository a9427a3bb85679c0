"""One person's vessel as it was acquired, measured on every slice, and as it is compared with what is expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from monai_cardiac_gan.anomaly import Landmarks, Levels, Measured, find_landmarks, reasons_not_to_compare
from monai_cardiac_gan.aorta import AortaTrack, Lumen, measure_lumens
from monai_cardiac_gan.inferers import ExpectedVessel
from monai_cardiac_gan.transforms import RasVolume

__all__ = ["MeasuredVessel", "compared_levels", "measure_vessel"]

LEAST_CONFIDENCE = 0.5
"""Of a track below which no answer is given, and nothing learnt: of the acquired volumes with a right track all lie above."""
GAP_IN_TRACK = "no aorta is seen on this slice"


@dataclass(frozen=True)
class MeasuredVessel:
    """The acquired vessel; n slices of the track, from feet to head as in the track.

    Attributes:
        track: its course.
        slice_mm: distance of two slices.
        lumens: (n) contours, None where too little of a rim is seen.
        reasons: (n) why a slice is not compared, None where it is.
        landmarks: seen in the volume.
    """

    track: AortaTrack
    slice_mm: float
    lumens: tuple[Lumen | None, ...]
    reasons: tuple[str | None, ...]
    landmarks: Landmarks

    @property
    def heights_mm(self) -> np.ndarray:
        """(n,) below the top of the track."""
        heights: np.ndarray = (self.track.slices[-1] - self.track.slices) * self.slice_mm
        return heights

    @property
    def diameters_mm(self) -> np.ndarray:
        """(n,) area-equivalent; NaN without a lumen."""
        return np.array([np.nan if lumen is None else lumen.area_equivalent_mm for lumen in self.lumens])

    def along(self) -> Measured:
        """What expectations are made from: the slices that can be compared."""
        kept = np.array([reason is None for reason in self.reasons], bool)
        return Measured(self.heights_mm[kept], self.diameters_mm[kept], self.track.centres_mm[kept])

    def row_of(self, slice_index: int) -> int | None:
        """Number of a slice in the track; None where the track leaves it out."""
        rows = np.flatnonzero(self.track.slices == slice_index)
        return int(rows[0]) if len(rows) else None

    def reason_of(self, slice_index: int) -> str | None:
        """Why a slice is not compared; None where it is."""
        row = self.row_of(slice_index)
        return GAP_IN_TRACK if row is None else self.reasons[row]


def measure_vessel(image: Tensor, track: AortaTrack) -> MeasuredVessel:
    """Measure every slice of a track.

    Args:
        image: `MetaTensor` (1, X, Y, Z) in RAS+ axes, brightness as in the file.
        track: of its aorta, on its own grid.
    """
    volume = RasVolume(image)
    slice_mm = float(volume.spacing[2])
    landmarks = find_landmarks(volume.array, volume.spacing, track)
    lumens = measure_lumens(volume.array, volume.spacing, track)
    reasons = reasons_not_to_compare(track, lumens, slice_mm, landmarks.is_arch_seen)
    return MeasuredVessel(track, slice_mm, tuple(lumens), tuple(reasons), landmarks)


def compared_levels(vessel: MeasuredVessel, expected: ExpectedVessel) -> Levels:
    """The levels of an expected vessel, with what was acquired there."""
    rows = [vessel.row_of(int(level)) for level in expected.patches.slices[expected.levels]]
    diameters, centres = np.full(len(rows), np.nan), np.full((len(rows), 2), np.nan)
    acquired = vessel.diameters_mm
    for place, row in enumerate(rows):
        if row is not None:
            diameters[place], centres[place] = acquired[row], vessel.track.centres_mm[row]
    return Levels(
        heights_mm=expected.heights_mm[expected.levels],
        diameters_mm=diameters,
        centres_mm=centres,
        painted_mm=np.array([np.nan if disc is None else disc.diameter_mm for disc in expected.discs]),
        is_compared=np.array([row is not None and vessel.reasons[row] is None for row in rows], bool),
    )
