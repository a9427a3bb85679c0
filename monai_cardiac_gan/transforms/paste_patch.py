"""Put an inpainted patch back into the volume that it was cut from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.data import MetaTensor
from scipy import ndimage
from torch import Tensor

__all__ = ["paste_patch"]

SATURATED = 0.99
"""Patches are clipped to [-1, 1]; pixels beyond this tell nothing about the volume's brightness."""
LEAST_PIXELS = 10
"""Known voxels that are needed to learn the brightness of the volume."""
EDGE_TOLERANCE = 1e-4
"""Voxels; centres of voxels that meet those of pixels are not lost to rounding."""


def paste_patch(volume: MetaTensor, patch: MetaTensor, inpainted: Tensor, mask: Tensor) -> MetaTensor:
    r"""A copy of the volume whose voxels behind the mask have the inpainted brightness.

    A voxel is changed when its centre lies in the patch's slice (within half of its thickness) and its nearest pixel is
    hidden; it gets the linear interpolation of the inpainted patch there. The patch's brightness is turned into the
    volume's by the line :math:`v = a p + b` that fits the acquired patch to the volume's voxels around the mask best
    (least squares). All other voxels stay as they are. Where patch and volume share a grid nothing is interpolated.

    Args:
        volume: (1, X, Y, Z), any spacing and orientation.
        patch: the acquired patch (1, H, W), -1 to 1, whose affine maps (row, column, 0) to the volume's millimetres, as
            `CropAortaPatches` gives it.
        inpainted: (1, H, W) the same with its mask filled.
        mask: (H, W) or (1, H, W) bool, true where pixels were painted.

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
    mask = torch.as_tensor(mask).as_subclass(Tensor).reshape(mask.shape[-2:]).bool()
    _check(volume, patch, inpainted, mask)
    places, voxels = _voxels_of_slice(volume, patch)
    rows, columns = places
    nearest = [np.clip(np.rint(axis).astype(int), 0, size - 1) for axis, size in zip(places, mask.shape, strict=True)]
    hidden = mask.cpu().numpy()[tuple(nearest)]
    if not hidden.any():
        raise ValueError("no voxel of the volume lies behind the mask: give the volume that the patch was cut from.")
    values = volume[0].as_tensor()[voxels].double().cpu().numpy()
    slope, offset = _brightness(_sampled(patch, rows, columns), values, ~hidden)
    painted = slope * _sampled(inpainted, rows[hidden], columns[hidden]) + offset
    changed = volume.clone()
    chosen = tuple(axis[hidden] for axis in voxels)
    changed[0].as_tensor()[chosen] = torch.from_numpy(painted).to(volume.as_tensor())
    return changed


def _voxels_of_slice(volume: MetaTensor, patch: MetaTensor) -> tuple[list[np.ndarray], tuple[np.ndarray, ...]]:
    """Rows and columns in the patch, and indices in the volume, of the voxels whose centres lie in the patch's slice."""
    to_patch = np.linalg.inv(np.asarray(patch.affine, dtype=np.float64)) @ np.asarray(volume.affine, dtype=np.float64)
    height, width = patch.shape[1:]
    ranges = _bounding_box(np.linalg.inv(to_patch), (height, width), volume.shape[1:])
    grid = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3)
    row, column, level = (grid @ to_patch[:3, :3].T + to_patch[:3, 3]).T
    inside = (row >= -EDGE_TOLERANCE) & (row <= height - 1 + EDGE_TOLERANCE)
    inside &= (column >= -EDGE_TOLERANCE) & (column <= width - 1 + EDGE_TOLERANCE)
    inside &= (level >= -0.5) & (level < 0.5)
    return [row[inside], column[inside]], tuple(grid[inside].T)


def _bounding_box(to_volume: np.ndarray, plane: Sequence[int], shape: Sequence[int]) -> list[np.ndarray]:
    """Ranges of voxel indices that hold the whole slice."""
    corners = [(r, c, z, 1) for r in (0, plane[0] - 1) for c in (0, plane[1] - 1) for z in (-0.5, 0.5)]
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


def _check(volume: MetaTensor, patch: MetaTensor, inpainted: Tensor, mask: Tensor) -> None:
    if volume.ndim != 4 or len(volume) != 1 or patch.ndim != 3 or len(patch) != 1:
        raise ValueError(
            f"the volume is {tuple(volume.shape)} and the patch {tuple(patch.shape)}: expected (1, X, Y, Z) and (1, H, W)."
        )
    if inpainted.shape != patch.shape or mask.shape != patch.shape[1:]:
        raise ValueError(
            f"the inpainted patch is {tuple(inpainted.shape)} and the mask {tuple(mask.shape)}: expected {tuple(patch.shape)} "
            f"and {tuple(patch.shape[1:])}, as the patch."
        )
