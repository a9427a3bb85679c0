"""One phantom with its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.aorta.track import AortaTrack

__all__ = ["PhantomVolume"]


@dataclass(frozen=True)
class PhantomVolume:
    """Image, labels and the true course of the aorta.

    Attributes:
        image: (X, Y, Z) int16 signal, RAS+: the axes grow to the patient's right, front and head.
        labels: (X, Y, Z) uint8, values of `PhantomLabel`.
        spacing: (3,) voxel size in millimetres.
        affine: (4, 4) voxel index to millimetres, RAS+.
        aorta: the true descending aorta below the arch, with confidence 1.
        seed: what it was made from.
    """

    image: np.ndarray
    labels: np.ndarray
    spacing: tuple[float, float, float]
    affine: np.ndarray
    aorta: AortaTrack
    seed: int
