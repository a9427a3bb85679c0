"""What a file's header itself states of its geometry: readers fill in a default, without a word, where it states nothing."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import nibabel
import numpy as np

from monai_cardiac_gan.data.image_headers import meta_image_header, nrrd_header
from monai_cardiac_gan.data.volume_files import (
    META_IMAGE_SUFFIXES,
    MGH_SUFFIXES,
    NIFTI_SUFFIXES,
    NRRD_SUFFIXES,
    PAIR_SUFFIXES,
)
from monai_cardiac_gan.transforms.volume_error import VolumeError

__all__ = ["POSITION_TOLERANCE_MM", "millimetres", "sideways_mm", "unstated_geometry"]

POSITION_TOLERANCE_MM = 0.25
"""How far a voxel may lie from where the affine puts it: a quarter of a patch's pixel, less than the localisation errs."""
NRRD_SPACES = ("right-anterior-superior", "ras", "left-anterior-superior", "las", "left-posterior-superior", "lps")
"""Worlds whose axes are those of the body; ITK takes the axes of any other for LPS."""
META_IMAGE_FIELDS = {
    ("ElementSpacing", "ElementSize"): 3,
    ("TransformMatrix", "Rotation", "Orientation"): 9,
    ("Offset", "Position", "Origin"): 3,
}
"""Names under which MetaIO knows spacing, orientation and place, and how many numbers each has in three dimensions."""
MGH_GOOD_RAS = slice(28, 30)
"""Bytes of the flag that says whether an MGH file knows its orientation (FreeSurfer, MghFormat)."""
NIFTI_UNITS = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres in the units of NIfTI-1's `xyzt_units`: not said (millimetres by custom), metre, millimetre, micrometre."""
NIFTI_SPATIAL_UNIT = 0x07
"""Bits of `xyzt_units` for space."""
NAMED_UNITS = {
    **dict.fromkeys(("", "?", "???", "none", "mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 10.0),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1000.0),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre"), 0.001),
}
"""Millimetres in the units that NRRD and MetaImage name; without a name it is millimetres by custom."""


def unstated_geometry(path: Path) -> str:
    """What the header of a file does not state of orientation, voxel size and place; empty when it states all.

    A DICOM series is looked at by `DicomSeriesReader`.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.mha"
        >>> _ = path.write_text("ElementSpacing = 1 1 2\\nOffset = 0 0 0\\nElementDataFile = LOCAL\\n")
        >>> unstated_geometry(path)
        'TransformMatrix'
    """
    name = path.name.lower()
    if name.endswith(NIFTI_SUFFIXES + PAIR_SUFFIXES):
        return _unstated_in_nifti(path)
    if name.endswith(MGH_SUFFIXES):
        with gzip.open(path) if name.endswith(".mgz") else path.open("rb") as file:
            return "" if any(file.read(MGH_GOOD_RAS.stop)[MGH_GOOD_RAS]) else "goodRASFlag"
    if name.endswith(META_IMAGE_SUFFIXES):
        fields = meta_image_header(path).fields
        return ", ".join(
            names[0]
            for names, count in META_IMAGE_FIELDS.items()
            if not any(_are_numbers(fields.get(each, "").split(), count) for each in names)
        )
    if name.endswith(NRRD_SUFFIXES):
        return _unstated_in_nrrd(nrrd_header(path).fields)
    return ""


def millimetres(path: Path) -> np.ndarray:
    """Millimetres in the header's unit of length, along each axis of its world; readers take any unit for millimetres.

    Returns:
        (3,) factors for the rows of the affine.

    Raises:
        VolumeError: when the unit is not known.
    """
    name = path.name.lower()
    if name.endswith(NIFTI_SUFFIXES + PAIR_SUFFIXES):
        header = nibabel.load(path).header
        code = int(header["xyzt_units"]) & NIFTI_SPATIAL_UNIT if "xyzt_units" in header else 0
        return np.full(3, _factor(path, code, NIFTI_UNITS))
    if name.endswith(META_IMAGE_SUFFIXES):
        return np.full(3, _factor(path, meta_image_header(path).fields.get("DistanceUnits", ""), NAMED_UNITS))
    if name.endswith(NRRD_SUFFIXES):
        units = nrrd_header(path).fields.get("space units", '"" "" ""')
        return np.array([_factor(path, unit, NAMED_UNITS) for unit in re.findall('"([^"]*)"', units)])
    return np.ones(3)


def sideways_mm(affine: np.ndarray, shape: tuple[int, ...]) -> float:
    """How far a volume's far side lies beside that of a straight box with the same axes; 0 where they are perpendicular.

    Args:
        affine: (4, 4) from voxels to millimetres.
        shape: (X, Y, Z) voxels.

    Example:
        >>> affine = np.array([[1.0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 3, 0], [0, 0, 0, 1]])
        >>> round(sideways_mm(affine, (5, 5, 30)), 1)
        29.0
    """
    edges = affine[:3, :3] * (np.array(shape) - 1)
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    along = np.abs(directions.T @ edges)
    np.fill_diagonal(along, 0.0)
    return float(along.max())


def _unstated_in_nifti(path: Path) -> str:
    file = nibabel.load(path)
    if not isinstance(file, nibabel.Nifti1Pair):
        return "orientation (Analyze 7.5 has none)"
    # nibabel fills in what is zero, unless it is told not to check
    with file.file_map.get("header", file.file_map["image"]).get_prepare_fileobj("rb") as stream:
        header = type(file.header).from_fileobj(stream, check=False)
    # NIfTI-1 standard, qform_code and sform_code: 0 means that no coordinate system is known
    if header["sform_code"] > 0:
        return ""
    if header["qform_code"] > 0:
        return "" if np.all(header["pixdim"][1:4] != 0) else "pixdim"
    return "qform_code, sform_code"


def _unstated_in_nrrd(fields: Mapping[str, str]) -> str:
    vectors = {name: re.findall(r"\(([^)]*)\)", fields.get(name, "")) for name in ("space directions", "space origin")}
    counts = {"space directions": 3, "space origin": 1}
    unstated = [
        name
        for name, found in vectors.items()
        if len(found) != counts[name] or not all(_are_numbers(vector.split(","), 3) for vector in found)
    ]
    if fields.get("space", "").lower() not in NRRD_SPACES:
        unstated.append("space with the axes of the body")
    return ", ".join(unstated)


def _are_numbers(words: Sequence[str], count: int) -> bool:
    try:
        return len(words) == count and bool(np.isfinite([float(word) for word in words]).all())
    except ValueError:
        return False


def _factor(path: Path, unit: str | int, known: Mapping[str, float] | Mapping[int, float]) -> float:
    factors: dict[object, float] = dict(known)  # type: ignore[arg-type]
    named = unit.strip().lower() if isinstance(unit, str) else unit
    if named not in factors:
        raise VolumeError(
            f"{path}: has the unit of length {unit!r}, expected millimetres, centimetres, metres or micrometres; "
            "correct the header."
        )
    return factors[named]
