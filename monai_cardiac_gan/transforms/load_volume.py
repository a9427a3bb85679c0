"""Read one volume from disk, with axes that can be trusted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import torch
from monai.data import ITKReader, MetaTensor, NibabelReader
from monai.data.image_reader import ImageReader
from monai.data.utils import affine_to_spacing
from monai.transforms import LoadImage, Transform
from monai.utils import MetaKeys

from monai_cardiac_gan.transforms.record_transform import RecordTransform

__all__ = ["LoadVolume", "LoadVolumeD", "LoadVolumeDict", "LoadVolumed", "VolumeError"]

AXIS_VECTORS = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
"""Directions of letters in RAS+ space."""
NIFTI_SUFFIXES = (".nii", ".nii.gz")
ITK_SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
NRRD_SUFFIXES = (".nrrd", ".nhdr")
SMALLEST_SPACING_MM, LARGEST_SPACING_MM = 0.1, 20.0
"""Clinical MR voxels measure 0.3 to 10 mm along each axis; anything far outside is a wrong unit."""
NRRD_HEADER_BYTES = 65536
"""More than any NRRD header without per-slice metadata; it ends at the first empty line."""


class VolumeError(ValueError):
    """One volume cannot be used; the message names its file, what was found, what was expected and what to do."""


class LoadVolume(Transform):
    """Read a 3D volume as a `MetaTensor` (1, X, Y, Z) float32 with an affine in millimetres, RAS+ world.

    NIfTI is read with nibabel; NRRD, MHA/MHD and folders that hold one DICOM series with ITK, all through MONAI's readers.

    Args:
        axes: what the array's three axes really are, such as ``"ASR"`` (first axis towards anterior, second towards
            superior, third towards the right), for data sets whose headers lie; None trusts the header.
        spacing: voxel size along the three array axes in mm, for files that do not say it or say it wrongly.

    Raises:
        ValueError: when `axes` does not name three different body axes or `spacing` not three positive sizes.
        VolumeError: on reading, when the file cannot be used; the message names the file.

    Example:
        >>> LoadVolume(axes="ASR")("la_003.nii.gz").shape  # doctest: +SKIP
        torch.Size([1, 256, 256, 130])
    """

    def __init__(self, axes: str | None = None, spacing: Sequence[float] | None = None) -> None:
        self.axes = None if axes is None else _checked_axes(axes)
        self.spacing = None if spacing is None else _checked_sizes(spacing)

    def __call__(self, filename: str | os.PathLike[str]) -> MetaTensor:
        """Read one file or one folder with a DICOM series."""
        path = Path(filename)
        image = _read(path)
        _check_shape(path, image)
        _trust_nifti(path, image)
        _check_affine(path, image, self.axes is not None and self.spacing is not None)
        _check_values(path, image)
        if self.axes is not None or self.spacing is not None:
            affine = _stated_affine(image, self.axes, self.spacing)
            image.affine = affine
            image.meta[MetaKeys.ORIGINAL_AFFINE] = affine.clone()
        _check_spacing(path, image)
        return image


class LoadVolumed(RecordTransform):
    """Dictionary version of `LoadVolume`."""

    array_class = LoadVolume


LoadVolumeD = LoadVolumeDict = LoadVolumed


def _checked_axes(axes: str) -> str:
    letters = axes.upper()
    pairs = {frozenset(pair) for pair in ("RL", "AP", "SI")}
    named = {pair for pair in pairs for letter in letters if letter in pair}
    if len(letters) != 3 or len(named) != 3:
        raise ValueError(
            f"axes '{axes}' does not name three body axes: give one letter of each of R/L, A/P and S/I, such as 'ASR'."
        )
    return letters


def _checked_sizes(spacing: Sequence[float]) -> tuple[float, ...]:
    sizes = tuple(float(size) for size in spacing)
    if len(sizes) != 3 or not all(np.isfinite(size) and size > 0 for size in sizes):
        raise ValueError(f"spacing {list(spacing)} is not three positive voxel sizes in mm.")
    return sizes


def _read(path: Path) -> MetaTensor:
    if not path.exists():
        raise VolumeError(f"{path}: no such file or folder; check the path in the data list.")
    name = path.name.lower()
    if path.is_dir():
        _check_one_series(path)
        reader: ImageReader = ITKReader()
    elif name.endswith(NIFTI_SUFFIXES):
        reader = NibabelReader()
    elif name.endswith(ITK_SUFFIXES):
        reader = ITKReader()
    else:
        raise VolumeError(
            f"{path}: the format '{path.suffix}' is not read here; expected {', '.join(NIFTI_SUFFIXES + ITK_SUFFIXES)} "
            "or a folder with one DICOM series; convert the file."
        )
    try:
        # given on calling, the reader is the only one tried; given on construction, all others would follow
        return LoadImage(image_only=True, ensure_channel_first=True, dtype=np.float32)(path, reader)
    except Exception as error:  # readers raise anything from EOFError to itk.ExceptionObject
        cause = str(error).strip().splitlines()
        raise VolumeError(
            f"{path}: cannot be read ({type(error).__name__}: {cause[-1] if cause else 'no message'}); "
            "expected a complete image file; it may be truncated or damaged: copy or export it again."
        ) from error


def _check_one_series(folder: Path) -> None:
    import itk  # here alone: it takes 1.5 GB on the disk, and a machine that only trains can do without

    names = itk.GDCMSeriesFileNames.New()
    names.SetUseSeriesDetails(True)
    names.AddSeriesRestriction("0008|0021")  # the series date, as MONAI's ITKReader does
    names.SetDirectory(str(folder))
    count = len(names.GetSeriesUIDs())
    if count != 1:
        raise VolumeError(
            f"{folder}: holds {count} DICOM series, expected exactly one; "
            + ("put each series into a folder of its own." if count else "check that the folder holds DICOM files.")
        )


def _check_shape(path: Path, image: MetaTensor) -> None:
    shape = tuple(image.shape)
    spatial, channels = shape[1:], shape[0]
    if channels != 1 or len(spatial) != 3:
        found = spatial if channels == 1 else (*spatial, channels)
        raise VolumeError(
            f"{path}: has {len(found)} axes of sizes {found}, expected three (one volume); "
            "extract one time frame or channel, or stack the slices first."
        )
    if min(spatial) < 2:
        raise VolumeError(
            f"{path}: has size {spatial}, expected at least two voxels along each axis; is it a single slice?"
        )


def _trust_nifti(path: Path, image: MetaTensor) -> None:
    """Take a NIfTI's affine from nibabel itself: MONAI's reader replaces sforms that disagree with the voxel sizes."""
    if not path.name.lower().endswith(NIFTI_SUFFIXES):
        return
    file = nibabel.load(path)
    if file.get_data_dtype().kind == "c":
        raise VolumeError(f"{path}: holds complex numbers, expected one real channel; write the magnitude image.")
    image.affine = torch.as_tensor(np.asarray(file.affine, dtype=np.float64))
    image.meta[MetaKeys.ORIGINAL_AFFINE] = image.affine.clone()


def _check_spacing(path: Path, image: MetaTensor) -> None:
    """Voxels of micrometres or of metres are a wrong unit, and would be resampled to nothing or to all memory."""
    sizes = [float(size) for size in image.pixdim]
    if not all(SMALLEST_SPACING_MM <= size <= LARGEST_SPACING_MM for size in sizes):
        raise VolumeError(
            f"{path}: has voxels of {sizes} mm, expected {SMALLEST_SPACING_MM} to {LARGEST_SPACING_MM} mm along each axis; "
            "check the unit in the header, or give `spacing`."
        )


def _check_affine(path: Path, image: MetaTensor, replaced: bool) -> None:
    if replaced:
        return
    affine = np.asarray(image.affine, dtype=np.float64)
    usable = affine.shape == (4, 4) and np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 0
    if not usable or not _states_an_affine(path):
        raise VolumeError(
            f"{path}: the header holds no usable affine (no orientation and voxel size), expected one; "
            "give both `axes` and `spacing` if they are known."
        )


def _states_an_affine(path: Path) -> bool:
    """Whether the header states an affine at all: the readers fill in a default where it does not."""
    name = path.name.lower()
    if name.endswith(NIFTI_SUFFIXES):
        header = nibabel.load(path).header
        # NIfTI-1 standard, qform_code and sform_code: 0 means that no coordinate system is known
        return bool(header["qform_code"] > 0 or header["sform_code"] > 0)
    if name.endswith(NRRD_SUFFIXES):
        with path.open("rb") as file:
            return b"\nspace directions:" in file.read(NRRD_HEADER_BYTES).split(b"\n\n")[0]
    return True


def _check_values(path: Path, image: MetaTensor) -> None:
    lowest, highest = float(image.min()), float(image.max())
    if not np.isfinite(lowest) or not np.isfinite(highest):
        count = int((~torch.isfinite(image)).sum())
        raise VolumeError(f"{path}: {count} voxels are NaN or infinite, expected numbers; repair or mask them.")
    if lowest == highest:
        raise VolumeError(f"{path}: every voxel is {lowest:g}, expected an image; was it exported fully?")


def _stated_affine(image: MetaTensor, axes: str | None, spacing: Sequence[float] | None) -> torch.Tensor:
    """The affine that the user states; the middle of the volume stays where the header had it."""
    sizes = np.asarray(affine_to_spacing(image.affine) if spacing is None else spacing, dtype=np.float64)
    header = np.asarray(image.affine, dtype=np.float64)
    letters = axes or "".join(nibabel.aff2axcodes(header))
    affine = np.eye(4)
    affine[:3, :3] = np.array([AXIS_VECTORS[letter] for letter in letters], dtype=np.float64).T * sizes
    middle = (np.array(image.shape[1:]) - 1) / 2
    kept = header[:3, :3] @ middle + header[:3, 3] if np.isfinite(header).all() else np.zeros(3)
    affine[:3, 3] = kept - affine[:3, :3] @ middle
    return torch.as_tensor(affine)
