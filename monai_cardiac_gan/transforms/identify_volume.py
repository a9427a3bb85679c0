"""Note which image a volume is, so that it, or a slightly changed copy, is recognised under another name."""

from __future__ import annotations

import numpy as np
import torch
from monai.transforms import Transform

from monai_cardiac_gan.data.volume_identity import volume_digest, volume_fingerprint
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms.ras_volume import RasVolume
from monai_cardiac_gan.transforms.record_transform import RecordTransform

__all__ = [
    "DigestVolume",
    "DigestVolumeD",
    "DigestVolumeDict",
    "DigestVolumed",
    "FingerprintVolume",
    "FingerprintVolumeD",
    "FingerprintVolumeDict",
    "FingerprintVolumed",
    "VolumeGrid",
    "VolumeGridD",
    "VolumeGridDict",
    "VolumeGridd",
]


class DigestVolume(Transform):
    """SHA-256 of a volume's voxels (`data.volume_digest`); put it behind the orientation and before any resampling."""

    def __call__(self, image: torch.Tensor) -> str:
        """Digest of a `MetaTensor` (1, X, Y, Z) in RAS+ axes; raises ValueError for anything else."""
        return volume_digest(RasVolume(image).array)


class DigestVolumed(RecordTransform):
    """Dictionary version of `DigestVolume`; writes `Field.DIGEST`."""

    array_class = DigestVolume
    result_field = Field.DIGEST


DigestVolumeD = DigestVolumeDict = DigestVolumed


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


class VolumeGrid(Transform):
    """Affine of a volume, for a digest says nothing of the place; put it behind the orientation and before any resampling."""

    def __call__(self, image: torch.Tensor) -> list[list[float]]:
        """Four rows of four numbers, mm, of a `MetaTensor` (1, X, Y, Z) in RAS+ axes; raises ValueError for anything else."""
        affine: list[list[float]] = RasVolume(image).affine.tolist()
        return affine


class VolumeGridd(RecordTransform):
    """Dictionary version of `VolumeGrid`; writes `Field.GRID`."""

    array_class = VolumeGrid
    result_field = Field.GRID


VolumeGridD = VolumeGridDict = VolumeGridd
