"""One volume at a glance: axial slices and views along the aorta, small, with its course drawn in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from monai_cardiac_gan.aorta import AortaTrack

__all__ = ["ContactRow", "Tile", "contact_row"]

HEIGHT = 240
"""Height of a row, pixels: a millimetre is about a pixel, so that an aorta of 20 mm is seen as a disc."""
SLICES = 5
GAP = 4
"""Black columns between two tiles."""
RED = (255, 70, 60)
"""Colour of the course."""
WINDOW = (0.5, 99.5)
"""Percentiles that are drawn black and white."""
COLOURS = 128
"""Of the stored picture, which makes it four times smaller."""


@dataclass(frozen=True)
class Tile:
    """Where an axial slice lies in a row, and how its pixels turn into scanner millimetres.

    Attributes:
        left: first column in the row.
        width: columns.
        height: rows.
        origin: (3,) millimetres (RAS+) of the upper left pixel's centre.
        right: (3,) millimetres from one column to the next.
        down: (3,) millimetres from one row to the next.
        middle: of a view along the body, the row of the track's middle: what is cut above it is the track's top, below it
            its bottom; None for an axial slice.
    """

    left: int
    width: int
    height: int
    origin: list[float]
    right: list[float]
    down: list[float]
    middle: float | None = None

    def as_entry(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ContactRow:
    """A picture and what its axial slices show.

    Attributes:
        image: RGB.
        tiles: of the axial slices, the uppermost first.
        views: of the coronal and the sagittal view along the body, whose heights alone are right: their rows follow the aorta.
    """

    image: Image.Image
    tiles: list[Tile]
    views: list[Tile]


def contact_row(volume: np.ndarray, affine: np.ndarray, track: AortaTrack) -> ContactRow:
    """Axial slices from top to bottom with the aorta's circle, then a coronal and a sagittal view along it.

    Drawn in radiological convention: the patient's right is on the left, the front on top. Without a track the slices are
    spread over the volume, and the views go through its middle.

    Args:
        volume: (X, Y, Z) in RAS+ axes.
        affine: (4, 4) from voxels to scanner millimetres.
        track: course of the aorta in this volume; may be empty.

    Raises:
        ValueError: when the volume is not three-dimensional.
    """
    if np.ndim(volume) != 3:
        raise ValueError(f"the volume has shape {np.shape(volume)}: expected (X, Y, Z).")
    affine = np.asarray(affine, dtype=np.float64)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    low, high = np.percentile(volume[::2, ::2, ::2], WINDOW)
    grey = _Grey(float(low), float(np.maximum(high, low + np.finfo(np.float32).eps)))
    levels = _levels(track, volume.shape[2])
    cells = [_axial(volume, spacing, track, level, grey) for level in levels]
    cells += [_along(volume, spacing, track, axis, grey) for axis in (0, 1)]
    row = Image.new("RGB", (sum(cell.width + GAP for cell in cells) - GAP, HEIGHT))
    tiles, views, left = [], [], 0
    for cell, level in zip(cells, [*levels, None, None], strict=True):
        row.paste(cell, (left, 0))
        if level is None:
            views.append(_view(left, cell, volume.shape, affine, track))
        else:
            tiles.append(_tile(left, cell, volume.shape, affine, level))
        left += cell.width + GAP
    return ContactRow(row.quantize(COLOURS).convert("P"), tiles, views)


@dataclass(frozen=True)
class _Grey:
    low: float
    high: float

    def __call__(self, plane: np.ndarray) -> Image.Image:
        """A plane (across, up) as an image whose columns run against the first axis, its rows against the second."""
        scaled = np.clip((plane - self.low) / (self.high - self.low), 0, 1)
        return Image.fromarray((255 * scaled.T[::-1, ::-1]).astype(np.uint8)).convert("RGB")


def _levels(track: AortaTrack, count: int) -> list[int]:
    ends = (track.slices[0], track.slices[-1]) if len(track) else (0.1 * (count - 1), 0.9 * (count - 1))
    return [int(level) for level in np.linspace(ends[1], ends[0], SLICES).round()]


def _fitted(image: Image.Image, width_mm: float, height_mm: float) -> Image.Image:
    return image.resize((max(1, round(HEIGHT * width_mm / height_mm)), HEIGHT), Image.Resampling.BILINEAR)


def _axial(volume: np.ndarray, spacing: np.ndarray, track: AortaTrack, level: int, grey: _Grey) -> Image.Image:
    extent = np.array(volume.shape[:2]) * spacing[:2]
    cell = _fitted(grey(volume[:, :, level]), *extent)
    rows = np.flatnonzero(track.slices == level)
    if len(rows):
        scale = np.array([cell.width, cell.height]) / extent
        # pixel edges: the first voxel's centre lies half a voxel inside, and both axes run against the picture's
        centre = (extent - track.centres_mm[rows[0]] - spacing[:2] / 2) * scale
        radius = track.diameters_mm[rows[0]] / 2 * scale
        ImageDraw.Draw(cell).ellipse([*(centre - radius), *(centre + radius)], outline=RED)
    return cell


def _along(volume: np.ndarray, spacing: np.ndarray, track: AortaTrack, axis: int, grey: _Grey) -> Image.Image:
    """The coronal (axis 0 across) or sagittal (axis 1 across) view, each row at the aorta's centre on that slice."""
    levels = np.arange(volume.shape[2])
    middle = (volume.shape[1 - axis] - 1) * spacing[1 - axis] / 2
    places = (
        np.interp(levels, track.slices, track.centres_mm[:, 1 - axis]) if len(track) else np.full(len(levels), middle)
    )
    index = np.clip(np.rint(places / spacing[1 - axis]).astype(int), 0, volume.shape[1 - axis] - 1)
    plane = volume[:, index, levels] if axis == 0 else volume[index, :, levels].T
    extent = np.array(plane.shape) * spacing[[axis, 2]]
    cell = _fitted(grey(plane), *extent)
    if len(track) > 1:
        scale = np.array([cell.width, cell.height]) / extent
        draw = ImageDraw.Draw(cell)
        for side in (-0.5, 0.5):
            across = track.centres_mm[:, axis] + side * track.diameters_mm
            points = extent - np.stack([across, track.slices * spacing[2]], 1) - spacing[[axis, 2]] / 2
            draw.line([tuple(point) for point in points * scale], fill=RED)
    return cell


