"""Pictures of the slices along one vessel, for the slider of its page."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.evaluation import MeasuredVessel
from monai_cardiac_gan.inferers import ExpectedVessel
from monai_cardiac_gan.reporting.subject_results import Overview, Pictures, SlicePicture
from monai_cardiac_gan.transforms import FileSlices, RasVolume
from monai_cardiac_gan.visualize import contact_row

__all__ = ["data_url", "no_pictures", "overview_of", "pictures_of"]

STEP_MM = 2.0
"""Least distance of two pictures; the levels are always among them."""
TOLERANCE_MM = 1e-3
"""Heights are rounded; slices of 1 mm are 2 mm apart all the same."""
GREYS = 255
ANOMALY_RANGE = 6.0
"""Spreads at which the colours of an anomaly map end; of normal people's pixels one in a thousand lies beyond."""
PIXEL_MM = 1.0
"""Of patches cut along a course (`transforms.cut_along`)."""


def pictures_of(
    expected: ExpectedVessel,
    vessel: MeasuredVessel,
    files: FileSlices,
    overview: Overview | None = None,
    anomaly: np.ndarray | None = None,
) -> Pictures:
    """Acquired and expected slices below each other, as they are read: the patient's right on the left, the front on top.

    Args:
        expected: what was painted; without a search the pictures of both are the same, and no hole is marked.
        vessel: what was acquired.
        files: numbers of the slices as in the file.
        overview: of the whole volume.
        anomaly: (N, S, S) map of every slice, in spreads (`anomaly_maps`); None where there is none.
    """
    rows = _shown(expected)
    size = expected.patches.pixels.shape[-1]
    return Pictures(
        size=size,
        pixel_mm=PIXEL_MM,
        acquired=_strip(expected.patches.pixels[rows]),
        expected=_strip(expected.painted[rows]),
        slices=tuple(_picture(int(row), expected, vessel, files) for row in rows),
        overview=overview,
        anomaly="" if anomaly is None else _strip(torch.from_numpy(anomaly[rows, None] / ANOMALY_RANGE)),
        anomaly_range=None if anomaly is None else ANOMALY_RANGE,
    )


def overview_of(image: Tensor, track: AortaTrack) -> Overview:
    """The whole volume in one row (`visualize.contact_row`).

    Args:
        image: `MetaTensor` (1, X, Y, Z) in RAS+ axes.
        track: of its aorta; may be empty.
    """
    volume = RasVolume(image)
    row = contact_row(volume.array, volume.affine, track)
    return Overview(data_url(row.image), tuple(tile.as_entry() for tile in (*row.tiles, *row.views)))


def no_pictures(overview: Overview) -> Pictures:
    """The overview alone, where nothing was cut."""
    return Pictures(size=0, pixel_mm=PIXEL_MM, acquired="", expected="", slices=(), overview=overview)


def data_url(image: Image.Image) -> str:
    """A picture as PNG in a ``data:`` URL."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _shown(expected: ExpectedVessel) -> np.ndarray:
    """Rows with a picture, from the top down."""
    kept, last = set(expected.levels.tolist()), -np.inf
    for row, height in enumerate(expected.heights_mm):
        if height - last >= STEP_MM - TOLERANCE_MM:
            kept.add(row)
            last = height
    return np.array(sorted(kept))


def _strip(pixels: Tensor) -> str:
    """(n, 1, S, S) in [-1, 1] below each other."""
    grey = ((pixels[:, 0].clamp(-1, 1) + 1) / 2 * GREYS).round().byte().numpy()
    shown = np.swapaxes(grey, 1, 2)[:, ::-1, ::-1]  # rows from the front, columns from the patient's right
    return data_url(Image.fromarray(np.ascontiguousarray(shown).reshape(-1, shown.shape[2])))


def _picture(row: int, expected: ExpectedVessel, vessel: MeasuredVessel, files: FileSlices) -> SlicePicture:
    affine, size = expected.patches.affines[row], expected.patches.pixels.shape[-1]
    level = int(expected.patches.slices[row])
    corner = affine @ np.array([size - 1, size - 1, 0, 1.0])
    place = vessel.row_of(level)
    centre = None
    if place is not None:
        x, y = (vessel.track.centres_mm[place] - expected.course_mm[row]) / PIXEL_MM + size // 2
        centre = (round(float(size - 1 - x), 2), round(float(size - 1 - y), 2))
    return SlicePicture(
        slice=files.number(corner[:3]),
        mm_from_top=round(float(expected.heights_mm[row]), 2),
        origin_mm=_rounded(corner[:3]),
        right_mm=_rounded(-affine[:3, 0]),
        down_mm=_rounded(-affine[:3, 1]),
        centre=centre,
        radius=None if place is None else _radius(vessel, place),
        hole=None if expected.search is None else _hole(expected.mask),
    )


def _hole(mask: Tensor) -> tuple[int, int, int, int]:
    """Left, top, width and height in a picture, whose columns and rows run against the patch's axes."""
    size = mask.shape[-1]
    across, along = (np.flatnonzero(mask.any(axis).numpy()) for axis in (1, 0))
    return int(size - 1 - across[-1]), int(size - 1 - along[-1]), len(across), len(along)


def _radius(vessel: MeasuredVessel, place: int) -> float:
    lumen = vessel.lumens[place]
    diameter = vessel.track.diameters_mm[place] if lumen is None else lumen.area_equivalent_mm
    return round(float(diameter) / 2 / PIXEL_MM, 2)


def _rounded(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 4) for value in values)
    return x, y, z
