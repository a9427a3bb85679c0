"""Find the descending aorta inside a MONAI pipeline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.transforms import Transform
from monai.utils import MetaKeys

from monai_cardiac_gan.aorta import AortaTrack, localise_aorta, track_from_labels
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms.ras_volume import RasVolume
from monai_cardiac_gan.transforms.record_transform import RecordTransform

__all__ = ["LocaliseAorta", "LocaliseAortaD", "LocaliseAortaDict", "LocaliseAortad"]

SEED_UNITS = ("mm", "voxel")


class LocaliseAorta(Transform):
    """The course of the descending aorta: automatic, from one seed point, or from a label map.

    Args:
        seed_unit: ``"mm"``: seeds are scanner coordinates (RAS+ millimetres, what 3D Slicer shows as RAS); ``"voxel"``:
            indices of the array as it lies in the file.
        label_value: which value of a label map is the aorta.
        min_track_confidence: tracks below this are taken as not found; 0 keeps all.

    Raises:
        ValueError: when the unit is not one of the two.
    """

    def __init__(self, seed_unit: str = "mm", label_value: int = 1, min_track_confidence: float = 0.0) -> None:
        if seed_unit not in SEED_UNITS:
            raise ValueError(f"the seed unit is '{seed_unit}': expected one of {', '.join(SEED_UNITS)}.")
        self.seed_unit = seed_unit
        self.label_value = label_value
        self.min_track_confidence = min_track_confidence

    def __call__(
        self, image: torch.Tensor, seed: Sequence[float] | None = None, label: torch.Tensor | None = None
    ) -> AortaTrack:
        """
        Args:
            image: `MetaTensor` (1, X, Y, Z) in RAS+ axes.
            seed: three numbers in `seed_unit`, a point inside the descending aorta.
            label: `MetaTensor` (1, X, Y, Z) on the same grid as the image; wins over a seed.

        Returns:
            The track; empty when no aorta was found.

        Raises:
            ValueError: when the image is no RAS+ volume, the label map lies on another grid, or the seed lies outside.
        """
        volume = RasVolume(image)
        if label is not None:
            return self._from_labels(volume, RasVolume(label))
        seed_mm = None if seed is None else self._offset_mm(volume, image, seed)
        track = localise_aorta(volume.array, volume.spacing, seed_mm)
        return track if track.track_confidence >= self.min_track_confidence else AortaTrack.empty()

    def _from_labels(self, volume: RasVolume, labels: RasVolume) -> AortaTrack:
        if labels.array.shape != volume.array.shape or not np.allclose(labels.affine, volume.affine, atol=1e-3):
            raise ValueError(
                f"the label map has shape {labels.array.shape} and the image {volume.array.shape}, or their affines differ: "
                "resample the label map to the image's grid first (nearest neighbour)."
            )
        return track_from_labels(np.rint(labels.array) == self.label_value, volume.spacing)

    def _offset_mm(self, volume: RasVolume, image: torch.Tensor, seed: Sequence[float]) -> np.ndarray:
        point = np.append(np.asarray(seed, dtype=np.float64), 1.0)
        if point.shape != (4,):
            raise ValueError(f"the seed is {list(seed)}: expected three coordinates.")
        if self.seed_unit == "voxel":
            point = np.asarray(image.meta[MetaKeys.ORIGINAL_AFFINE], dtype=np.float64) @ point  # type: ignore[attr-defined]
        return (np.linalg.inv(volume.affine) @ point)[:3] * volume.spacing


class LocaliseAortad(RecordTransform):
    """Dictionary version of `LocaliseAorta`; reads `Field.SEED` and `Field.LABEL`, writes `Field.AORTA`."""

    array_class = LocaliseAorta
    argument_fields = {"seed": Field.SEED, "label": Field.LABEL}
    result_field = Field.AORTA


LocaliseAortaD = LocaliseAortaDict = LocaliseAortad
