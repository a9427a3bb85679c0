"""Voxels that were not scanned: what a header or a resampling filled them with."""

from __future__ import annotations

import numpy as np

__all__ = ["lowest_scanned"]

AIR_PERCENTILE, BLOOD_PERCENTILE = 5.0, 99.0
"""Of the voxels above the lowest: air, and bright blood; values between padding and air, which interpolation makes at the border
of the scanned field, are fewer than the 5 %."""
GAP = 0.05
"""Share of the range from air to blood without any value, below which values were not scanned; noise has no gaps."""
DEEP = 0.5
"""Share of that range by which no scanned value lies below air; in 14 scanned volumes it is at most 0.01."""
SHALLOW = 0.1
"""How far below air values count as scanned where others lie deeper."""
SAMPLE = 100_000
"""Voxels that percentiles are taken of, evenly spaced."""


def lowest_scanned(volume: np.ndarray) -> float:
    """The lowest brightness that was scanned: padding values such as -1024 or -32768, in few voxels or in many, do not count.

    Magnitudes are not negative, so that a lowest value of 0 or more was scanned. Otherwise air is the 5th percentile of all
    voxels above the lowest value, blood their 99th. A lowest value was not scanned, but is padding, if the next one is higher by
    more than a twentieth of the range from air to blood. Where values then still lie below air by more than half of that range,
    interpolation left them between padding and image, and only a tenth counts.

    Args:
        volume: any shape and unit, finite; bright blood on dark air.

    Raises:
        ValueError: when a value is not finite.

    Example:
        >>> image = np.linspace(0, 1000, 2000)
        >>> image[::10] = -1024
        >>> lowest_scanned(np.linspace(0, 1000, 2001)), round(lowest_scanned(image), 2)
        (0.0, 0.5)
    """
    scanned = np.asarray(volume).ravel()
    if not np.isfinite(scanned).all():
        raise ValueError("the volume holds NaN or infinite voxels: expected finite ones; repair it first.")
    lowest = scanned.min()
    while lowest < 0:
        above = scanned[scanned > lowest]
        if not above.size:
            return float(lowest)
        air, blood = np.percentile(above[:: max(1, above.size // SAMPLE)], [AIR_PERCENTILE, BLOOD_PERCENTILE])
        if air == blood:
            return float(lowest)
        if above.min() - lowest <= GAP * (blood - air):
            least = lowest if air - lowest <= DEEP * (blood - air) else air - SHALLOW * (blood - air)
            return float(scanned[scanned >= least].min())
        scanned, lowest = above, above.min()
    return float(lowest)
