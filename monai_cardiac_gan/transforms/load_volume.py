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
from monai.transforms import EnsureChannelFirst, Transform
from monai.transforms.io.array import switch_endianness
from monai.utils import ImageMetaKey, MetaKeys

from monai_cardiac_gan.data.volume_files import (
    META_IMAGE_SUFFIXES,
    MGH_SUFFIXES,
    NIFTI_SUFFIXES,
    NRRD_SUFFIXES,
    PAIR_SUFFIXES,
)
from monai_cardiac_gan.transforms.dicom_series import DicomSeriesReader
from monai_cardiac_gan.transforms.record_transform import RecordTransform
from monai_cardiac_gan.transforms.stated_geometry import (
    POSITION_TOLERANCE_MM,
    millimetres,
    sideways_mm,
    unstated_geometry,
)
from monai_cardiac_gan.transforms.volume_error import VolumeError

__all__ = ["LoadVolume", "LoadVolumeD", "LoadVolumeDict", "LoadVolumed"]

AXIS_VECTORS = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
"""Directions of letters in RAS+ space."""
NIBABEL_SUFFIXES = NIFTI_SUFFIXES + PAIR_SUFFIXES + MGH_SUFFIXES
ITK_SUFFIXES = NRRD_SUFFIXES + META_IMAGE_SUFFIXES
SMALLEST_SPACING_MM, LARGEST_SPACING_MM = 0.1, 20.0
"""Clinical MR voxels measure 0.3 to 10 mm along each axis; anything far outside is a wrong unit."""


