"""A volume back on the grid of the file that it was read from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import torch
from monai.data import MetaTensor
from monai.utils import ImageMetaKey, MetaKeys
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation, ornt_transform

from monai_cardiac_gan.atomic import atomic_path
from monai_cardiac_gan.transforms.stated_geometry import POSITION_TOLERANCE_MM

__all__ = ["write_volume"]

SCANNER = 1
"""NIfTI's code of a transform to the scanner's millimetres; other formats know no other."""


@dataclass(frozen=True)
class _Header:
    """What is kept of the acquired file's header."""

    dtype: np.dtype
    qform_code: int
    sform_code: int


def write_volume(
    path: str | os.PathLike[str], voxels: torch.Tensor, acquired: MetaTensor, dtype: np.dtype | type | None = None
) -> Path:
    """Write voxels as NIfTI, with the axes, the place and the number type of the file that a volume was read from.

    Both qform and sform state the place, with the codes of an acquired NIfTI file, so that readers that trust either agree.
    Nothing else is taken from its header, which may name a person.

    Args:
        path: of the new file, ``.nii`` or ``.nii.gz`` (of the lowest, fastest level of compression).
        voxels: (1, X, Y, Z) on the grid of `acquired`.
        acquired: the volume as `LoadVolume` read it, or turned to other axes since; on no other grid.
        dtype: number type; that of the acquired file when None, or, where it has none to keep, the smallest of int16, int32 and
            float32 that holds the acquired voxels. Whole numbers are rounded and stay in the type's range.

    Returns:
        The path.

    Raises:
        ValueError: when the shapes differ, or the volume lies on another grid than its file.
        OSError: when it cannot be written.
    """
    if voxels.shape != acquired.shape:
        raise ValueError(
            f"the voxels are {tuple(voxels.shape)}, the acquired volume {tuple(acquired.shape)}: expected the same."
        )
    affine, turn = _way_back(acquired)
    header = _kept_header(acquired)
    array = apply_orientation(voxels[0].as_subclass(torch.Tensor).cpu().numpy(), turn)
    image = nibabel.Nifti1Image(_as_type(array, np.dtype(header.dtype if dtype is None else dtype)), affine)
    image.set_qform(affine, header.qform_code)
    image.set_sform(affine, header.sform_code)
    image.header.set_xyzt_units("mm")
    with atomic_path(path) as unfinished:
        nibabel.save(image, unfinished)
    return Path(path)


def _way_back(acquired: MetaTensor) -> tuple[np.ndarray, np.ndarray]:
    """Affine of the file, and the turn from the volume's axes to the file's."""
    now = np.asarray(acquired.affine, dtype=np.float64)
    original = np.asarray(acquired.meta.get(MetaKeys.ORIGINAL_AFFINE, now), dtype=np.float64)
    turn = ornt_transform(io_orientation(now), io_orientation(original))
    affine = now @ inv_ornt_aff(turn, acquired.shape[1:])
    far = np.append(np.array(acquired.shape[1:])[turn[:, 0].astype(int).argsort()] - 1.0, 1.0)
    shift = max(float(np.linalg.norm((affine - original) @ corner)) for corner in (np.array([0, 0, 0, 1.0]), far))
    if shift > POSITION_TOLERANCE_MM:
        raise ValueError(
            f"the volume lies up to {shift:.4g} mm from the grid of its file: expected the same grid, in any axes; paint on the "
            "volume's own grid (standard_volume with spacing=None)."
        )
    return original, turn


def _kept_header(acquired: MetaTensor) -> _Header:
    try:
        file = nibabel.load(str(acquired.meta.get(ImageMetaKey.FILENAME_OR_OBJ, "")))
        header = file.header
        is_scaled = (file.dataobj.slope, file.dataobj.inter) != (1.0, 0.0)
        codes = int(header["qform_code"]), int(header["sform_code"])
    except (OSError, ImageFileError, AttributeError, ValueError, KeyError):  # another format, or moved since
        return _Header(_smallest_type(acquired), SCANNER, SCANNER)
    dtype = _smallest_type(acquired) if is_scaled else header.get_data_dtype().newbyteorder("=")
    known = max(codes) or SCANNER
    return _Header(dtype, codes[0] or known, codes[1] or known)


def _smallest_type(acquired: MetaTensor) -> np.dtype:
    values = acquired.as_tensor()
    if bool((values == values.round()).all()):
        low, high = float(values.min()), float(values.max())
        for kind in (np.int16, np.int32):
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return np.dtype(kind)
    return np.dtype(np.float32)


def _as_type(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind not in "iu":
        return array.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(array), limits.min, limits.max).astype(dtype)
