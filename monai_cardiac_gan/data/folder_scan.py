"""Which volumes lie in a folder; what is passed over is said, and why."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monai_cardiac_gan.data.file_name import subject_name
from monai_cardiac_gan.data.volume_files import VOLUME_SUFFIXES, is_dicom_image, subject_of, volume_files
from monai_cardiac_gan.keys import Field

__all__ = ["names_a_label_map", "records_from_folder"]

logger = logging.getLogger(__name__)

LABEL_WORDS = {"gt", "groundtruth", "annotation", "annotations", "mask", "masks", "roi", "rois"}
LABEL_WORDS |= {"label", "labels", "labelmap", "labelmaps", "seg", "segs", "segm", "segmentation", "segmentations"}
"""Words in the names of label maps, as the public data sets of hearts and 3D Slicer use them."""
DOCUMENTS = (".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".yml", ".yaml", ".html", ".pdf", ".log", ".xlsx", ".docx")
"""Files that nobody takes for a volume."""
SHOWN = 10
"""Names that a message lists."""


def records_from_folder(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """One record for each volume file directly in a folder, and for each DICOM series in it and anywhere below it.

    The subject is the file's name without its ending; for DICOM the name of the sub-folder that lies directly in the folder,
    so that all series below it belong to one person. A file whose name says that it is a label map becomes a record with
    `Field.ERROR`. What is passed over is logged, with the reason.

    Raises:
        ValueError: when there is no volume in it.
    """
    folder = Path(folder)
    scan = _Scan(folder)
    for entry in sorted(entry for entry in folder.iterdir() if not entry.name.startswith(".")):
        scan.add(entry)
    records = scan.finish()
    if not records:
        raise ValueError(
            f"{folder}: holds no volumes; expected {', '.join(VOLUME_SUFFIXES)} files or sub-folders with DICOM series."
        )
    return records


def names_a_label_map(path: Path) -> bool:
    """Whether a file's name says that it is a label map.

    Example:
        >>> [names_a_label_map(Path(name)) for name in ("p1_label.nii.gz", "p1.seg.nrrd", "aortaMask.nii", "masked.nii")]
        [True, True, True, False]
    """
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", subject_of(path))
    return any(word.lower() in LABEL_WORDS for word in words)


class _Scan:
    """What was found in a folder, and what was passed over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: list[dict[str, Any]] = []
        self.images: list[Path] = []
        self.parts: set[Path] = set()
        self.others: list[Path] = []
        self.passed: dict[str, list[str]] = {}

    def add(self, entry: Path) -> None:
        """One entry of the folder."""
        if entry.is_dir():
            self._add_folder(entry)
        elif entry.name.lower().endswith(VOLUME_SUFFIXES):
            # by the name alone: a link that leads nowhere must be told of, not passed over
            self.records.append(_record(entry))
            self.parts.update(_parts(entry))
        elif is_dicom_image(entry):
            self.images.append(entry)
        else:
            self.others.append(entry)

    def finish(self) -> list[dict[str, Any]]:
        """The records; what was passed over is logged."""
        if len(self.images) == 1 and self.records:
            self._pass("a single DICOM image, no series", self.images[0].name)
        elif self.images:
            series = {Field.IMAGE: str(self.folder), Field.SUBJECT: subject_name(self.folder.resolve().name)}
            self.records.insert(0, series)
        for entry in self.others:
            if entry not in self.parts and not entry.name.lower().endswith(DOCUMENTS):
                self._pass(f"not read here; expected {', '.join(VOLUME_SUFFIXES)} or DICOM", entry.name)
        for reason, names in self.passed.items():
            shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
            logger.warning("%s: passed over %s (%s)", self.folder, shown, reason)
        return self.records

    def _add_folder(self, entry: Path) -> None:
        volumes, is_series_found = 0, False
        for place in _folders(entry):
            files = sorted(file for file in place.iterdir() if file.is_file())
            volumes += sum(file.name.lower().endswith(VOLUME_SUFFIXES) for file in files)
            if any(map(is_dicom_image, files)):
                is_series_found = True
                self.records.append({Field.IMAGE: str(place), Field.SUBJECT: subject_name(entry.name)})
        if volumes:
            reason = (
                "sub-folders are searched for DICOM only; name their volumes, and who they belong to, in a CSV list"
            )
            self._pass(reason, f"{volumes} volumes in {entry.name}")
        elif not is_series_found:
            self._pass("a folder without volumes", entry.name)

    def _pass(self, reason: str, name: str) -> None:
        self.passed.setdefault(reason, []).append(name)


def _folders(top: Path) -> Iterator[Path]:
    """A folder and all below it, through links, each once; hidden ones are left out."""
    seen: set[Path] = set()
    for place, below, _ in os.walk(top, followlinks=True):
        real = Path(place).resolve()
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield Path(place)


def _parts(path: Path) -> list[Path]:
    """The files that belong to a volume's file."""
    try:
        return volume_files(path)
    except OSError:  # told when the volume is read
        return []


def _record(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = {Field.IMAGE: str(path), Field.SUBJECT: subject_name(subject_of(path))}
    if names_a_label_map(path):
        record[Field.ERROR] = (
            f"{path}: is a label map by its name, expected an image; if it is one, name it in a CSV list, where the content "
            "decides."
        )
    return record
