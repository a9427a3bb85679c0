"""Voxels that were not scanned: what a header or a resampling filled them with."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["above_air", "lowest_scanned", "scanned_range"]

AIR_PERCENTILE, BLOOD_PERCENTILE = 5.0, 99.0
"""Of the voxels above the lowest: air, and bright blood; values between padding and air, which interpolation makes at the border
of the scanned field, are fewer than the 5 %."""
GAP = 0.05
"""Share of the range from air to blood without any value, below which values were not scanned; noise has no gaps."""
DEEP = 0.5
"""Share of that range by which no scanned value lies below air; in 14 scanned volumes it is at most 0.01."""
SHALLOW = 0.1
"""How far below air values count as scanned where others lie deeper."""
BRIGHT_PERCENTILE = 95.0
"""Of the voxels below bright padding: bright tissue or blood, whatever interpolation makes at the border."""
PADDED_SHARE = 0.005
"""Least share of the voxels that bright padding fills; fewer do not move the percentiles in use."""
FEWEST = 8
"""Voxels of one value that may be bright padding: a corner of 2 x 2 x 2."""
FULL_SCALES = (4095.0, 32767.0, 65535.0)
"""Largest values of 12, 15 and 16 bits."""
REACH = 2
"""Voxels around padding to which interpolation carries it."""
ROUNDING = 1e-5
"""Share of the highest value in which interpolation of equal values differs, in 32-bit floats."""
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
    scanned = _finite(volume).ravel()
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


def scanned_range(volume: np.ndarray) -> tuple[float, float]:
    """Lowest and highest value of a volume that were scanned; the minimum and the maximum where nothing is padded.

    The highest value is padding if it fills at least 0.5 % of the voxels, lies in a corner of the volume (or is the largest
    value of 12, 15 or 16 bits), and there is a gap beneath it as in `lowest_scanned`, which then finds the lowest of the others.
    Interpolation may have filled the gap at the border of such a corner: values within two voxels of it do not close it.

    Args:
        volume: any shape and unit, finite; bright blood on dark air.

    Raises:
        ValueError: when a value is not finite.

    Example:
        >>> image = np.linspace(0, 1000, 2000)
        >>> image[:200] = 4095
        >>> low, high = scanned_range(image)
        >>> round(low), high
        (100, 1000.0)
    """
    scanned = _finite(volume)
    high = _highest_scanned(scanned)
    return lowest_scanned(scanned if high == scanned.max() else scanned[scanned <= high]), high


def above_air(volume: np.ndarray) -> np.ndarray:
    """Brightness above the lowest scanned value; 0 in padding.

    Args:
        volume: float32, any shape, finite.

    Raises:
        ValueError: when a value is not finite.

    Example:
        >>> above_air(np.array([5, -1024, 205, 55], np.float32)).tolist()
        [0.0, 0.0, 200.0, 50.0]
    """
    low, high = scanned_range(volume)
    above = np.maximum(volume - np.float32(low), 0)
    above[volume > high] = 0
    return above


def _finite(volume: np.ndarray) -> np.ndarray:
    array = np.asarray(volume)
    if not np.isfinite(array).all():
        raise ValueError("the volume holds NaN or infinite voxels: expected finite ones; repair it first.")
    return array


def _highest_scanned(volume: np.ndarray) -> float:
    corners = volume[np.ix_(*[(0, -1)] * volume.ndim)]
    highest = volume.max()
    while True:
        least = highest - ROUNDING * abs(highest)
        in_corner = bool(((corners >= least) & (corners <= highest)).any())
        is_full = volume >= least
        filled = np.count_nonzero(is_full & (volume <= highest)) if in_corner or highest in FULL_SCALES else 0
        below = volume[~is_full] if filled >= max(FEWEST, PADDED_SHARE * volume.size) else volume[:0]
        if not below.size:
            return float(highest)
        air, bright = np.percentile(below[:: max(1, below.size // SAMPLE)], [AIR_PERCENTILE, BRIGHT_PERCENTILE])
        gap = GAP * (bright - air)
        far = volume[~ndimage.binary_dilation(is_full, iterations=REACH)] if in_corner else below
        top = far.max() if far.size else below.max()
        if highest - top <= gap or not gap:
            return float(highest)
        highest = below.max() if below.max() - top <= gap else top
