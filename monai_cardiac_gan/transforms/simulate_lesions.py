"""Give a vessel a lesion whose place and extent are known, inside a MONAI pipeline."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from scipy import ndimage

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms.lesion_shapes import LESIONS, VesselSlice
from monai_cardiac_gan.transforms.ras_volume import RasVolume

__all__ = ["LesionSimulator", "LesionSimulatorD", "LesionSimulatorDict", "LesionSimulatord", "SimulatedLesion"]

LENGTH_MM = 50.0
"""Along the vessel, full width at half of the greatest amount."""
FWHM_IN_SDS = 2 * np.sqrt(2 * np.log(2))
LEAST_AMOUNT = 0.05
"""Below this share of full severity a slice counts as unchanged, and stays so: nobody sees a twentieth of a lesion."""
NOISE_MM = 0.8
"""Standard deviation of the filter that makes the noise as smooth as a scan's."""


@dataclass(frozen=True)
class SimulatedLesion:
    """A volume with a lesion.

    Attributes:
        image: `MetaTensor` (1, X, Y, Z).
        truth: `MetaTensor` (1, X, Y, Z) bool, what the lesion takes.
        amounts: (N,) of each slice of the track, 0 to 1.
        middle: row of the track in whose slice the lesion is largest.
        direction: radians, from the first axis to the second; kinds that are alike on all sides have none.
    """

    image: MetaTensor
    truth: MetaTensor
    amounts: np.ndarray
    middle: int
    direction: float


class LesionSimulator(Transform):
    """Change a vessel as a disease does, continuously over its slices, with the truth kept.

    ``dilation`` (1.6 times at full severity), ``aneurysm`` (a bulge of 0.9 radii), ``narrowing`` (to 0.55), ``flap`` (of a
    dissection), ``thrombus`` (mural, up to 0.9 radii), ``wall`` (5 mm thicker), ``displacement`` (14 mm) and ``mass`` (of 24 mm
    beside the vessel); see `lesion_shapes`. The amount falls along the vessel like a Gaussian. Severity 0 changes nothing, and
    neither do slices without a track.

    Args:
        kind: one of these.
        severity: 0 to 1.
        length_mm: along the vessel, full width at half of the greatest amount.
        at: place of the middle as a share of the track, 0 (top) to 1 (bottom); None draws one between 0.25 and 0.75.
        direction: radians; None draws one.
        seed: of what is drawn: place, direction and the noise in what is painted.

    Raises:
        ValueError: when the kind is unknown, or a number out of its range.
    """

    def __init__(
        self,
        kind: str,
        severity: float,
        length_mm: float = LENGTH_MM,
        at: float | None = None,
        direction: float | None = None,
        seed: int = 0,
    ) -> None:
        if kind not in LESIONS:
            raise ValueError(f"the kind is '{kind}': expected one of {', '.join(LESIONS)}.")
        if not (0 <= severity <= 1 and length_mm > 0 and (at is None or 0 <= at <= 1)):
            raise ValueError(
                f"severity is {severity}, length_mm {length_mm} and at {at}: expected 0 to 1, more than 0, and 0 to 1 or None."
            )
        self.kind, self.severity, self.length_mm = kind, severity, length_mm
        self.at, self.direction, self.seed = at, direction, seed

    def __call__(self, image: torch.Tensor, track: AortaTrack) -> SimulatedLesion:
        """
        Args:
            image: `MetaTensor` (1, X, Y, Z) in RAS+ axes.
            track: of its aorta, on its own grid.

        Raises:
            ValueError: when the image is no RAS+ volume, or the track is empty.
        """
        volume = RasVolume(image)
        if not len(track):
            raise ValueError("the track is empty: expected the course of an aorta; localise it first (LocaliseAorta).")
        source = np.random.default_rng(self.seed)
        drawn_at, drawn_direction = source.uniform(0.25, 0.75), source.uniform(0, 2 * np.pi)
        share = drawn_at if self.at is None else self.at
        direction = float(drawn_direction if self.direction is None else self.direction)
        middle = round((1 - share) * (len(track) - 1))
        heights = (track.slices - track.slices[middle]) * volume.spacing[2]
        amounts = self.severity * np.exp(-0.5 * (heights / (self.length_mm / FWHM_IN_SDS)) ** 2)
        amounts[amounts < LEAST_AMOUNT] = 0.0
        array, truth = volume.array.copy(), np.zeros(volume.array.shape, bool)
        noise = _noise(volume, source)
        for row in np.flatnonzero(amounts):
            level = track.slices[row]
            vessel = VesselSlice(
                volume.array[..., level],
                volume.spacing[:2],
                track.centres_mm[row],
                float(track.diameters_mm[row]),
                noise[..., level],
            )
            found = LESIONS[self.kind](vessel, float(amounts[row]), direction)
            array[..., level], truth[..., level] = found.image, found.truth
        affine = torch.from_numpy(volume.affine)
        return SimulatedLesion(
            MetaTensor(torch.from_numpy(array)[None], affine=affine),
            MetaTensor(torch.from_numpy(truth)[None], affine=affine),
            amounts,
            middle,
            direction,
        )


def _noise(volume: RasVolume, source: np.random.Generator) -> np.ndarray:
    """(X, Y, Z) of unit standard deviation, as smooth as a scan's."""
    rough = source.standard_normal(volume.array.shape, dtype=np.float32)
    smooth = ndimage.gaussian_filter(rough, NOISE_MM / volume.spacing)
    unit: np.ndarray = smooth / smooth.std()
    return unit


class LesionSimulatord(MapTransform):
    """Dictionary version of `LesionSimulator`: changes the image, and writes the truth to `Field.LESION`.

    Args:
        keys: the field that holds the image; its track is in `Field.AORTA`.
        arguments: of `LesionSimulator`.
        allow_missing_keys: do not raise when the key is absent.

    Raises:
        ValueError: when there are several keys, and see `LesionSimulator`.
    """

    def __init__(self, keys: KeysCollection, allow_missing_keys: bool = False, **arguments: Any) -> None:
        super().__init__(keys, allow_missing_keys)
        if len(self.keys) > 1:
            raise ValueError(
                f"the keys are {list(self.keys)}: expected one, whose vessel's track is in '{Field.AORTA}'."
            )
        self.transform = LesionSimulator(**arguments)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of the record with the changed image and the truth in it."""
        record = dict(data)
        for key in self.key_iterator(record):
            found = self.transform(record[key], record[Field.AORTA])
            record[key], record[Field.LESION] = found.image, found.truth
        return record


LesionSimulatorD = LesionSimulatorDict = LesionSimulatord
