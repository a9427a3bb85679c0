"""The course of the descending aorta from a map that labels it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from skimage.measure import label, regionprops

from monai_cardiac_gan.aorta.checks import checked_spacing
from monai_cardiac_gan.aorta.circles import CircleCandidates
from monai_cardiac_gan.aorta.identify import most_aortic
from monai_cardiac_gan.aorta.track import AortaTrack
from monai_cardiac_gan.aorta.tubes import find_tubes

__all__ = ["track_from_labels"]

TUBES = 2
"""A map of the whole aorta shows its ascending and its descending part side by side."""


def track_from_labels(mask: np.ndarray, spacing: Sequence[float] | np.ndarray) -> AortaTrack:
    """Centre and area-equivalent diameter of the descending aorta on each slice of a label map.

    Each connected region of a slice is a circle candidate whose score is its roundness (area over that of the circle
    around its longest axis); where the map holds the ascending aorta too, the rear tube is taken.

    Args:
        mask: (X, Y, Z) boolean, in RAS+ axes.
        spacing: (3,) mm.

    Returns:
        The track; its confidence is the roundness. Empty when nothing is labelled.

    Raises:
        ValueError: when the mask has not three axes or the spacing is not positive.
    """
    mask, sizes = np.asarray(mask, dtype=bool), checked_spacing(spacing)
    if mask.ndim != 3:
        raise ValueError(f"the label map has shape {mask.shape}: expected three axes (X, Y, Z).")
    slices = [_regions(mask[:, :, k], sizes) for k in range(mask.shape[2])]
    tubes = find_tubes(slices, 1.0, TUBES, sizes[2])
    if not tubes:
        return AortaTrack.empty()
    chosen, certainty = most_aortic(tubes)
    confidence = np.clip(chosen.scores, 0.0, 1.0)
    return AortaTrack(
        chosen.slices, chosen.centres_mm, 2 * chosen.radii_mm, confidence, float(certainty * confidence.mean())
    )


def _regions(plane: np.ndarray, spacing: np.ndarray) -> CircleCandidates:
    """The labelled regions of a slice, in millimetres."""
    regions = regionprops(label(plane), spacing=spacing[:2])
    radii = np.array([np.sqrt(region.area / np.pi) for region in regions])
    longest = np.array(
        [max(region.axis_major_length, 2 * radius) for region, radius in zip(regions, radii, strict=True)]
    )
    centres = np.array([region.centroid for region in regions]).reshape(-1, 2)
    return CircleCandidates(centres, radii, (2 * radii / np.maximum(longest, np.finfo(float).tiny)) ** 2)
