"""The pictures in a subject's results, and where they lie in the scanner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Overview", "Pictures", "SlicePicture"]


@dataclass(frozen=True)
class SlicePicture:
    """Where a picture of the strips lies. Pixels (column, row), the patient's right on the left, the front on top.

    Attributes:
        slice: number as in the file.
        mm_from_top: below the top of the track; negative above it.
        origin_mm: (3,) scanner millimetres (RAS+) of the upper left pixel's centre.
        right_mm: (3,) step from a pixel to the one on its right.
        down_mm: (3,) step to the one below.
        centre: (2,) column and row of the acquired aorta; None where it was not found.
        radius: of the acquired aorta, pixels.
        hole: left, top, width, height of what was hidden, pixels; None where nothing was painted.
    """

    slice: int
    mm_from_top: float
    origin_mm: tuple[float, float, float]
    right_mm: tuple[float, float, float]
    down_mm: tuple[float, float, float]
    centre: tuple[float, float] | None
    radius: float | None
    hole: tuple[int, int, int, int] | None


@dataclass(frozen=True)
class Overview:
    """The whole volume in one row, see `visualize.contact_row`.

    Attributes:
        image: PNG as a data URL.
        tiles: of the axial slices and the two long views, as `visualize.contact_row.Tile.as_entry` gives them.
    """

    image: str
    tiles: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Pictures:
    """Slices around the aorta, one below the other, from the top of the vessel down.

    Attributes:
        size: side of each square picture, pixels.
        pixel_mm: side of a pixel.
        acquired: PNG (8 bits, grey) of all slices below each other, as a data URL.
        expected: the same with the expected anatomy painted.
        slices: one for each picture.
        overview: whole volume; None where it was not drawn.
        anomaly: the same of the anomaly maps, 128 where nothing differs; empty where there are none.
        anomaly_range: standard deviations at 0 (darker than expected) and 255 (brighter).
    """

    size: int
    pixel_mm: float
    acquired: str
    expected: str
    slices: tuple[SlicePicture, ...]
    overview: Overview | None = None
    anomaly: str = ""
    anomaly_range: float | None = None
