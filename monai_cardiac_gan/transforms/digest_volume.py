"""Note which image a volume is, so that it is recognised under another name."""

from __future__ import annotations

import torch
from monai.transforms import Transform

from monai_cardiac_gan.data.digest import volume_digest
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms.ras_volume import RasVolume
from monai_cardiac_gan.transforms.record_transform import RecordTransform

__all__ = ["DigestVolume", "DigestVolumeD", "DigestVolumeDict", "DigestVolumed"]


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