class LoadVolume(Transform):
    """Read a 3D volume as a `MetaTensor` (1, X, Y, Z) float32 with an affine in millimetres, RAS+ world.

    NIfTI and MGH/MGZ are read with nibabel; NRRD, MHA/MHD and folders that hold one DICOM series with ITK, all through
    MONAI's readers. Where a header does not state orientation, voxel size and place, or states what is no straight grid, the
    file is refused: a reader's default is no statement. Lengths in other units become millimetres.

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
        is_stated = self.axes is not None and self.spacing is not None
        image = _read(path, is_stated)
        _check_shape(path, image)
        _trust_nifti(path, image)
        if not is_stated:
            _check_affine(path, image)
            _set_affine(image, np.diag([*millimetres(path), 1.0]) @ np.asarray(image.affine))
            _check_perpendicular(path, image)
        _check_values(path, image)
        if self.axes is not None or self.spacing is not None:
            _set_affine(image, _stated_affine(image, self.axes, self.spacing))
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


def _read(path: Path, is_stated: bool) -> MetaTensor:
    if not path.exists():
        raise VolumeError(f"{path}: no such file or folder; check the path in the data list.")
    reader = _reader(path, is_stated)
    try:
        # without MONAI's LoadImage: it makes a reader of each kind, and the one for GPUs logs that it has no GPU, each time
        array, meta = reader.get_data(reader.read(str(path)))
        meta[ImageMetaKey.FILENAME_OR_OBJ] = str(path)
        image = MetaTensor.ensure_torch_and_prune_meta(array.astype(np.float32), switch_endianness(meta, "<"))
        return EnsureChannelFirst()(image)
    except VolumeError:
        raise
    except Exception as error:  # readers raise anything from EOFError to itk.ExceptionObject
        cause = str(error).strip().splitlines()
        raise VolumeError(
            f"{path}: cannot be read ({type(error).__name__}: {cause[-1] if cause else 'no message'}); "
            "expected a complete image file; it may be truncated or damaged: copy or export it again."
        ) from error


def _reader(path: Path, is_stated: bool) -> ImageReader:
    name = path.name.lower()
    if path.is_dir():
        return DicomSeriesReader(is_stated)
    if name.endswith(NIBABEL_SUFFIXES):
        return NibabelReader()
    if name.endswith(META_IMAGE_SUFFIXES):
        import itk  # here alone: it takes 1.5 GB on the disk, and a machine that only trains can do without

        return ITKReader(imageio=itk.MetaImageIO.New())  # by itself ITK does not know the ending in capitals
    if name.endswith(NRRD_SUFFIXES):
        return ITKReader()
    raise VolumeError(
        f"{path}: the format '{path.suffix}' is not read here; expected {', '.join(NIBABEL_SUFFIXES + ITK_SUFFIXES)} "
        "or a folder with one DICOM series; convert the file."
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
    if not path.name.lower().endswith(NIFTI_SUFFIXES + PAIR_SUFFIXES):
        return
    file = nibabel.load(path)
    if file.get_data_dtype().kind == "c":
        raise VolumeError(f"{path}: holds complex numbers, expected one real channel; write the magnitude image.")
    _set_affine(image, np.asarray(file.affine, dtype=np.float64))


def _set_affine(image: MetaTensor, affine: np.ndarray) -> None:
    image.affine = torch.as_tensor(affine)
    image.meta[MetaKeys.ORIGINAL_AFFINE] = image.affine.clone()


def _check_spacing(path: Path, image: MetaTensor) -> None:
    """Voxels of micrometres or of metres are a wrong unit, and would be resampled to nothing or to all memory."""
    sizes = [float(size) for size in image.pixdim]
    if not all(SMALLEST_SPACING_MM <= size <= LARGEST_SPACING_MM for size in sizes):
        raise VolumeError(
            f"{path}: has voxels of {sizes} mm, expected {SMALLEST_SPACING_MM} to {LARGEST_SPACING_MM} mm along each axis; "
            "check the unit in the header, or give `spacing`."
        )


def _check_affine(path: Path, image: MetaTensor) -> None:
    affine = np.asarray(image.affine, dtype=np.float64)
    usable = affine.shape == (4, 4) and np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 0
    unstated = unstated_geometry(path)
    if not usable or unstated:
        raise VolumeError(
            f"{path}: the header holds no usable affine (no orientation and voxel size"
            + (f": without {unstated}" if unstated else "")
            + "), expected one; give both `axes` and `spacing` if they are known."
        )


def _check_perpendicular(path: Path, image: MetaTensor) -> None:
    shift = sideways_mm(np.asarray(image.affine), tuple(image.shape[1:]))
    if shift > POSITION_TOLERANCE_MM:
        raise VolumeError(
            f"{path}: the axes are not perpendicular (a sheared grid, its far side {shift:.4g} mm beside that of a box), "
            "expected a straight one; resample it to a straight grid."
        )


def _check_values(path: Path, image: MetaTensor) -> None:
    lowest, highest = float(image.min()), float(image.max())
    if not np.isfinite(lowest) or not np.isfinite(highest):
        count = int((~torch.isfinite(image)).sum())
        raise VolumeError(f"{path}: {count} voxels are NaN or infinite, expected numbers; repair or mask them.")
    if lowest == highest:
        raise VolumeError(f"{path}: every voxel is {lowest:g}, expected an image; was it exported fully?")


def _stated_affine(image: MetaTensor, axes: str | None, spacing: Sequence[float] | None) -> np.ndarray:
    """The affine that the user states; the middle of the volume stays where the header had it."""
    sizes = np.asarray(affine_to_spacing(image.affine) if spacing is None else spacing, dtype=np.float64)
    header = np.asarray(image.affine, dtype=np.float64)
    affine = np.eye(4)
    affine[:3, :3] = _directions(header, axes) * sizes
    middle = (np.array(image.shape[1:]) - 1) / 2
    kept = header[:3, :3] @ middle + header[:3, 3] if np.isfinite(header).all() else np.zeros(3)
    affine[:3, 3] = kept - affine[:3, :3] @ middle
    return affine


def _directions(header: np.ndarray, axes: str | None) -> np.ndarray:
    """(3, 3): the direction of each of the array's axes, as stated or, without a statement, as in the header."""
    if axes is None:
        return header[:3, :3] / np.linalg.norm(header[:3, :3], axis=0)
    return np.array([AXIS_VECTORS[letter] for letter in axes], dtype=np.float64).T
