"""Find the descending aorta inside a MONAI pipeline."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import torch
from monai.transforms import ResampleToMatch, Transform
from monai.utils import MetaKeys

from monai_cardiac_gan.aorta import AortaTrack, localise_aorta, track_from_labels
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms.ras_volume import RasVolume
from monai_cardiac_gan.transforms.record_transform import RecordTransform, collate_as_list

__all__ = ["LocaliseAorta", "LocaliseAortaD", "LocaliseAortaDict", "LocaliseAortad"]

logger = logging.getLogger(__name__)

SEED_UNITS = ("mm", "voxel")
SAME_GRID_MM = 1e-3
"""Affines that differ by less are the same; files round them."""
SHOWN_VALUES = 10
"""Values of a label map that a message names."""


collate_as_list(AortaTrack)  # tracks differ in length


class LocaliseAorta(Transform):
    """The course of the descending aorta: automatic, from one seed point, or from a label map.

    Args:
        seed_unit: ``"mm"``: seeds are scanner coordinates (RAS+ millimetres, what 3D Slicer shows as RAS); ``"voxel"``:
            indices of the array as it lies in the file.
        label_value: which value of a label map is the aorta; TotalSegmentator writes 52 (task ``total``, version 2) or 23
            (task ``total_mr``). Of a map of the whole aorta the descending part is taken.
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
        self,
        image: torch.Tensor,
        seed: Sequence[float] | None = None,
        label: torch.Tensor | None = None,
        correction: Sequence[float] | None = None,
        hint: Sequence[float] | None = None,
        ends: Sequence[float | None] | None = None,
    ) -> AortaTrack:
        """
        Args:
            image: `MetaTensor` (1, X, Y, Z) in RAS+ axes.
            seed: three numbers in `seed_unit`, a point inside the descending aorta.
            label: `MetaTensor` (1, X, Y, Z) in RAS+ axes, on any grid; wins over a seed.
            correction: such a point in scanner millimetres; wins over both.
            hint: such a point that may belong to another volume; counts as a correction where a vessel lies there.
            ends: heights (z in scanner millimetres, RAS+) of the lowest and the highest centre that is kept; None leaves an end.

        Returns:
            The track; empty when no aorta was found.

        Raises:
            ValueError: when the image is no RAS+ volume, the label map has no such value, the seed lies outside or where no
                vessel is seen, or the whole track lies beyond the ends.
        """
        volume = RasVolume(image)
        track = self._course(volume, image, seed, label, correction, hint)
        return track if ends is None else _between(track, volume, ends)

    def _course(
        self,
        volume: RasVolume,
        image: torch.Tensor,
        seed: Sequence[float] | None,
        label: torch.Tensor | None,
        correction: Sequence[float] | None,
        hint: Sequence[float] | None,
    ) -> AortaTrack:
        if correction is not None:
            return localise_aorta(volume.array, volume.spacing, self._offset_mm(volume, correction))
        if hint is not None and (track := self._hinted(volume, hint)) is not None:
            return track
        if label is not None:
            return self._from_labels(volume, image, label)
        seed_mm = None if seed is None else self._offset_mm(volume, self._scanner_mm(image, seed))
        track = localise_aorta(volume.array, volume.spacing, seed_mm)
        return track if track.track_confidence >= self.min_track_confidence else AortaTrack.empty()

    def _hinted(self, volume: RasVolume, hint: Sequence[float]) -> AortaTrack | None:
        try:
            return localise_aorta(volume.array, volume.spacing, self._offset_mm(volume, hint))
        except ValueError as error:
            logger.warning("a correction that several volumes share is not for this one: %s", error)
            return None

    def _from_labels(self, volume: RasVolume, image: torch.Tensor, label: torch.Tensor) -> AortaTrack:
        labels = RasVolume(label)
        if labels.array.shape != volume.array.shape or not np.allclose(labels.affine, volume.affine, atol=SAME_GRID_MM):
            match = ResampleToMatch(mode="nearest", padding_mode="zeros", dtype=np.float32)
            labels = RasVolume(match(label, image))
        values = np.rint(labels.array)
        mask = values == self.label_value
        if not mask.any():
            found = ", ".join(f"{value:g}" for value in np.unique(values)[:SHOWN_VALUES])
            raise ValueError(
                f"the label map holds no voxel of the value {self.label_value} inside the image, but {found}: expected the "
                "aorta's; give `label_value`."
            )
        return track_from_labels(mask, volume.spacing)

    def _scanner_mm(self, image: torch.Tensor, seed: Sequence[float]) -> Sequence[float]:
        if self.seed_unit != "voxel" or len(seed) != 3:
            return seed
        affine = np.asarray(image.meta[MetaKeys.ORIGINAL_AFFINE], dtype=np.float64)  # type: ignore[attr-defined]
        point: list[float] = (affine @ np.append(seed, 1.0))[:3].tolist()
        return point

    def _offset_mm(self, volume: RasVolume, seed: Sequence[float]) -> np.ndarray:
        point = np.append(np.asarray(seed, dtype=np.float64), 1.0)
        if point.shape != (4,):
            raise ValueError(f"the seed is {list(seed)}: expected three coordinates.")
        index = (np.linalg.inv(volume.affine) @ point)[:3]
        if not np.all((index >= -0.5) & (index <= np.array(volume.array.shape) - 0.5)):
            corners = np.stack([np.zeros(3), np.array(volume.array.shape) - 1.0], 1)
            ends = (volume.affine[:3, :3] @ corners + volume.affine[:3, 3:]).round(1)
            raise ValueError(
                f"the seed {np.round(point[:3], 1).tolist()} mm lies outside the volume, which reaches from "
                f"{ends[:, 0].tolist()} to {ends[:, 1].tolist()} mm (RAS+): check unit and sign of the coordinates."
            )
        return np.clip(index, 0, np.array(volume.array.shape) - 1) * volume.spacing


def _between(track: AortaTrack, volume: RasVolume, ends: Sequence[float | None]) -> AortaTrack:
    """The slices on which the aorta's centre lies between two heights."""
    if not len(track):
        return track
    index = np.column_stack([track.centres_mm / volume.spacing[:2], track.slices])
    heights = index @ volume.affine[2, :3] + volume.affine[2, 3]
    bottom, top = (limit if end is None else end for end, limit in zip(ends, (-np.inf, np.inf), strict=True))
    kept = (heights >= bottom) & (heights <= top)
    if not kept.any():
        raise ValueError(
            f"the track lies between {heights.min():.1f} and {heights.max():.1f} mm (z, RAS+), the ends are {list(ends)}: "
            "expected heights inside it; check unit and sign."
        )
    return track.select(kept)


class LocaliseAortad(RecordTransform):
    """Dictionary version of `LocaliseAorta`; reads `Field.SEED`, `LABEL`, `CORRECTION`, `HINT` and `ENDS`, writes `AORTA`."""

    array_class = LocaliseAorta
    argument_fields = {
        "seed": Field.SEED,
        "label": Field.LABEL,
        "correction": Field.CORRECTION,
        "hint": Field.HINT,
        "ends": Field.ENDS,
    }
    result_field = Field.AORTA


LocaliseAortaD = LocaliseAortaDict = LocaliseAortad
