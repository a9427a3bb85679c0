"""What every function over volumes asks of its input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["checked_seed", "checked_spacing", "checked_volume"]


def checked_volume(volume: np.ndarray) -> np.ndarray:
    """The volume as float32, if it is one.

    Raises:
        ValueError: when it is not three-dimensional, is empty, holds NaN or infinity, or has one value only.
    """
    volume = np.asarray(volume, dtype=np.float32)
    if volume.ndim != 3:
        raise ValueError(
            f"the volume has shape {volume.shape}: expected three axes (X, Y, Z); select one volume first."
        )
    if volume.size == 0:
        raise ValueError(f"the volume has shape {volume.shape} and no voxels: check how it was cropped or written.")
    lowest, highest = float(volume.min()), float(volume.max())
    if not np.isfinite(lowest) or not np.isfinite(highest):
        count = int((~np.isfinite(volume)).sum())
        raise ValueError(f"{count} of {volume.size} voxels are NaN or infinite: replace or mask them before this step.")
    if lowest == highest:
        raise ValueError(
            f"every voxel has the value {lowest:g}: an image with contrast is needed; was the file written fully?"
        )
    return volume


def checked_spacing(spacing: Sequence[float] | np.ndarray) -> np.ndarray:
    """The spacing as three positive float64 millimetres.

    Raises:
        ValueError: when there are not three values or one is not positive and finite.
    """
    values = np.asarray(spacing, dtype=np.float64)
    if values.shape != (3,) or not np.all(np.isfinite(values) & (values > 0)):
        raise ValueError(f"the spacing is {list(np.atleast_1d(values))}: expected three positive voxel sizes in mm.")
    return values


def checked_seed(seed: Sequence[float] | np.ndarray, shape: tuple[int, ...], spacing: np.ndarray) -> np.ndarray:
    """The seed as three float64 millimetres inside the volume.

    Raises:
        ValueError: when it has not three finite values or lies outside the volume.
    """
    values = np.asarray(seed, dtype=np.float64)
    extent = (np.array(shape) - 1) * spacing
    if values.shape != (3,) or not np.all(np.isfinite(values)):
        raise ValueError(f"the seed is {list(np.atleast_1d(values))}: expected three coordinates in mm.")
    if np.any(values < 0) or np.any(values > extent):
        raise ValueError(
            f"the seed {values.tolist()} mm lies outside the volume, which reaches from [0, 0, 0] to {extent.tolist()} mm "
            "from the first voxel's centre: check whether it was given in voxels or in scanner coordinates."
        )
    return values
