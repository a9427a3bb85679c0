"""Whether a volume is a label map rather than an acquired image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["LabelLikeness", "label_likeness"]

MOST_LABELS = 256
"""Values; TotalSegmentator has 117 labels, an acquired image of more than 8 bits thousands of values."""
EQUAL_SHARE = 0.85
"""Least share of equal neighbours. Measured: label maps of three phantoms 0.96 to 0.97 (20 values), one label of them 1.00;
17 acquired volumes stored with 8 bits 0.09 to 0.41, with 4 bits at most 0.65; the phantoms' images 0.07, with 4 bits at most
0.72."""
SMOOTHED_SHARE = 0.35
"""Least share of nearly equal neighbours where there are more values: a label map that was resampled or smoothed, or one with a
label for each instance. Measured: such maps of two phantoms 0.38 to 0.72 (0.17 to 0.30 where smoothed widely or of one label);
seven acquired volumes 0.06 to 0.10, smoothed 0.12 to 0.24, of 8 bits and resampled at most 0.07, of 4 bits at most 0.31."""
NEARLY = 1e-3
"""Share of the range from percentile 0.5 to 99.5 by which nearly equal neighbours differ."""
RANGE = (0.5, 99.5)
PAIRS = 1 << 20
"""Voxels along each axis whose neighbours are compared where there are many values."""
SAMPLES = 1 << 17
"""Voxels whose values are counted."""


@dataclass(frozen=True)
class LabelLikeness:
    """What tells a label map from an image.

    Attributes:
        values: how many different values there are among evenly spaced voxels.
        equal_share: share of pairs of neighbours with the same value (up to a thousandth of the range where there are more
            than 256 values), among pairs outside the background; 1 where there is no such pair (0 of more values). Background
            is the most frequent value and, where there are more than 256, the two lowest and those in the corners, too.
    """

    values: int
    equal_share: float

    @property
    def is_label_map(self) -> bool:
        """Few values in large areas, or many where areas were blurred or numbered."""
        return self.equal_share >= (EQUAL_SHARE if self.values <= MOST_LABELS else SMOOTHED_SHARE)


def label_likeness(volume: np.ndarray) -> LabelLikeness:
    """How much a volume looks like a label map: few values, each in large areas; noise makes neighbours differ in images.

    Args:
        volume: (X, Y, Z) any unit.

    Raises:
        ValueError: when the volume has not three axes.

    Example:
        >>> labels = np.zeros((8, 8, 8)); labels[2:6, 2:6, 2:6] = 2; labels[3, 3, 3] = 1
        >>> label_likeness(labels)
        LabelLikeness(values=3, equal_share=0.9583333333333334)
        >>> label_likeness(np.random.default_rng(0).integers(0, 200, (8, 8, 8))).is_label_map
        False
    """
    if np.ndim(volume) != 3:
        raise ValueError(f"the volume has shape {np.shape(volume)}: expected three axes (X, Y, Z).")
    step = max(1, volume.size // SAMPLES) | 1  # odd: an even one may hit the same columns of each row
    values, counts = np.unique(volume.ravel()[::step], return_counts=True)
    background, tolerance = values[[np.argmax(counts)]], 0.0
    if len(values) > MOST_LABELS:
        corners = volume[np.ix_(*[(0, -1)] * 3)].ravel()
        background = np.unique([*background, *values[:2], volume.min(), *corners])
        inside = values[~np.isin(values, background)]
        tolerance = NEARLY * float(np.ptp(np.percentile(inside, RANGE))) if inside.size else 0.0
    pairs = equal = 0
    for axis in range(3):
        part = volume if not tolerance else _thinned(volume, (axis + 1) % 3)
        differs = [np.abs(part - np.float32(v)) > tolerance if tolerance else part != v for v in background]
        is_inside = np.logical_and.reduce(differs)
        is_inside = np.delete(is_inside, -1, axis) & np.delete(is_inside, 0, axis)
        pairs += int(is_inside.sum())
        equal += int(((np.abs(np.diff(part, axis=axis)) <= tolerance) & is_inside).sum())
    return LabelLikeness(len(values), equal / pairs if pairs else float(len(values) <= MOST_LABELS))


def _thinned(volume: np.ndarray, axis: int) -> np.ndarray:
    """Evenly spaced planes, float32."""
    step = max(1, volume.size // PAIRS)
    planes = [slice(None, None, step if each == axis else 1) for each in range(3)]
    return volume[tuple(planes)].astype(np.float32)
