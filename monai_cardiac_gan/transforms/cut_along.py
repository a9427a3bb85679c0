"""Axial patches along a course, on the volume's own slices: what is painted there goes back without resampling along the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from monai.data import MetaTensor
from scipy import ndimage
from torch import Tensor

from monai_cardiac_gan.transforms.ras_volume import RasVolume

__all__ = ["CoursePatches", "cut_along", "spread_along"]


@dataclass(frozen=True)
class CoursePatches:
    """Patches along a course.

    Attributes:
        pixels: (N, 1, S, S) float32.
        valid: (N, 1, S, S) bool, true inside the field of view.
        affines: (N, 4, 4) from (row, column, 0, 1) to scanner millimetres.
        slices: (N,) indices along the volume's third axis.
    """

    pixels: Tensor
    valid: Tensor
    affines: np.ndarray
    slices: np.ndarray

    def patch(self, index: int) -> MetaTensor:
        """One of them (1, S, S) with its affine."""
        return MetaTensor(self.pixels[index], affine=torch.from_numpy(self.affines[index]))

    def __len__(self) -> int:
        return len(self.slices)


def cut_along(
    image: Tensor, slices: np.ndarray, centres_mm: np.ndarray, size: int = 128, pixel_mm: float = 1.0
) -> CoursePatches:
    """Cut a square around each centre, which lies on pixel ``size // 2`` exactly, by linear interpolation in the slice.

    `CropAortaPatches` puts patches on one grid for a whole volume, which is right for a patch set; here each follows the course
    without steps of a pixel.

    Args:
        image: `MetaTensor` (1, X, Y, Z) in RAS+ axes.
        slices: (N,) indices along the third axis.
        centres_mm: (N, 2) along the first and second axis, mm from the first voxel's centre.
        size: S, side of a patch, pixels.
        pixel_mm: side of a pixel.

    Raises:
        ValueError: when the image is no RAS+ volume, shapes do not fit, a centre is not finite, a slice lies outside, or a
            length is not positive.

    Example:
        >>> image = MetaTensor(torch.arange(64.0).view(1, 8, 8, 1), affine=torch.eye(4))
        >>> found = cut_along(image, np.array([0]), np.array([[3.5, 4.0]]), size=2)
        >>> found.pixels[0, 0].tolist(), found.affines[0][:2, 3].tolist()
        ([[23.0, 24.0], [31.0, 32.0]], [2.5, 3.0])
    """
    volume = RasVolume(image)
    slices, centres_mm = np.asarray(slices, dtype=np.int64), np.asarray(centres_mm, dtype=np.float64)
    _refuse_odd(slices, centres_mm, size, pixel_mm, volume.array.shape[2])
    offsets = (np.arange(size) - size // 2) * pixel_mm
    pixels = np.full((len(slices), 1, size, size), volume.array.min(), dtype=np.float32)
    valid = np.zeros(pixels.shape, dtype=bool)
    affines = np.tile(volume.affine, (len(slices), 1, 1))
    for row, (level, centre) in enumerate(zip(slices, centres_mm, strict=True)):
        places = [(centre[axis] + offsets) / volume.spacing[axis] for axis in (0, 1)]
        # a voxel reaches half its side beyond its centre
        inside = [(p >= -0.5) & (p <= side - 0.5) for p, side in zip(places, volume.array.shape[:2], strict=True)]
        valid[row, 0] = np.logical_and.outer(*inside)
        sampled = ndimage.map_coordinates(
            volume.array[:, :, level], np.meshgrid(*places, indexing="ij"), output=np.float32, order=1, mode="nearest"
        )
        pixels[row, 0][valid[row, 0]] = sampled[valid[row, 0]]
        affines[row, :3, :2] *= pixel_mm / volume.spacing[:2]
        affines[row, :3, 3] = (volume.affine @ [places[0][0], places[1][0], level, 1.0])[:3]
    return CoursePatches(torch.from_numpy(pixels), torch.from_numpy(valid), affines, slices)


def _refuse_odd(slices: np.ndarray, centres_mm: np.ndarray, size: int, pixel_mm: float, count: int) -> None:
    if slices.ndim != 1 or centres_mm.shape != (slices.size, 2) or size < 1 or not pixel_mm > 0:
        raise ValueError(
            f"slices {slices.shape}, centres {centres_mm.shape}, size {size}, pixel {pixel_mm} mm: expected (N,), (N, 2) and "
            "positive lengths."
        )
    if not np.isfinite(centres_mm).all():
        raise ValueError("a centre is not finite: expected millimetres; leave out slices without one.")
    if len(slices) and not (slices.min() >= 0 and slices.max() < count):
        raise ValueError(f"slices {slices.min()} to {slices.max()}: the volume has 0 to {count - 1}.")


def spread_along(image: Tensor, patches: CoursePatches, values: np.ndarray, mask: Tensor) -> MetaTensor:
    """The other way: values of patches on the voxels of their slices, by linear interpolation; 0 elsewhere.

    Args:
        image: the volume (1, X, Y, Z) in RAS+ axes that the patches were cut from.
        patches: as `cut_along` cut them.
        values: (N, S, S) of each pixel.
        mask: (S, S) bool, pixels whose values are taken.

    Returns:
        `MetaTensor` (1, X, Y, Z) float32.

    Raises:
        ValueError: when the image is no RAS+ volume, or shapes do not fit.

    Example:
        >>> image = MetaTensor(torch.arange(64.0).view(1, 8, 8, 1), affine=torch.eye(4))
        >>> found = cut_along(image, np.array([0]), np.array([[3.0, 4.0]]), size=4)
        >>> back = spread_along(image, found, found.pixels[:, 0].numpy(), torch.ones(4, 4, dtype=torch.bool))
        >>> torch.equal(back[0, 1:5, 2:6], image[0, 1:5, 2:6]), float(back[0, 7, 7, 0])
        (True, 0.0)
    """
    volume = RasVolume(image)
    if values.shape != tuple(patches.pixels[:, 0].shape) or tuple(mask.shape) != values.shape[1:]:
        raise ValueError(
            f"values are {values.shape} and the mask {tuple(mask.shape)}: expected {tuple(patches.pixels[:, 0].shape)} and "
            "the shape of one of its patches."
        )
    spread = np.zeros(volume.array.shape, np.float32)
    inside = mask.numpy()
    for affine, level, pixels in zip(patches.affines, patches.slices, values, strict=True):
        rows, columns = _voxels_of(inside, np.linalg.inv(volume.affine) @ affine, spread.shape)
        voxels = np.stack([rows, columns, np.full(rows.size, level), np.ones(rows.size)])
        places = (np.linalg.inv(affine) @ volume.affine @ voxels)[:2]
        nearest = np.rint(places).astype(int)
        taken = ((nearest >= 0) & (nearest < values.shape[1])).all(0)
        taken[taken] = inside[tuple(nearest[:, taken])]
        found = ndimage.map_coordinates(pixels, places[:, taken], order=1, mode="nearest")
        spread[rows[taken], columns[taken], level] = found
    return MetaTensor(torch.from_numpy(spread)[None], affine=torch.from_numpy(volume.affine))


def _voxels_of(mask: np.ndarray, to_volume: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """First and second indices of the voxels in the box around a patch's mask."""
    ends = [np.flatnonzero(mask.any(axis))[[0, -1]] if mask.any() else np.zeros(2) for axis in (1, 0)]
    corners = np.array([(row, column, 0, 1) for row in ends[0] for column in ends[1]])
    reached = (corners @ to_volume.T)[:, :2]
    low, high = np.floor(reached.min(0)).astype(int) - 1, np.ceil(reached.max(0)).astype(int) + 2
    ranges = [np.arange(max(0, a), min(b, side)) for a, b, side in zip(low, high, shape[:2], strict=True)]
    rows, columns = np.meshgrid(*ranges, indexing="ij")
    return rows.ravel(), columns.ravel()
