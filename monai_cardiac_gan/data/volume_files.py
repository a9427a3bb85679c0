"""Which files make one volume, by the names and first bytes of its format."""

from __future__ import annotations

import re
from pathlib import Path

from monai_cardiac_gan.data.image_headers import meta_image_header, nrrd_header

__all__ = [
    "META_IMAGE_SUFFIXES",
    "MGH_SUFFIXES",
    "NIFTI_SUFFIXES",
    "NRRD_SUFFIXES",
    "PAIR_SUFFIXES",
    "VOLUME_SUFFIXES",
    "is_dicom_image",
    "subject_of",
    "volume_files",
]

NIFTI_SUFFIXES = (".nii.gz", ".nii")
NRRD_SUFFIXES = (".nrrd", ".nhdr")
META_IMAGE_SUFFIXES = (".mha", ".mhd")
MGH_SUFFIXES = (".mgz", ".mgh")
PAIR_SUFFIXES = (".hdr", ".img")
"""NIfTI in two files, or Analyze 7.5, which has no orientation."""
VOLUME_SUFFIXES = (*NIFTI_SUFFIXES, *NRRD_SUFFIXES, *META_IMAGE_SUFFIXES, *MGH_SUFFIXES, PAIR_SUFFIXES[0])
"""Endings of the file that stands for a volume; the others of its files are named by it."""
HEAD_BYTES = 1024
"""Enough of a DICOM file for its meta information, which names the kind of object."""
PREAMBLE_BYTES = 128
"""DICOM part 10, 7.1: 128 bytes of anything, then 'DICM'."""
EXPLICIT_VRS = {b"AE", b"CS", b"DA", b"DT", b"LO", b"OB", b"PN", b"SH", b"TM", b"UI", b"UL", b"UN", b"US"}
"""Value representations that the first element of a DICOM file may have."""
LONGEST_FIRST_VALUE = 128
"""Bytes of the first element's value in files without value representations; it is a length, a code or a UID."""
NO_IMAGE = re.compile(
    rb"1\.2\.840\.10008\.(1\.3\.10|5\.1\.4\.1\.1\.(9|11|66|88|104)(\.\d+)*|5\.1\.4\.1\.1\.481\.[2-9])(?![.\d])"
)
"""SOP classes of DICOMDIR, waveforms, presentation states, raw data and segmentations, reports, documents, and plans:
objects that archives put beside a series' images (DICOM part 4, B.5)."""


def volume_files(path: str | Path) -> list[Path]:
    """All files that a volume is read from, the named one first.

    A folder is a DICOM series: the files that lie directly in it. The header of a MetaImage or NRRD file names the files
    with its voxels; ``.hdr`` and ``.img`` belong together.

    Raises:
        OSError: when the file that should name them cannot be read.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.mhd"
        >>> _ = path.write_text("NDims = 3\\nElementDataFile = a.raw\\n")
        >>> [file.name for file in volume_files(path)]
        ['a.mhd', 'a.raw']
    """
    path = Path(path)
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.is_file())
    name = path.name.lower()
    if name.endswith(META_IMAGE_SUFFIXES):
        return [path, *meta_image_header(path).files]
    if name.endswith(NRRD_SUFFIXES):
        return [path, *nrrd_header(path).files]
    if name.endswith(PAIR_SUFFIXES):
        return [path, *_partner(path)]
    return [path]


def is_dicom_image(path: Path) -> bool:
    """Whether a file is a DICOM image, whatever its name; also without the preamble that the standard asks for.

    Raises:
        OSError: when the file cannot be read.
    """
    if not path.is_file() or path.name.upper() == "DICOMDIR":
        return False
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    is_dicom = head[PREAMBLE_BYTES : PREAMBLE_BYTES + 4] == b"DICM" or _starts_with_an_element(head)
    return is_dicom and NO_IMAGE.search(head) is None


def subject_of(path: Path) -> str:
    """The file's name without the ending of its format: ``la_003.nii.gz`` -> ``la_003``."""
    for suffix in (*VOLUME_SUFFIXES, PAIR_SUFFIXES[1]):
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.name


def _partner(path: Path) -> list[Path]:
    """The other file of a pair, whatever the case of its ending."""
    ending = PAIR_SUFFIXES[1] if path.suffix.lower() == PAIR_SUFFIXES[0] else PAIR_SUFFIXES[0]
    return [each for each in map(path.with_suffix, (ending, ending.upper())) if each.exists()][:1]


def _starts_with_an_element(head: bytes) -> bool:
    """Whether bytes start with an element of the file meta information or of the group that names the object."""
    if len(head) < 8 or head[:2] not in (b"\x02\x00", b"\x08\x00"):
        return False
    length = int.from_bytes(head[4:8], "little")
    return head[4:6] in EXPLICIT_VRS or (0 < length <= LONGEST_FIRST_VALUE and length % 2 == 0)