def _tile(left: int, cell: Image.Image, shape: tuple[int, ...], affine: np.ndarray, level: int) -> Tile:
    steps = np.array(shape[:2]) / [cell.width, cell.height]  # voxels to a pixel
    corner = np.array([shape[0] - 0.5 - steps[0] / 2, shape[1] - 0.5 - steps[1] / 2, level, 1.0])
    return Tile(
        left,
        cell.width,
        cell.height,
        (affine @ corner)[:3].round(3).tolist(),
        (-affine[:3, 0] * steps[0]).round(5).tolist(),
        (-affine[:3, 1] * steps[1]).round(5).tolist(),
    )


def _view(left: int, cell: Image.Image, shape: tuple[int, ...], affine: np.ndarray, track: AortaTrack) -> Tile:
    """Places along the aorta: on slices that lie obliquely heights depend on where it is on them."""
    step = shape[2] / cell.height
    level = track.slices[[0, -1]].mean() if len(track) else (shape[2] - 1) / 2
    top = shape[2] - 0.5 - step / 2
    slope, start = _straight_line(track, shape, np.linalg.norm(affine[:3, :2], axis=0))
    corner = (affine @ np.array([*(start + slope * top), top, 1.0]))[:3]
    down = (-affine[:3, :3] @ np.append(slope, 1.0) * step).round(5).tolist()
    return Tile(
        left, cell.width, cell.height, corner.round(3).tolist(), [0.0] * 3, down, round((top - level) / step, 1)
    )


def _straight_line(track: AortaTrack, shape: tuple[int, ...], spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (2,) along the first two axes that the aorta moves by from slice to slice, and where it is on the first slice."""
    if len(track) > 1:
        slope, start = np.polyfit(track.slices, track.centres_mm / spacing, 1)
        return slope, start
    return np.zeros(2), track.centres_mm[0] / spacing if len(track) else (np.array(shape[:2]) - 1) / 2
