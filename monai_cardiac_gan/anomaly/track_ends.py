"""Levels of a track that are not compared with an expectation, because they may be no descending aorta."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monai_cardiac_gan.aorta.believed import STRONG
from monai_cardiac_gan.aorta.lumen import Lumen
from monai_cardiac_gan.aorta.track import AortaTrack

__all__ = ["reasons_not_to_compare"]

ARCH_MM = 10.0
"""Below the arch's opening; within it the cross-section of 14 acquired volumes widens by 3 to 20 %."""
END_MM = 40.0
"""Height above the track's lower end within which it may fade."""
REFERENCE_MM = (40.0, 70.0)
"""Height above the lower end whose diameter the end is compared with."""
NARROW = 0.8
"""Share of that diameter below which the end is no longer the same vessel as seen above: a healthy descending aorta
loses 3 mm over 120 mm (Davis et al. 2014), 6 % over the 45 mm between both."""


def reasons_not_to_compare(
    track: AortaTrack, lumens: Sequence[Lumen | None], slice_mm: float, is_arch_seen: bool
) -> list[str | None]:
    """Why a slice is not compared; None where it is.

    Not compared are slices without a lumen or of low confidence (which falls with the rim's height, where the signal
    fades), those next to the arch, and the lower end from where on it is more than a fifth narrower than 40 to 70 mm above. A
    widening is never a reason: it may be what is looked for.

    Args:
        track: of the descending aorta.
        lumens: of its slices.
        slice_mm: distance of two slices.
        is_arch_seen: whether the track ends at the arch (`find_landmarks`).

    Returns:
        One entry for each slice of the track.

    Raises:
        ValueError: when there are more or fewer lumens than slices, or the distance is not positive.
    """
    if len(lumens) != len(track) or not slice_mm > 0:
        raise ValueError(
            f"{len(lumens)} lumens for {len(track)} slices {slice_mm} mm apart: expected one for each and a positive distance."
        )
    heights = (track.slices - track.slices[0]) * slice_mm if len(track) else np.zeros(0)
    end = _fading_end(lumens, heights)
    return [
        _reason(track, lumens, row, heights[-1] - heights[row] if is_arch_seen else np.inf, row < end)
        for row in range(len(track))
    ]


def _reason(
    track: AortaTrack, lumens: Sequence[Lumen | None], row: int, below_arch: float, is_fading: bool
) -> str | None:
    if lumens[row] is None:
        return "the lumen's rim is not seen"
    if track.confidence[row] < STRONG:
        return f"the vessel is hard to see (confidence {track.confidence[row]:.2f})"
    if below_arch < ARCH_MM:
        return f"less than {ARCH_MM:g} mm below the aortic arch, towards which the vessel opens"
    if is_fading:
        return "the lower end of the track, where it narrows faster than an aorta"
    return None


def _fading_end(lumens: Sequence[Lumen | None], heights: np.ndarray) -> int:
    """Number of the lowest slices that are too narrow, with all below the highest of them."""
    diameters = np.array([np.nan if lumen is None else lumen.area_equivalent_mm for lumen in lumens])
    reference = diameters[(heights >= REFERENCE_MM[0]) & (heights <= REFERENCE_MM[1]) & np.isfinite(diameters)]
    if not len(reference):
        return 0
    narrow = np.flatnonzero((heights <= END_MM) & (diameters < NARROW * np.median(reference)))
    return int(narrow[-1]) + 1 if len(narrow) else 0
