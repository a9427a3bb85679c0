"""One DICOM series as one volume: only where its slices make one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import PathLike
from monai.data import ITKReader

from monai_cardiac_gan.transforms.dicom_slice import (
    FRAMES,
    NUMBER,
    ORIENTATION,
    PATIENT,
    PIXELS,
    POSITION,
    SAME_DIRECTION,
    SAMPLES,
    SERIES,
    STUDY,
    TIME,
    DicomSlice,
    slices_of,
)
from monai_cardiac_gan.transforms.stated_geometry import POSITION_TOLERANCE_MM
from monai_cardiac_gan.transforms.volume_error import VolumeError

__all__ = ["DicomSeriesReader", "series_in_order"]

CONSTANT = (
    "ImageType",
    "EchoTime",
    "EchoNumbers",
    "InversionTime",
    "TemporalPositionIdentifier",
    "SequenceName",
    "SliceThickness",
    "FlipAngle",
    "RepetitionTime",
    "ProtocolName",
    "PatientPosition",
    "ComplexImageComponent",
    PATIENT,
    STUDY,
    "Rows",
    "Columns",
    PIXELS,
)
"""Tags that are the same in all slices of one volume."""
CHANGING = ("TriggerTime", "AcquisitionNumber", TIME)
"""Tags that tell volumes apart, and may yet differ between the slices of one volume that was acquired slice by slice."""
PRIVATE = (PATIENT, STUDY, TIME)
"""Tags that point to a person: compared as text, and no message shows their values."""
SAME_POSITION_MM = 0.05
"""Half of the smallest voxel that is read."""
UNEVEN_SHARE = 0.05
"""Share of the slice distance by which one distance may differ from the others; a missing slice makes it twice as long."""
SHOWN = 3
"""Values that a message lists."""


class DicomSeriesReader(ITKReader):
    """MONAI's ITK reader for a folder that holds one volume as DICOM slices; anything else is refused.

    Args:
        is_stated: orientation and voxel size are known from elsewhere: headers may lack them, and a sideways shift of slices
            is not believed.

    Raises:
        VolumeError: on reading, see `series_in_order`.
    """

    def __init__(self, is_stated: bool = False) -> None:
        super().__init__()
        self.is_stated = is_stated

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> Any:
        """The series of a folder as an ITK image of 32-bit floats, slices along the normal."""
        import itk  # here alone: it takes 1.5 GB on the disk, and a machine that only trains can do without

        folder = Path(str(data[0] if isinstance(data, Sequence) and not isinstance(data, str) else data))
        slices = series_in_order(folder, self.is_stated)
        # ITK takes the pixel type of the first slice for all; rescaled slices may be fractions
        reader = itk.ImageSeriesReader[itk.Image[itk.F, 3]].New()
        reader.SetImageIO(itk.GDCMImageIO.New())
        reader.SetFileNames([str(each.path) for each in slices])
        reader.Update()
        return reader.GetOutput()


def series_in_order(folder: Path, is_stated: bool = False) -> list[DicomSlice]:
    """The slices of the one volume in a folder, along the normal of their plane.

    Args:
        folder: holds the files.
        is_stated: orientation and voxel size are known from elsewhere: slices without a position are ordered by their number,
            and a sideways shift is not believed.

    Raises:
        VolumeError: when there is not exactly one series, slices lack their geometry, two volumes are mixed, slices are
            missing, or the slices shift sideways.
    """
    slices = slices_of(folder)
    count = len({each.tags.get(SERIES, "") for each in slices})
    if count != 1:
        raise VolumeError(
            f"{folder}: holds {count} DICOM series, expected exactly one; "
            + ("put each series into a folder of its own." if count else "check that the folder holds DICOM files.")
        )
    _check_single_frames(folder, slices)
    unstated = sorted({name for each in slices for name in each.unstated})
    if unstated and not is_stated:
        raise VolumeError(
            f"{folder}: the headers hold no usable {', '.join(unstated)} (orientation, voxel size and place), expected "
            "them in each slice; give both `axes` and `spacing` if they are known."
        )
    if {POSITION, ORIENTATION} & set(unstated):
        return _by_number(folder, slices)
    _check_parallel(folder, slices)
    places = _places(slices)
    order = np.argsort(places[:, 2], kind="stable")
    slices, places = [slices[index] for index in order], places[order]
    _check_one_volume(folder, slices, places[:, 2])
    _check_even(folder, places[:, 2])
    if not is_stated:
        _check_straight(folder, places)
    return slices


def _check_single_frames(folder: Path, slices: Sequence[DicomSlice]) -> None:
    if any(each.tags.get(FRAMES, "1") != "1" for each in slices):
        raise VolumeError(
            f"{folder}: holds a file with several frames (enhanced DICOM), expected one file for each slice; convert it to "
            "NIfTI (dcm2niix)."
        )
    if any(each.tags.get(SAMPLES, "1") != "1" for each in slices):
        raise VolumeError(f"{folder}: holds colour images, expected one channel; export the series itself.")


def _by_number(folder: Path, slices: Sequence[DicomSlice]) -> list[DicomSlice]:
    """Slices without positions, by their numbers."""
    numbers = [each.numbers(NUMBER, 1) for each in slices]
    known = [float(number[0]) for number in numbers if number is not None]
    if len(known) < len(slices) or sorted(known) != list(np.arange(len(known)) + min(known)):
        raise VolumeError(
            f"{folder}: slices have neither positions nor consecutive values of {NUMBER}, expected one of both; their order "
            "is not known: export the series again."
        )
    _check_constant(folder, slices)
    return [slices[index] for index in np.argsort(known)]


def _check_parallel(folder: Path, slices: Sequence[DicomSlice]) -> None:
    axes = np.stack([each.axes for each in slices if each.axes is not None])
    if np.abs(axes - axes[0]).max() > SAME_DIRECTION:
        raise VolumeError(
            f"{folder}: slices differ in {ORIENTATION}, expected parallel slices; put each stack of slices into a folder of "
            "its own."
        )


def _places(slices: Sequence[DicomSlice]) -> np.ndarray:
    """(n, 3) mm: positions along a row, a column and the normal of the first slice."""
    positions = np.stack([np.asarray(each.numbers(POSITION, 3)) for each in slices])
    return positions @ np.asarray(slices[0].axes).T


def _check_one_volume(folder: Path, slices: Sequence[DicomSlice], heights: np.ndarray) -> None:
    """One image at each position, all of one kind."""
    starts = [0, *(np.flatnonzero(np.diff(heights) > SAME_POSITION_MM) + 1)]
    groups = [slices[start:stop] for start, stop in zip(starts, [*starts[1:], len(slices)], strict=True)]
    if len(groups) < len(slices):
        mixed = [text for name in (*CONSTANT, *CHANGING) if (text := _difference(name, groups))]
        told = (
            f"they differ in {', '.join(mixed)}"
            if mixed
            else f"they differ in none of {', '.join(CONSTANT + CHANGING)}"
        )
        raise VolumeError(
            f"{folder}: holds {len(slices)} images at {len(groups)} positions, expected one at each: several volumes or copies "
            f"in one series; {told}; put each volume into a folder of its own."
        )
    _check_constant(folder, slices)
    for name in CHANGING:
        values = [each.tags.get(name) for each in slices]
        count = len(set(values))
        # one volume acquired slice by slice has its own value in each slice, or halves; two that interleave take turns
        if 1 < count <= len(values) // 2 and values[count:] == values[:-count]:
            raise VolumeError(
                f"{folder}: slices take turns in {_difference(name, [slices])}, expected one volume: several are interleaved "
                "in one series; put each volume into a folder of its own."
            )


def _check_constant(folder: Path, slices: Sequence[DicomSlice]) -> None:
    mixed = [text for name in CONSTANT if (text := _difference(name, [slices]))]
    if mixed:
        raise VolumeError(
            f"{folder}: images of one series differ in {', '.join(mixed)}, expected one volume; put each volume into a folder "
            "of its own."
        )


def _difference(name: str, groups: Iterable[Sequence[DicomSlice]]) -> str:
    """A tag and its values, unless they are private, when it differs within one of the groups."""
    values = {
        value for group in groups if len(found := {_comparable(each, name) for each in group}) > 1 for value in found
    }
    if name in PRIVATE:
        return name if values else ""
    shown = sorted(values)[:SHOWN] + ["..."] * (len(values) > SHOWN)
    return f"{name} ({'; '.join(shown)})" if values else ""


def _comparable(image: DicomSlice, name: str) -> str:
    """A tag's value; the same number written in two ways is one value."""
    text = image.tags.get(name, "absent")
    if name in PRIVATE:
        return text
    try:
        return "\\".join(f"{float(part):g}" for part in text.split("\\"))
    except ValueError:
        return text


