"""Where the descending aorta ends: at the arch, where its cross-section opens, and where its rim fades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from monai_cardiac_gan.aorta.refine import brightness_along_rays

__all__ = ["Rims", "below_the_arch", "rims_of"]

RAYS = 24
"""Rays that leave each centre; an arch that opens spans five to seven of them."""
INSIDE, RIM, BEYOND = (0.0, 0.15, 0.3, 0.45, 0.6), (0.8, 0.9, 1.0), (1.1, 1.2, 1.3, 1.4, 1.5)
"""Distances from the centre, in units of the radius, that are blood, rim, and what lies beyond it."""
LIKE_BLOOD = 0.4
"""Deviation from the blood's brightness, as a share of the rims' usual height, up to which a place counts as blood."""
OPEN_SHARE = 0.1
"""Share of rays on which blood goes on beyond the rim, from which on a cross-section is open: the arch reaches 0.12 to 0.46 in
fourteen volumes, nine of ten slices below it 0 to 0.04, branches of the abdominal aorta 0.08."""
OPEN_MM = 3.0
"""Height over which it must be open."""
ARCH_MM = 70.0
"""How far below the track's upper end the arch is looked for."""
SAME_WIDTH, GOES_ON_MM = (0.75, 1.33), 10.0
"""A closed vessel of nearly the same width that goes on for this long above an opening only touched another one there."""


@dataclass(frozen=True)
class Rims:
    """How a track's circles stand out, one entry per slice.

    Attributes:
        height: (n,) brightness inside less that of the darkest place beyond the rim, the median over the rays, in the volume's
            unit; where the wall is brighter than the blood, the largest difference whatever its sign.
        open: (n,) share of the rays on which brightness stays the blood's from the centre to beyond the rim, 0 to 1.
    """

    height: np.ndarray
    open: np.ndarray


def rims_of(
    volume: np.ndarray,
    spacing: np.ndarray,
    slices: np.ndarray,
    centres_mm: np.ndarray,
    radii_mm: np.ndarray,
    walled: bool = False,
) -> Rims:
    """Compare what lies beyond each circle's rim with the blood inside.

    Args:
        volume: (X, Y, Z).
        spacing: (3,) mm.
        slices: (n,) indices along Z.
        centres_mm: (n, 2) mm from the first voxel's centre.
        radii_mm: (n,).
        walled: whether the rim is a wall brighter than the blood (`refine.has_bright_wall`).
    """
    steps = np.array(INSIDE + RIM + BEYOND)
    brightness = brightness_along_rays(volume, spacing, slices, centres_mm, radii_mm[:, None] * steps, RAYS)
    inside = brightness[..., : len(INSIDE)].mean((1, 2))[:, None, None]
    fall = inside - brightness[..., len(INSIDE) :]
    beyond = fall[..., len(RIM) :]
    height = np.median((np.abs(beyond) if walled else beyond).max(-1), axis=1)
    # the usual height, as a share of the blood's brightness, follows contrast, and the coils' fall-off does not count
    usual = np.median(height / np.maximum(inside[:, 0, 0], np.finfo(np.float32).tiny))
    return Rims(height, (np.abs(fall) < LIKE_BLOOD * usual * np.abs(inside)).all(-1).mean(1))


def below_the_arch(kept: np.ndarray, rims: Rims, radii_mm: np.ndarray, slice_mm: float) -> np.ndarray:
    """The believed slices without those from the arch on: where the cross-section opens and no vessel as wide goes on above.

    Args:
        kept: (n,) boolean, from feet to head.
        rims: of the same slices.
        radii_mm: (n,).
        slice_mm: distance of two slices.
    """
    rows = np.flatnonzero(kept)
    if not len(rows):
        return kept
    opened = (rims.open >= OPEN_SHARE) & (np.arange(len(kept)) > rows[-1] - ARCH_MM / slice_mm)
    runs, count = ndimage.label(opened)
    for run in range(1, count + 1):
        first, last = np.flatnonzero(runs == run)[[0, -1]]
        if (last - first + 1) * slice_mm < OPEN_MM or first > rows[-1]:
            continue
        if not _goes_on(kept, radii_mm, first, last, GOES_ON_MM / slice_mm):
            return kept & (np.arange(len(kept)) < first)
    return kept


def _goes_on(kept: np.ndarray, radii_mm: np.ndarray, first: int, last: int, count: float) -> bool:
    """Whether a vessel as wide as below an opening is believed above it."""
    below = np.median(radii_mm[max(0, first - int(count)) : first + 1])
    above = slice(last + 1, last + 2 + int(count))
    ratio = radii_mm[above] / below
    alike = kept[above] & (ratio > SAME_WIDTH[0]) & (ratio < SAME_WIDTH[1])
    return bool(alike.sum() >= count)
