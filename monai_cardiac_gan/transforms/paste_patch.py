"""Put inpainted patches back into the volume that they were cut from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.data import MetaTensor
from scipy import ndimage
from torch import Tensor

__all__ = ["VolumePainter", "paste_patch"]

SATURATED = 0.99
"""Patches are clipped to [-1, 1]; pixels beyond this tell nothing about the volume's brightness."""
LEAST_PIXELS = 10
"""Known voxels that are needed to learn the brightness of the volume."""
EDGE_TOLERANCE = 1e-4
"""Voxels; centres of voxels that meet those of pixels are not lost to rounding."""


class VolumePainter:
    r"""A volume into which inpainted patches are put one after the other, by the volume's own slices.

    A voxel shows the patch whose plane is nearest to its centre, of those within reach; where that patch's nearest pixel is
    hidden, it gets the linear interpolation of the inpainted patch. All other voxels stay as they are. The patch's brightness
    is turned into the volume's by the line :math:`v = a p + b` that fits the acquired patch to the volume's voxels around the
    mask best (least squares).

    Args:
        volume: (1, X, Y, Z), any spacing and orientation; it stays as it is.
        step_mm: distance between the planes of neighbouring patches. A patch reaches half of it to either side, so that every
            slice between them is painted; but at least half of its own thickness, and half of the distance between the
            volume's slices, so that it finds one. None is a patch on its own.

    Attributes:
        acquired: the volume that was given.
        volume: (1, X, Y, Z) with what was painted so far.
        painted: (1, X, Y, Z) bool, which voxels were.

    Raises:
        ValueError: when the volume has not one channel and three axes, or the step is not positive.

    Example:
        >>> volume = MetaTensor(torch.arange(4 * 4 * 3.0).view(1, 4, 4, 3), affine=torch.eye(4))
        >>> affine = torch.eye(4)
        >>> affine[2, 3] = 1.0
        >>> patch = MetaTensor((volume[..., 1] - 24) / 24, affine=affine)
        >>> mask = torch.zeros(4, 4, dtype=torch.bool)
        >>> mask[2, 2] = True
        >>> painter = VolumePainter(volume, step_mm=2.5)
        >>> painter.add(patch, torch.where(mask, -1.0, patch), mask)
        >>> int(painter.painted.sum()), painter.painted[0, 2, 2].tolist()
        (3, [True, True, True])
    """

    def __init__(self, volume: MetaTensor, step_mm: float | None = None) -> None:
        if volume.ndim != 4 or len(volume) != 1:
            raise ValueError(f"the volume is {tuple(volume.shape)}: expected (1, X, Y, Z).")
        if step_mm is not None and step_mm <= 0:
            raise ValueError(f"step_mm is {step_mm}: expected more than 0, the distance between the patches.")
        self.acquired, self.step_mm = volume, step_mm
        self.volume = volume.clone()
        self.painted = torch.zeros(volume.shape, dtype=torch.bool)
        self._nearest = np.full(volume.shape[1:], np.inf, dtype=np.float32)

    def add(self, patch: MetaTensor, inpainted: Tensor, mask: Tensor) -> None:
        """Paint one patch.

        Args:
            patch: the acquired patch (1, H, W), -1 to 1, whose affine maps (row, column, 0) to the volume's millimetres, as
                `CropAortaPatches` gives it.
            inpainted: (1, H, W) the same with its mask filled.
            mask: (H, W) or (1, H, W) bool, true where pixels were painted.

        Raises:
            ValueError: when shapes do not fit, no voxel lies behind the mask, or too few voxels around it tell the
                brightness; the volume is then as it was before.
        """
        mask = torch.as_tensor(mask).as_subclass(Tensor).reshape(mask.shape[-2:]).bool()
        _check(patch, inpainted, mask)
        (rows, columns), distance, voxels = self._within_reach(patch)
        pixels = [
            np.clip(np.rint(axis).astype(int), 0, size - 1)
            for axis, size in zip((rows, columns), mask.shape, strict=True)
        ]
        hidden = mask.cpu().numpy()[tuple(pixels)]
        if not hidden.any():
            raise ValueError(
                "no voxel of the volume lies behind the mask: give the volume that the patch was cut from."
            )
        acquired = self.acquired[0].as_tensor()[voxels]
        slope, offset = _brightness(_sampled(patch, rows, columns), acquired.double().cpu().numpy(), ~hidden)
        shown = np.where(hidden, slope * _sampled(inpainted, rows, columns) + offset, 0.0)
        values = torch.where(torch.from_numpy(hidden).to(acquired.device), _as_type_of(acquired, shown), acquired)
        nearer = distance < self._nearest[voxels]
        chosen = tuple(axis[nearer] for axis in voxels)
        self._nearest[chosen] = distance[nearer]
        self.volume[0].as_tensor()[chosen] = values[torch.from_numpy(nearer)]
        self.painted[0][chosen] = torch.from_numpy(hidden[nearer])

    def _within_reach(self, patch: MetaTensor) -> tuple[list[np.ndarray], np.ndarray, tuple[np.ndarray, ...]]:
        """Rows and columns in the patch, distance from its plane (mm), and indices of the voxels that it may paint."""
        to_volume = np.linalg.inv(np.asarray(self.acquired.affine, float)) @ np.asarray(patch.affine, float)
        thickness = float(np.linalg.norm(np.asarray(patch.affine, float)[:3, 2]))
        # the axis of the volume that leads fastest out of the plane counts its slices
        slices = 1.0 / np.abs(to_volume[:3, 2]).max()
        reach = max((self.step_mm or 0.0) / thickness, 1.0, slices) / 2
        height, width = patch.shape[1:]
        ranges = _bounding_box(to_volume, (height, width), reach, self.acquired.shape[1:])
        grid = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3)
        to_patch = np.linalg.inv(to_volume)
        row, column, level = (grid @ to_patch[:3, :3].T + to_patch[:3, 3]).T
        inside = (row >= -EDGE_TOLERANCE) & (row <= height - 1 + EDGE_TOLERANCE)
        inside &= (column >= -EDGE_TOLERANCE) & (column <= width - 1 + EDGE_TOLERANCE)
        # a slice half way between two patches belongs to the upper one, whatever rounding says
        inside &= (level >= -reach - EDGE_TOLERANCE) & (level < reach - EDGE_TOLERANCE)
        distance = np.abs(level[inside] * thickness).astype(np.float32)
        return [row[inside], column[inside]], distance, tuple(grid[inside].T)


