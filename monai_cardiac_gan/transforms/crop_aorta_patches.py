"""Cut axial patches around the descending aorta."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from monai.data import MetaTensor
from monai.transforms import Randomizable, Transform
from torch import Tensor, as_tensor, from_numpy

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.transforms.patch_grid import PatchGrid
from monai_cardiac_gan.transforms.ras_volume import RasVolume
from monai_cardiac_gan.transforms.record_transform import RecordTransform

__all__ = ["Crop", "CropAortaPatches", "CropAortaPatchesD", "CropAortaPatchesDict", "CropAortaPatchesd"]

BORDERS = ("pad", "clamp")


@runtime_checkable
class Crop(Protocol):
    """Cuts patches from the volume of a record; what it draws at random is seeded for each volume."""

    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> Any:
        """Seed what is random, as MONAI's ``Randomizable`` does."""
        ...

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """A copy of the record with `Field.PATCHES`: `MetaTensor`s (1, H, W) with the entries of `PatchColumn`."""
        ...


class CropAortaPatches(Randomizable, Transform):
    """Axial patches centred on the aorta, one for every believed slice or every few millimetres.

    A patch is centred on the pixel nearest to the aorta's centre. Its first axis runs towards the patient's right, its
    second towards the front. Where it reaches over the border of the field of view it is padded, moved inwards or dropped;
    it is never short and never silently shifted: metadata tell where the aorta lies in it and which of its pixels are
    valid.

    With `spacing` only the pixels of the patches are resampled, from the volume's own grid; that gives the patches which
    MONAI's ``Spacing`` and a crop would give, for a fraction of the time and memory.

    Args:
        size: side of a patch, pixels; the publication uses 128.
        step_mm: distance of the slices that give a patch; 0 takes every slice.
        min_confidence: slices of the track below this give no patch.
        jitter_mm: the patch is moved at random by up to this much along each axis (uniform; seeded by
            ``set_random_state``).
        border: ``"pad"`` keeps the aorta in the middle and fills with the image's lowest value; ``"clamp"`` moves the patch
            into the field of view where that is large enough, and pads what then is still missing.
        max_padding: patches with a larger share of padding are left out; 1 keeps all, 0 only those without padding.
        spacing: side of a pixel and distance of the slices, mm (linear interpolation, its grid starting at the volume's
            first voxel); None keeps the volume's own grid, which must be square in the axial plane.

    Raises:
        ValueError: when an argument is out of its range.

    Example:
        >>> import torch
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
        max_padding: float = 1.0,
        spacing: float | None = None,
    ) -> None:
        if size < 1 or step_mm < 0 or jitter_mm < 0:
            raise ValueError(
                f"size {size}, step {step_mm} mm and jitter {jitter_mm} mm: "
                "expected a size of at least 1, the others not negative."
            )
        if border not in BORDERS:
            raise ValueError(f"the border is '{border}': expected one of {', '.join(BORDERS)}.")
        if not 0 <= max_padding <= 1:
            raise ValueError(f"max_padding is {max_padding}: expected a share of the patch's pixels, 0 to 1.")
        if spacing is not None and not (math.isfinite(spacing) and spacing > 0):
            raise ValueError(f"the spacing is {spacing}: expected a positive length in mm, or None.")
        self.size, self.step_mm, self.min_confidence, self.jitter_mm = size, step_mm, min_confidence, jitter_mm
        self.border, self.max_padding, self.spacing = border, max_padding, spacing

    def __call__(self, image: Tensor, track: AortaTrack | None) -> list[MetaTensor]:
        """
        Args:
            image: `MetaTensor` (1, X, Y, Z) in RAS+ axes.
            track: where the aorta is (`LocaliseAorta`), on the image's own grid.

        Returns:
            Patches (1, size, size), each with an affine (4, 4) from (i, j, 0, 1) to scanner millimetres and the entries of
            `PatchColumn` in its metadata; what `ScaleByPercentiles` noted is passed on. `PatchColumn.SLICE` counts slices of
            the patches' own grid.

        Raises:
            ValueError: when there is no track, the image is no RAS+ volume, or its pixels are not square and no spacing was
                given.
        """
        if track is None:
            raise ValueError(
                f"there is no track to cut along: put LocaliseAortad before this step (it fills '{Field.AORTA}')."
            )
        grid = PatchGrid(RasVolume(image), self.spacing)
        track = track.on_slices(grid.volume.spacing[2], grid.spacing[2])
        rows = [row for row in self._rows(track, grid.spacing[2]) if track.slices[row] < grid.shape[2]]
        starts = [self._start(grid, track.centres_mm[row]) for row in rows]
        cuts = grid.cut(starts, track.slices[rows], self.size)
        known = getattr(image, "meta", {})
        noted = {name: known[name] for name in _WINDOW if name in known}
        patches = [
            self._patch(grid, track, row, start, pixels, bounds, noted)
            for row, start, (pixels, bounds) in zip(rows, starts, cuts, strict=True)
        ]
        return [patch for patch in patches if patch.meta[PatchColumn.PADDED] <= self.max_padding]

    def _rows(self, track: AortaTrack, slice_mm: float) -> list[int]:
        """Entries of the track that give a patch: believed, and at least a step above the one before."""
        rows: list[int] = []
        for row in np.flatnonzero(track.confidence >= self.min_confidence):
            # half a slice of tolerance, so that a step of 2 mm on a grid of 1.1 mm takes every second slice
            if not rows or (track.slices[row] - track.slices[rows[-1]] + 0.5) * slice_mm > self.step_mm:
                rows.append(int(row))
        return rows

    def _start(self, grid: PatchGrid, centre_mm: np.ndarray) -> np.ndarray:
        """First pixel of the patch, on the grid of the patches."""
        moved = self.R.uniform(-self.jitter_mm, self.jitter_mm, 2) if self.jitter_mm else np.zeros(2)
        start = np.rint((centre_mm + moved) / grid.spacing[:2]).astype(int) - self.size // 2
        if self.border == "clamp":
            start = np.array([_inside(low, self.size, side) for low, side in zip(start, grid.shape[:2], strict=True)])
        return start

    def _patch(
        self,
        grid: PatchGrid,
        track: AortaTrack,
        row: int,
        start: np.ndarray,
        pixels: np.ndarray,
        bounds: np.ndarray,
        noted: dict[str, float],
    ) -> MetaTensor:
        level = int(track.slices[row])
        affine = grid.affine.copy()
        affine[:3, 3] = (grid.affine @ [*start, level, 1.0])[:3]
        aorta = track.centres_mm[row] - start * grid.spacing[:2]
        (x_start, x_stop), (y_start, y_stop) = bounds.tolist()
        meta = {
            PatchColumn.SLICE: level,
            PatchColumn.CENTRE_X: float(aorta[0]),
            PatchColumn.CENTRE_Y: float(aorta[1]),
            PatchColumn.DIAMETER: float(track.diameters_mm[row]),
            PatchColumn.CONFIDENCE: float(track.confidence[row]),
            PatchColumn.PADDED: 1.0 - (x_stop - x_start) * (y_stop - y_start) / self.size**2,
            PatchColumn.VALID_X_START: x_start,
            PatchColumn.VALID_X_STOP: x_stop,
            PatchColumn.VALID_Y_START: y_start,
            PatchColumn.VALID_Y_STOP: y_stop,
            **noted,
        }
        return MetaTensor(from_numpy(pixels)[None], affine=as_tensor(affine), meta=meta)


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

_WINDOW = (PatchColumn.INTENSITY_LOW, PatchColumn.INTENSITY_HIGH)


def _inside(start: int, size: int, side: int) -> int:
    """The start nearest to the wished one with the patch inside the side; in the middle when the side is too short."""
    return (side - size) // 2 if side < size else int(np.clip(start, 0, side - size))
