"""Voxels that were not scanned: what a header or a resampling filled them with."""

from __future__ import annotations

import numpy as np

__all__ = ["lowest_scanned"]

AIR_PERCENTILE, BLOOD_PERCENTILE = 5.0, 99.0
"""Of the voxels above the lowest: air, and bright blood; values between padding and air, which interpolation makes at the border
of the scanned field, are fewer than the 5 %."""
GAP = 0.1
"""Share of the range from air to blood by which padding lies below air; in 14 scanned volumes the lowest value lies at most
0.02 of it below."""


def lowest_scanned(volume: np.ndarray) -> float:
    """The lowest brightness that was scanned: padding values such as -1024 or -32768, in few voxels or in many, do not count.

    The lowest value counts as padding if it lies far below the 5th percentile of all voxels that are brighter, by more than a
    tenth of the range from there to the 99th percentile; that percentile is then returned, so that clipping to it also
    removes what interpolation left between padding and image.

    Args:
        volume: any shape and unit, finite; bright blood on dark air.

    Raises:
        ValueError: when a value is not finite.

    Example:
        >>> image = np.linspace(0, 1000, 2000)
        >>> image[:100] = -1024
        >>> lowest_scanned(np.linspace(0, 1000, 2000)), round(lowest_scanned(image))
        (0.0, 98)
    """
    volume = np.asarray(volume)
    if not np.isfinite(volume).all():
        raise ValueError("the volume holds NaN or infinite voxels: expected finite ones; repair it first.")
    lowest = volume.min()
    scanned = volume[volume > lowest]
    if not scanned.size:
        return float(lowest)
    air, blood = np.percentile(scanned, [AIR_PERCENTILE, BLOOD_PERCENTILE])
    return float(air if air - float(lowest) > GAP * (blood - air) else lowest)
