"""Landmarks along the descending aorta: the arch above it, and the diaphragm beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from monai_cardiac_gan.aorta.ends import OPEN_MM, OPEN_SHARE, rims_of
from monai_cardiac_gan.aorta.refine import has_bright_wall
from monai_cardiac_gan.aorta.track import AortaTrack
from monai_cardiac_gan.padding import above_air

__all__ = ["Landmarks", "find_landmarks"]

ABOVE_TOP_MM = 15.0
"""Height above the track over which an opening is looked at."""
BEGINS_MM = 5.0
"""How far above the track it may begin, if the track ends at the arch: 0 to 3.8 mm in 14 acquired volumes; with tracks that were
cut 10 mm lower it does so in one of them, in the others at 6.2 to 10 mm or not at all."""
WINDOW_LEFT_MM, WINDOW_FRONT_MM = (4.0, 30.0), (-20.0, 5.0)
"""Where the left lung lies: this far to the left of the vessel's rim, and this far in front of its centre. Nearer lies the wall,
farther forward the heart."""
LEAST_WINDOW = 0.3
"""Share of the window that must lie inside the field of view."""
BLOOD_SHARE = 0.25
"""Of the radius, around the centre: surely blood."""
SMOOTH_MM = 10.0
"""Extent along the body of the running median, which removes vessels of the lung."""
LUNG_MM, ORGAN_MM = 30.0, 15.0
"""Heights above and below the diaphragm that are compared."""
ORGAN, RISE = 0.45, 2.0
"""Least brightness below it as a share of the blood's, and as a multiple of that above. Found so, the diaphragm of 13 people
lay where a coronal view shows it; below a lung that is crossed by vessels brightness reaches 0.3."""
NEAREST_MM, FARTHEST_MM = 60.0, 165.0
"""How far below the top of the track the lung may end, with room to spare: 107 to 144 mm in 13 people. Farther down organs lie
between fat as dark as a lung."""


@dataclass(frozen=True)
class Landmarks:
    """What was recognised along one track.

    Attributes:
        is_arch_seen: whether the track's upper end is where the aortic arch opens.
        diaphragm_mm: where the left lung beside the aorta ends, mm below the top of the track; None where no such place is clear.
    """

    is_arch_seen: bool
    diaphragm_mm: float | None


def find_landmarks(volume: np.ndarray, spacing: Sequence[float] | np.ndarray, track: AortaTrack) -> Landmarks:
    """Look for the arch above the track and for the lower end of the lung beside it.

    The lung is dark, the organs below the diaphragm are not: the steepest rise of brightness, as a share of the blood's, in
    a window to the left of the vessel is taken for the diaphragm if it is clear. It is where the lung ends *beside* the
    aorta: the aorta itself passes the diaphragm one or two vertebrae lower.

    Args:
        volume: (X, Y, Z) brightness in any unit, RAS+.
        spacing: (3,) mm.
        track: of the descending aorta in it.

    Returns:
        The landmarks; none for an empty track.
    """
    if not len(track):
        return Landmarks(False, None)
    volume, spacing = above_air(np.asarray(volume, dtype=np.float32)), np.asarray(spacing, dtype=np.float64)
    return Landmarks(_opens_above(volume, spacing, track), _lung_end_mm(volume, spacing, track))


def _opens_above(volume: np.ndarray, spacing: np.ndarray, track: AortaTrack) -> bool:
    """Whether the uppermost cross-section, carried on upwards, opens."""
    first = track.slices[-1] + 1
    slices = np.arange(first, min(first + int(ABOVE_TOP_MM / spacing[2]), volume.shape[2]))
    if not len(slices):
        return False
    centres, radii = np.repeat(track.centres_mm[-1:], len(slices), 0), np.full(len(slices), track.diameters_mm[-1] / 2)
    walled = has_bright_wall(volume, spacing, track.slices, track.centres_mm, track.diameters_mm / 2)
    # the usual height of a rim is the track's: above it nothing is usual
    rims = rims_of(
        volume,
        spacing,
        np.append(track.slices, slices),
        np.vstack([track.centres_mm, centres]),
        np.append(track.diameters_mm / 2, radii),
        walled,
    )
    runs, count = ndimage.label(rims.open[len(track) :] >= OPEN_SHARE)
    openings = [np.flatnonzero(runs == run) * spacing[2] for run in range(1, count + 1)]
    return any(at[0] <= BEGINS_MM and len(at) * spacing[2] >= OPEN_MM for at in openings)


def _lung_end_mm(volume: np.ndarray, spacing: np.ndarray, track: AortaTrack) -> float | None:
    ratios = np.array([_beside(volume, spacing, track, row) for row in range(len(track))])
    known = np.isfinite(ratios)
    if not known.any():
        return None
    rows = range(len(track))
    size = 2 * int(SMOOTH_MM / spacing[2] / 2) + 1
    ratios = ndimage.median_filter(np.interp(rows, np.flatnonzero(known), ratios[known]), size, mode="nearest")
    from_top = (track.slices[-1] - track.slices) * spacing[2]
    steps = [_step(ratios, from_top, row) for row in rows]
    best = int(np.argmax([rise for rise, _ in steps]))
    if steps[best][0] <= 0 or not known[np.abs(from_top - from_top[best]) <= ORGAN_MM].any():
        return None
    # the middle of the rise, not of the two windows
    near = (from_top <= from_top[best] + ORGAN_MM) & (from_top >= from_top[best] - ORGAN_MM)
    crossed = np.flatnonzero(near & (ratios >= steps[best][1]))
    return float(from_top[crossed[-1]]) if len(crossed) else float(from_top[best])


def _step(ratios: np.ndarray, from_top: np.ndarray, row: int) -> tuple[float, float]:
    """How much brighter it is below a slice than above, 0 where that is no diaphragm, and the brightness half-way."""
    height = from_top[row]
    above = ratios[(from_top < height) & (from_top >= height - LUNG_MM)]
    below = ratios[(from_top >= height) & (from_top <= height + ORGAN_MM)]
    if not NEAREST_MM <= height <= FARTHEST_MM or from_top[0] < height + ORGAN_MM or not len(above):
        return 0.0, 0.0
    dark, bright = float(np.median(above)), float(np.median(below))
    if bright < ORGAN or bright < RISE * dark:
        return 0.0, 0.0
    return bright - dark, (bright + dark) / 2


def _beside(volume: np.ndarray, spacing: np.ndarray, track: AortaTrack, row: int) -> float:
    """Brightness to the left of the vessel as a share of the blood's; NaN where that lies outside the volume."""
    image, centre, radius = volume[:, :, track.slices[row]], track.centres_mm[row], track.diameters_mm[row] / 2
    near, far = WINDOW_LEFT_MM
    window = _cut(
        image, spacing, centre - [radius + far, -WINDOW_FRONT_MM[0]], centre - [radius + near, -WINDOW_FRONT_MM[1]]
    )
    whole = (far - near) * (WINDOW_FRONT_MM[1] - WINDOW_FRONT_MM[0]) / float(np.prod(spacing[:2]))
    blood = float(np.median(_cut(image, spacing, centre - BLOOD_SHARE * radius, centre + BLOOD_SHARE * radius)))
    if window.size < LEAST_WINDOW * whole or blood <= 0:
        return np.nan
    return float(np.median(window)) / blood


def _cut(image: np.ndarray, spacing: np.ndarray, low_mm: np.ndarray, high_mm: np.ndarray) -> np.ndarray:
    low, high = (np.rint(edge / spacing[:2]).astype(int) for edge in (low_mm, high_mm))
    return image[max(low[0], 0) : max(high[0] + 1, 0), max(low[1], 0) : max(high[1] + 1, 0)]