def paste_patch(
    volume: MetaTensor, patch: MetaTensor, inpainted: Tensor, mask: Tensor, step_mm: float | None = None
) -> MetaTensor:
    r"""A copy of the volume whose voxels behind the mask have the inpainted brightness; see `VolumePainter`.

    Args:
        volume: (1, X, Y, Z), any spacing and orientation.
        patch: the acquired patch (1, H, W), see `VolumePainter.add`.
        inpainted: (1, H, W) the same with its mask filled.
        mask: (H, W) or (1, H, W) bool, true where pixels were painted.
        step_mm: distance between neighbouring patches, see `VolumePainter`.

    Returns:
        The volume, with the type, affine and metadata of the one given.

    Raises:
        ValueError: when shapes do not fit, no voxel lies behind the mask, or too few voxels around it tell the brightness.

    Example:
        >>> volume = MetaTensor(torch.arange(4 * 4 * 3.0).view(1, 4, 4, 3), affine=torch.eye(4))
        >>> affine = torch.eye(4)
        >>> affine[2, 3] = 1.0
        >>> patch = MetaTensor((volume[..., 1] - 24) / 24, affine=affine)
        >>> mask = torch.zeros(4, 4, dtype=torch.bool)
        >>> mask[2, 2] = True
        >>> pasted = paste_patch(volume, patch, torch.where(mask, -1.0, patch), mask)
        >>> pasted[0, 2, 2].abs().round().tolist(), int((pasted != volume).sum())
        ([30.0, 0.0, 32.0], 1)
    """
    painter = VolumePainter(volume, step_mm)
    painter.add(patch, inpainted, mask)
    return painter.volume


def _bounding_box(to_volume: np.ndarray, plane: Sequence[int], reach: float, shape: Sequence[int]) -> list[np.ndarray]:
    """Ranges of voxel indices that hold all within reach of the plane."""
    corners = [(r, c, z, 1) for r in (0, plane[0] - 1) for c in (0, plane[1] - 1) for z in (-reach, reach)]
    reached = (np.array(corners) @ to_volume.T)[:, :3]
    low, high = np.floor(reached.min(0)).astype(int), np.ceil(reached.max(0)).astype(int)
    return [np.arange(max(0, a), min(b + 1, size)) for a, b, size in zip(low, high, shape, strict=True)]


def _sampled(image: Tensor, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    pixels = torch.as_tensor(image).as_subclass(Tensor)[0].double().cpu().numpy()
    return ndimage.map_coordinates(pixels, [rows, columns], order=1, mode="nearest")


def _brightness(pixels: np.ndarray, values: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """Slope and offset from the patch's brightness to the volume's."""
    usable = known & (np.abs(pixels) < SATURATED)
    if usable.sum() < LEAST_PIXELS or np.ptp(pixels[usable]) == 0:
        raise ValueError(
            f"{int(usable.sum())} voxels around the mask with different brightness: expected at least {LEAST_PIXELS}; give "
            "the acquired patch of this volume, scaled to [-1, 1]."
        )
    slope, offset = np.polyfit(pixels[usable], values[usable], 1)
    return float(slope), float(offset)


def _as_type_of(voxels: Tensor, values: np.ndarray) -> Tensor:
    """Values in the volume's type; integers are rounded and stay in their range, they neither truncate nor wrap around."""
    if not voxels.is_floating_point():
        limits = torch.iinfo(voxels.dtype)
        values = np.rint(values).clip(limits.min, limits.max)
    return torch.from_numpy(values).to(voxels)


def _check(patch: MetaTensor, inpainted: Tensor, mask: Tensor) -> None:
    if patch.ndim != 3 or len(patch) != 1:
        raise ValueError(f"the patch is {tuple(patch.shape)}: expected (1, H, W).")
    if inpainted.shape != patch.shape or mask.shape != patch.shape[1:]:
        raise ValueError(
            f"the inpainted patch is {tuple(inpainted.shape)} and the mask {tuple(mask.shape)}: expected {tuple(patch.shape)} "
            f"and {tuple(patch.shape[1:])}, as the patch."
        )
