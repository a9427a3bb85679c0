"""Cut axial patches around the descending aorta."""

from __future__ import annotations

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Randomizable, Transform

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.transforms.ras_volume import RasVolume
from monai_cardiac_gan.transforms.record_transform import RecordTransform

__all__ = ["CropAortaPatches", "CropAortaPatchesD", "CropAortaPatchesDict", "CropAortaPatchesd"]

BORDERS = ("pad", "clamp")


class CropAortaPatches(Randomizable, Transform):
    """Axial patches centred on the aorta, one for every believed slice or every few millimetres.

    A patch is centred on the voxel nearest to the aorta's centre. Its first axis runs towards the patient's right, its
    second towards the front. Where it reaches over the border of the field of view it is padded, or moved inwards; it is
    never short and never silently shifted: metadata tell where the aorta lies in it and what share of it is padding.

    Args:
        size: side of a patch, pixels; the publication uses 128.
        step_mm: distance of the slices that give a patch; 0 takes every slice.
        min_confidence: slices of the track below this give no patch.
        jitter_mm: the patch is moved at random by up to this much along each axis (uniform; seeded by
            ``set_random_state``).
        border: ``"pad"`` keeps the aorta in the middle and fills with the image's lowest value; ``"clamp"`` moves the patch
            into the field of view where that is large enough, and pads what then is still missing.

    Raises:
        ValueError: when the size, the step, the jitter or the border is not usable.

    Example:
        >>> image = MetaTensor(torch.zeros(1, 160, 160, 4), affine=torch.eye(4))
        >>> track = AortaTrack([2], [[60.0, 70.0]], [20.0], [1.0], 1.0)
        >>> patches = CropAortaPatches()(image, track)
        >>> tuple(patches[0].shape), patches[0].affine[:3, 3].tolist()
        ((1, 128, 128), [-4.0, 6.0, 2.0])
    """

    def __init__(
        self,
        size: int = 128,
        step_mm: float = 0.0,
        min_confidence: float = 0.0,
        jitter_mm: float = 0.0,
        border: str = "pad",
    ) -> None:
        if size < 1 or step_mm < 0 or jitter_mm < 0:
            raise ValueError(
                f"size {size}, step {step_mm} mm and jitter {jitter_mm} mm: "
                "expected a size of at least 1, the others not negative."
            )
        if border not in BORDERS:
            raise ValueError(f"the border is '{border}': expected one of {', '.join(BORDERS)}.")
        self.size = size
        self.step_mm = step_mm
        self.min_confidence = min_confidence
        self.jitter_mm = jitter_mm
        self.border = border

    def __call__(self, image: torch.Tensor, track: AortaTrack | None) -> list[MetaTensor]:
        """
        Args:
            image: `MetaTensor` (1, X, Y, Z) in RAS+ axes, its pixels square in the axial plane.
            track: where the aorta is (`LocaliseAorta`).

        Returns:
            Patches (1, size, size), each with an affine (4, 4) from (i, j, 0, 1) to scanner millimetres and the entries of
            `PatchColumn` in its metadata.

        Raises:
            ValueError: when there is no track, or the image is no RAS+ volume.
        """
        if track is None:
            raise ValueError(
                f"there is no track to cut along: put LocaliseAortad before this step (it fills '{Field.AORTA}')."
            )
        volume = RasVolume(image)
        array = torch.as_tensor(volume.array)
        return [self._patch(array, volume, track, row) for row in self._rows(track, volume.spacing[2])]

    def _rows(self, track: AortaTrack, slice_mm: float) -> list[int]:
        """Entries of the track that give a patch: believed, and at least a step above the one before."""
        rows: list[int] = []
        for row in np.flatnonzero(track.confidence >= self.min_confidence):
            # half a slice of tolerance, so that a step of 2 mm on a grid of 1.1 mm takes every second slice
            if not rows or (track.slices[row] - track.slices[rows[-1]] + 0.5) * slice_mm > self.step_mm:
                rows.append(int(row))
        return rows

    def _patch(self, array: torch.Tensor, volume: RasVolume, track: AortaTrack, row: int) -> MetaTensor:
        moved = self.R.uniform(-self.jitter_mm, self.jitter_mm, 2) if self.jitter_mm else np.zeros(2)
        centre = (track.centres_mm[row] + moved) / volume.spacing[:2]
        start = np.rint(centre).astype(int) - self.size // 2
        if self.border == "clamp":
            start = np.array([_inside(low, self.size, side) for low, side in zip(start, array.shape[:2], strict=True)])
        level = int(track.slices[row])
        pixels, inside = _cut(array[:, :, level], start, self.size)
        affine = volume.affine.copy()
        affine[:3, 3] = (volume.affine @ [*start, level, 1.0])[:3]
        aorta = track.centres_mm[row] - start * volume.spacing[:2]
        meta = {
            PatchColumn.SLICE: level,
            PatchColumn.CENTRE_X: float(aorta[0]),
            PatchColumn.CENTRE_Y: float(aorta[1]),
            PatchColumn.DIAMETER: float(track.diameters_mm[row]),
            PatchColumn.CONFIDENCE: float(track.confidence[row]),
            PatchColumn.PADDED: 1.0 - inside / self.size**2,
        }
        return MetaTensor(pixels[None], affine=torch.as_tensor(affine), meta=meta)


class CropAortaPatchesd(RecordTransform, Randomizable):
    """Dictionary version of `CropAortaPatches`; reads `Field.AORTA`, writes `Field.PATCHES`."""

    array_class = CropAortaPatches
    argument_fields = {"track": Field.AORTA}
    result_field = Field.PATCHES

    def set_random_state(
        self, seed: int | None = None, state: np.random.RandomState | None = None
    ) -> CropAortaPatchesd:
        """Seed the jitter."""
        self.transform.set_random_state(seed, state)
        return self


CropAortaPatchesD = CropAortaPatchesDict = CropAortaPatchesd


def _inside(start: int, size: int, side: int) -> int:
    """The start nearest to the wished one with the patch inside the side; in the middle when the side is too short."""
    return (side - size) // 2 if side < size else int(np.clip(start, 0, side - size))


def _cut(plane: torch.Tensor, start: np.ndarray, size: int) -> tuple[torch.Tensor, int]:
    """A square of a plane (size, size), filled with the plane's lowest value outside of it, and its pixels inside."""
    low, high = np.maximum(start, 0), np.minimum(start + size, plane.shape)
    pixels = torch.full((size, size), float(plane.min()), dtype=torch.float32)
    if np.any(high <= low):
        return pixels, 0
    part = plane[low[0] : high[0], low[1] : high[1]]
    rows, columns = low - start
    pixels[rows : rows + part.shape[0], columns : columns + part.shape[1]] = part
    return pixels, part.numel()
