"""The header of one DICOM image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from monai_cardiac_gan.data.volume_files import is_dicom_image
from monai_cardiac_gan.transforms.volume_error import VolumeError

__all__ = ["DicomSlice", "header_tags", "slices_of"]

SERIES, FRAMES, SAMPLES, NUMBER = "SeriesInstanceUID", "NumberOfFrames", "SamplesPerPixel", "InstanceNumber"
PATIENT, STUDY, TIME = "PatientID", "StudyInstanceUID", "AcquisitionTime"
POSITION, ORIENTATION, PIXELS = "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"
TAGS = {
    SERIES: "0020|000e",
    FRAMES: "0028|0008",
    SAMPLES: "0028|0002",
    NUMBER: "0020|0013",
    POSITION: "0020|0032",
    ORIENTATION: "0020|0037",
    PIXELS: "0028|0030",
    "ImageType": "0008|0008",
    "EchoTime": "0018|0081",
    "EchoNumbers": "0018|0086",
    "InversionTime": "0018|0082",
    "TemporalPositionIdentifier": "0020|0100",
    "SequenceName": "0018|0024",
    "SliceThickness": "0018|0050",
    "FlipAngle": "0018|1314",
    "RepetitionTime": "0018|0080",
    "ProtocolName": "0018|1030",
    "PatientPosition": "0018|5100",
    "ComplexImageComponent": "0008|9208",
    PATIENT: "0010|0020",
    STUDY: "0020|000d",
    "Rows": "0028|0010",
    "Columns": "0028|0011",
    "TriggerTime": "0018|1060",
    "AcquisitionNumber": "0020|0012",
    TIME: "0008|0032",
}
"""Name -> group and element (DICOM part 6), as ITK writes them."""
SAME_DIRECTION = 1e-3
"""Difference of direction cosines that rounding in headers makes; 0.3 mm over 300 mm."""


@dataclass(frozen=True)
class DicomSlice:
    """The header of one image.

    Attributes:
        path: the file.
        tags: name -> value as text, without the spaces of its padding; absent tags are absent.
    """

    path: Path
    tags: dict[str, str]

    def numbers(self, name: str, count: int) -> np.ndarray | None:
        """A tag's numbers; None where there are not so many finite ones."""
        try:
            values = np.array([float(part) for part in self.tags.get(name, "").split("\\")])
        except ValueError:
            return None
        return values if values.shape == (count,) and np.isfinite(values).all() else None

    @cached_property
    def axes(self) -> np.ndarray | None:
        """(3, 3): directions of a row, of a column and of the normal, in LPS; None where the header does not state them."""
        cosines = self.numbers(ORIENTATION, 6)
        if cosines is None:
            return None
        row, column = cosines[:3], cosines[3:]
        lengths = np.array([np.linalg.norm(row), np.linalg.norm(column)])
        if abs(lengths - 1).max() > SAME_DIRECTION or abs(row @ column) > SAME_DIRECTION:
            return None
        return np.stack([row, column, np.cross(row, column)])

    @cached_property
    def unstated(self) -> list[str]:
        """Tags of the geometry that are missing or make no sense."""
        pixels = self.numbers(PIXELS, 2)
        wrong = {
            POSITION: self.numbers(POSITION, 3) is None,
            ORIENTATION: self.axes is None,
            PIXELS: pixels is None or pixels.min() <= 0,
        }
        return [name for name, is_wrong in wrong.items() if is_wrong]


def slices_of(folder: Path) -> list[DicomSlice]:
    """Headers of all DICOM images that lie directly in a folder; other files are left alone.

    Raises:
        VolumeError: when one of them cannot be read.
    """
    paths = sorted(each for each in folder.iterdir() if is_dicom_image(each))
    slices, unreadable = [], 0
    for path in paths:
        try:
            slices.append(DicomSlice(path, header_tags(path, TAGS)))
        except RuntimeError:
            unreadable += 1
    if unreadable:
        raise VolumeError(
            f"{folder}: {unreadable} of {len(paths)} DICOM files cannot be read, expected complete images; they may be "
            "truncated or damaged: copy or export them again."
        )
    return slices


def header_tags(path: Path, tags: Mapping[str, str]) -> dict[str, str]:
    """Name -> text of those of the tags (name -> group and element) that a file's header has.

    Raises:
        RuntimeError: when ITK cannot read it.
    """
    import itk

    image_io = itk.GDCMImageIO.New()
    image_io.SetFileName(str(path))
    image_io.ReadImageInformation()
    known = image_io.GetMetaDataDictionary()
    texts = {name: str(known[key]).strip(" \0") for name, key in tags.items() if known.HasKey(key)}
    return {name: text for name, text in texts.items() if text}
