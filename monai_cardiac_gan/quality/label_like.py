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
SAMPLES = 1 << 17
"""Voxels whose values are counted."""


@dataclass(frozen=True)
class LabelLikeness:
    """What tells a label map from an image.

    Attributes:
        values: how many different values there are among evenly spaced voxels.
        equal_share: share of pairs of neighbours with the same value, among pairs outside the most frequent value (the
            background); 1 where there is no such pair.
    """

    values: int
    equal_share: float

    @property
    def is_label_map(self) -> bool:
        """Few values, in large areas."""
        return self.values <= MOST_LABELS and self.equal_share >= EQUAL_SHARE


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
    if len(values) > MOST_LABELS:
        return LabelLikeness(len(values), 0.0)
    background = values[np.argmax(counts)]
    pairs = equal = 0
    for axis in range(3):
        low, high = (np.delete(volume, end, axis) for end in (-1, 0))
        is_inside = (low != background) & (high != background)
        pairs += int(is_inside.sum())
        equal += int(((low == high) & is_inside).sum())
    return LabelLikeness(len(values), equal / pairs if pairs else 1.0)
