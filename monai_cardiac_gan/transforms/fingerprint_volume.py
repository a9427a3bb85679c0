"""Note what a volume looks like, so that a slightly changed copy is recognised."""

from __future__ import annotations

import numpy as np
import torch
from monai.transforms import Transform

from monai_cardiac_gan.data.fingerprint import volume_fingerprint
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms.ras_volume import RasVolume
from monai_cardiac_gan.transforms.record_transform import RecordTransform

__all__ = ["FingerprintVolume", "FingerprintVolumeD", "FingerprintVolumeDict", "FingerprintVolumed"]


class FingerprintVolume(Transform):
    """Ranks of a volume's block means (`data.volume_fingerprint`); put it behind the orientation."""

    def __call__(self, image: torch.Tensor) -> np.ndarray:
        """Fingerprint of a `MetaTensor` (1, X, Y, Z) in RAS+ axes; raises ValueError for anything else."""
        return volume_fingerprint(RasVolume(image).array)


class FingerprintVolumed(RecordTransform):
    """Dictionary version of `FingerprintVolume`; writes `Field.FINGERPRINT`."""

    array_class = FingerprintVolume
    result_field = Field.FINGERPRINT


FingerprintVolumeD = FingerprintVolumeDict = FingerprintVolumed
