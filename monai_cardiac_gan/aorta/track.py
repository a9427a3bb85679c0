"""The course of the descending aorta through the axial slices of one volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["AortaTrack"]


@dataclass(frozen=True)
class AortaTrack:
    """Centre, diameter and confidence of the descending aorta, one entry per axial slice that shows it.

    Positions are millimetres from the centre of the volume's first voxel, along the volume's own axes; a position
    divided by the spacing is a voxel index. Slices without a believable aorta have no entry.

    Attributes:
        slices: (n,) increasing indices along the third axis.
        centres_mm: (n, 2) centre along the first and second axis.
        diameters_mm: (n,) diameter of the cross-section.
        confidence: (n,) how sure the finder is of each slice, from 0 (guess) to 1 (certain).
        track_confidence: the same for the track as a whole; 0 when nothing was found.

    Raises:
        ValueError: when the arrays disagree in length or a confidence leaves the range 0 to 1.

    Example:
        >>> track = AortaTrack([7, 8], [[80.0, 60.0], [80.5, 60.0]], [24.0, 24.2], [0.9, 0.8], 0.85)
        >>> len(track), float(track.diameters_mm.mean())
        (2, 24.1)
    """

    slices: np.ndarray
    centres_mm: np.ndarray
    diameters_mm: np.ndarray
    confidence: np.ndarray
    track_confidence: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "slices", np.asarray(self.slices, dtype=np.int64).reshape(-1))
        object.__setattr__(self, "centres_mm", np.asarray(self.centres_mm, dtype=np.float64).reshape(-1, 2))
        object.__setattr__(self, "diameters_mm", np.asarray(self.diameters_mm, dtype=np.float64).reshape(-1))
        object.__setattr__(self, "confidence", np.asarray(self.confidence, dtype=np.float64).reshape(-1))
        lengths = {len(self.slices), len(self.centres_mm), len(self.diameters_mm), len(self.confidence)}
        if len(lengths) > 1:
            raise ValueError(
                f"slices, centres, diameters and confidence have lengths {len(self.slices)}, {len(self.centres_mm)}, "
                f"{len(self.diameters_mm)} and {len(self.confidence)}: give one entry of each per slice."
            )
        values = np.append(self.confidence, self.track_confidence)
        if not np.all((values >= 0) & (values <= 1)):
            raise ValueError(f"confidences range from {values.min()} to {values.max()}: they must lie between 0 and 1.")

    @classmethod
    def empty(cls) -> AortaTrack:
        """The track of a volume in which no aorta was found."""
        return cls([], [], [], [], 0.0)  # type: ignore[arg-type]  # converted in __post_init__

    def on_slices(self, spacing: float, new_spacing: float) -> AortaTrack:
        """The same course on slices of another distance, which start at the same place.

        Between two slices all values run straight; a new slice is left out when none of the old ones lies within half a
        slice's distance of it.

        Args:
            spacing: distance of this track's slices, mm.
            new_spacing: distance of the new ones, mm.

        Raises:
            ValueError: when a distance is not positive.

        Example:
            >>> track = AortaTrack([2, 3], [[80.0, 60.0], [82.0, 60.0]], [24.0, 25.0], [0.9, 0.8], 0.85)
            >>> finer = track.on_slices(2.0, 1.0)
            >>> finer.slices.tolist(), finer.centres_mm[:, 0].tolist()
            ([3, 4, 5, 6, 7], [80.0, 80.0, 81.0, 82.0, 82.0])
        """
        if not min(spacing, new_spacing) > 0:
            raise ValueError(f"the slices lie {spacing} and {new_spacing} mm apart: expected positive distances.")
        if spacing == new_spacing or not len(self):
            return self
        ratio = new_spacing / spacing
        levels = np.arange(
            np.ceil((self.slices[0] - 0.5) / ratio), np.floor((self.slices[-1] + 0.5) / ratio) + 1, dtype=np.int64
        )
        places = levels[levels >= 0] * ratio
        gaps = np.abs(places[:, None] - self.slices).min(1)
        kept = gaps <= 0.5 + np.finfo(np.float32).eps  # a slice half-way between two belongs to both
        places, levels = places[kept], levels[levels >= 0][kept]
        values = np.column_stack([self.centres_mm, self.diameters_mm, self.confidence])
        taken = np.stack([np.interp(places, self.slices, column) for column in values.T], 1)
        return AortaTrack(levels, taken[:, :2], taken[:, 2], taken[:, 3], self.track_confidence)

    def select(self, kept: np.ndarray) -> AortaTrack:
        """The entries where `kept`, boolean (n,), is true."""
        return AortaTrack(
            self.slices[kept],
            self.centres_mm[kept],
            self.diameters_mm[kept],
            self.confidence[kept],
            self.track_confidence,
        )

    def __len__(self) -> int:
        return len(self.slices)