def _check_even(folder: Path, heights: np.ndarray) -> None:
    gaps = np.diff(heights)
    if len(gaps) < 2:
        return
    usual, widest = float(np.median(gaps)), int(np.argmax(np.abs(gaps - np.median(gaps))))
    even = np.linspace(heights[0], heights[-1], len(heights))
    if abs(gaps[widest] - usual) <= UNEVEN_SHARE * usual and np.abs(heights - even).max() <= POSITION_TOLERANCE_MM:
        return
    missing = sum(max(0, round(gap / usual) - 1) for gap in gaps)
    raise VolumeError(
        f"{folder}: slices are not evenly spaced, expected one distance: {gaps[widest]:.4g} mm between the slices at "
        f"{heights[widest]:.4g} and {heights[widest + 1]:.4g} mm along the normal, {usual:.4g} mm between most"
        + (f"; about {missing} slices are missing" if missing else "")
        + ": export the whole series again."
    )


def _check_straight(folder: Path, places: np.ndarray) -> None:
    shift = float(np.abs(places[:, :2] - places[0, :2]).max())
    if shift > POSITION_TOLERANCE_MM:
        raise VolumeError(
            f"{folder}: slices shift sideways by up to {shift:.4g} mm (a tilted or sheared stack), expected slices straight "
            "above each other; resample them to a straight grid and write NIfTI."
        )
