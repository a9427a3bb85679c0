"""From a tube of the coarse search to the track at full resolution: which of its slices are believed, and how much."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from monai_cardiac_gan.aorta.believed import believed_slices
from monai_cardiac_gan.aorta.ends import Rims, below_the_arch, rims_of
from monai_cardiac_gan.aorta.refine import refine_circles
from monai_cardiac_gan.aorta.track import AortaTrack
from monai_cardiac_gan.aorta.tubes import Tube

__all__ = ["fit_track"]

MEDIAN_MM = 7.0
"""Extent along the body of the running median that removes single bad fits."""
SIZE_SHARES = (0.4, 0.6)
"""Shares of the tube's median radius at which a disc is not believed at all, and fully; the aorta tapers by up to two fifths."""
RIM_SHARES = (0.25, 0.5)
"""The same for the height of its rim; leaves room for the coils' fall-off."""
FULL_LENGTH_MM = 100.0
"""A tube of this length or more can be nothing but the descending aorta in a whole-heart field of view."""


def fit_track(
    volume: np.ndarray, spacing: np.ndarray, tube: Tube, heights_mm: np.ndarray, certainty: float
) -> AortaTrack:
    """The tube on every slice of the volume, fitted to edges; slices that are not believed are dropped.

    Args:
        volume: (X, Y, Z), not negative.
        spacing: (3,) mm.
        tube: of the coarse search.
        heights_mm: of the tube's slices above the first voxel's centre.
        certainty: that the tube is the descending aorta, 0 to 1.
    """
    levels = heights_mm / spacing[2]
    slices = np.arange(int(np.ceil(levels[0])), min(int(levels[-1]), volume.shape[2] - 1) + 1)
    if not len(slices):
        return AortaTrack.empty()  # a scrap between two thick slices
    rough = [np.interp(slices, levels, values) for values in (*tube.centres_mm.T, tube.radii_mm)]
    fitted = refine_circles(volume, spacing, slices, np.stack(rough[:2], 1), rough[2])
    size = 2 * int(MEDIAN_MM / spacing[2] / 2) + 1
    centres = ndimage.median_filter(fitted.centres_mm, (size, 1), mode="nearest")
    radii = ndimage.median_filter(fitted.radii_mm, size, mode="nearest")
    rims = rims_of(volume, spacing, slices, centres, radii, fitted.walled)
    confidence = _confidence(fitted.support, radii, rims, size)
    keep = below_the_arch(believed_slices(confidence, centres, radii, spacing[2]), rims, radii, spacing[2])
    if not keep.any():
        return AortaTrack.empty()
    length = keep.sum() * spacing[2]
    overall = certainty * confidence[keep].mean() * min(1.0, length / FULL_LENGTH_MM)
    return AortaTrack(slices[keep], centres[keep], 2 * radii[keep], confidence[keep], float(overall))


def _confidence(support: np.ndarray, radii: np.ndarray, rims: Rims, size: int) -> np.ndarray:
    """How much of the rim is seen, less where the disc is far smaller or its rim far lower than along the rest of the tube.

    Beyond the arch the smallest of these discs are vessels of the lung, beyond the abdomen's signal they are noise.
    """
    for values, (none, full) in ((radii, SIZE_SHARES), (rims.height, RIM_SHARES)):
        middle = np.median(values)
        share = values / middle if middle > 0 else np.zeros_like(values)
        support = support * np.clip((share - none) / (full - none), 0.0, 1.0)
    # the running sum leaves rounding errors just above 1
    return np.clip(ndimage.uniform_filter1d(support, size, mode="nearest"), 0.0, 1.0)
