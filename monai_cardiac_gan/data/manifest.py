"""What a patch set says of itself: its volumes, its patches, and how it came about; read and written here alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.data.content_hash import InputState
from monai_cardiac_gan.keys import PatchColumn

__all__ = [
    "EXCLUDED",
    "FORMAT",
    "KEPT",
    "Manifest",
    "NearDuplicate",
    "PatchRow",
    "Provenance",
    "VolumeEntry",
    "VolumeSource",
    "column_table",
    "read_manifest",
    "read_provenance",
    "read_volume_entry",
    "write_manifest",
    "write_provenance",
    "write_volume_entry",
]

FORMAT = "monai_cardiac_gan patch set 3"
"""Changes whenever an older version of the package could misread what is on the disk."""
KEPT, EXCLUDED = "kept", "excluded"
"""Status of a volume."""
MANIFEST, PROVENANCE, OUTCOME = "manifest.json", "provenance.json", "outcome.json"
VOLUMES = "volumes"
"""Folder with one folder for each volume."""

T = TypeVar("T")


@dataclass(frozen=True)
class VolumeEntry:
    """What became of one volume of the data list.

    Attributes:
        subject: the person.
        image: the file, or what stands for it under pseudonyms.
        status: `KEPT` or `EXCLUDED`.
        reason: why it was excluded; empty if it was kept.
        key: name of its folder, which tells what it was made from and how; None where its files could not be read.
        split: ``"train"`` or ``"test"``, in the manifest of a finished set.
        grade: image quality, 0 to 4.
        grader: who graded.
        measures: name -> what an automatic grade rests on; None where it was not finite.
        digest: `volume_digest`.
        affine: four rows of four numbers, from voxels in RAS+ order to scanner millimetres, before any resampling; None in sets
            of earlier versions.
        track_confidence: 0 to 1, see `AortaTrack`.
        patches: how many were cut.
        row: picture for the contact sheet, relative to the patch set's folder.
        tiles: where the axial slices lie in it, see `visualize.Tile`.
        figure: large figure, relative to the patch set's folder.
    """

    subject: str
    image: str
    status: str = EXCLUDED
    reason: str = ""
    key: str | None = None
    split: str | None = None
    grade: float | None = None
    grader: str | None = None
    measures: Mapping[str, float | None] | None = None
    digest: str | None = None
    affine: Sequence[Sequence[float]] | None = None
    track_confidence: float | None = None
    patches: int = 0
    row: str | None = None
    tiles: Sequence[Mapping[str, Any]] | None = None
    figure: str | None = None

    def __post_init__(self) -> None:
        if self.status not in (KEPT, EXCLUDED):
            raise ValueError(f"the status of {self.image} is '{self.status}': expected '{KEPT}' or '{EXCLUDED}'.")

    def __getitem__(self, name: str) -> Any:
        """A field by its name, as in the JSON of the manifest.

        Raises:
            KeyError: when there is no such field.

        Example:
            >>> VolumeEntry("ann", "a.nii", patches=7)["patches"]
            7
        """
        if name not in {each.name for each in fields(self)}:
            raise KeyError(
                f"{name!r} is no field of a volume's entry: expected one of {[each.name for each in fields(self)]}."
            )
        return getattr(self, name)

    @property
    def is_kept(self) -> bool:
        """Whether its patches belong to the set."""
        return self.status == KEPT

    @property
    def folder(self) -> str:
        """Its folder, relative to the patch set's.

        Raises:
            ValueError: when it has none.
        """
        if self.key is None:
            raise ValueError(f"{self.image} has no folder in the patch set: it could not be read ({self.reason}).")
        return f"{VOLUMES}/{self.key}"


@dataclass(frozen=True)
class PatchRow:
    """What is known of one patch beside its pixels: one row of the table beside the patches.

    Attributes:
        slice: see `PatchColumn.SLICE`, and so for all that follow.
        valid_x_start: first valid pixel along the first axis.
        valid_x_stop: the one behind the last.
        valid_y_start: the same along the second axis.
        valid_y_stop: the same along the second axis.
        centre_x_mm: the aorta's centre along the first axis.
        centre_y_mm: along the second.
        diameter_mm: the aorta's.
        confidence: of the track on this slice, 0 to 1.
        padded_share: share of the pixels outside the field of view.
        intensity_low: brightness in the file that became -1.
        intensity_high: brightness in the file that became 1.
        affine: (4, 4) from (row, column, 0, 1) to scanner millimetres.
    """

    slice: int
    valid_x_start: int
    valid_x_stop: int
    valid_y_start: int
    valid_y_stop: int
    centre_x_mm: float
    centre_y_mm: float
    diameter_mm: float
    confidence: float
    padded_share: float
    intensity_low: float = -1.0
    intensity_high: float = 1.0
    affine: np.ndarray = field(default_factory=lambda: np.eye(4), compare=False)

    @classmethod
    def of(cls, meta: Mapping[str, Any], affine: np.ndarray, size: int) -> PatchRow:
        """The row of a patch from its metadata.

        Args:
            meta: entries of `PatchColumn`; the brightness window may be missing and is then that of patches in [-1, 1], and
                without bounds the whole patch is valid.
            affine: (4, 4).
            size: side of the patch, pixels.

        Raises:
            ValueError: when an entry is missing.
        """
        bounds = (
            PatchColumn.VALID_X_START,
            PatchColumn.VALID_X_STOP,
            PatchColumn.VALID_Y_START,
            PatchColumn.VALID_Y_STOP,
        )
        known = {**dict(zip(bounds, (0, size, 0, size), strict=True)), **meta}
        names = [each.name for each in fields(cls) if each.name != AFFINE]
        missing = [each.name for each in fields(cls) if each.name not in (AFFINE, *known) and each.default is MISSING]
        if missing:
            raise ValueError(
                f"a patch without {', '.join(missing)}: expected all of PatchColumn; cut it by CropAortaPatches."
            )
        return cls(
            **{name: known[name] for name in names if name in known}, affine=np.asarray(affine, dtype=np.float64)
        )

    @classmethod
    def read(cls, table: np.ndarray, row: int) -> PatchRow:
        """A row of a table."""
        values = {name: table[name][row].item() for name in COLUMN_TYPE.names or () if name != AFFINE}
        return cls(**values, affine=table[AFFINE][row].copy())

    def meta(self) -> dict[str, Any]:
        """Entries of `PatchColumn`, without the affine."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != AFFINE}

    def bounds(self) -> list[int]:
        """(4,) of the valid region, as `valid_region` takes them."""
        return [self.valid_x_start, self.valid_x_stop, self.valid_y_start, self.valid_y_stop]


AFFINE = "affine"
_STORED = {"int": "<i2", "float": "<f8"}
COLUMN_TYPE = np.dtype(
    [
        (PatchColumn.SLICE, "<i4"),
        *((each.name, _STORED[str(each.type)]) for each in fields(PatchRow)[1:-1]),
        (AFFINE, "<f8", (4, 4)),
    ]
)
"""A `PatchRow` as it is stored."""


@dataclass(frozen=True)
class NearDuplicate:
    """Two volumes of different subjects that are nearly the same image.

    Attributes:
        subjects: of both.
        images: of both.
        cosine: of their fingerprints.
    """

    subjects: Sequence[str]
    images: Sequence[str]
    cosine: float


@dataclass(frozen=True)
class Manifest:
    """What is in a finished patch set.

    Attributes:
        volumes: in the order of the data list.
        settings: digest of how it was made.
        train_fraction: asked for.
        seed: of the split.
        package_version: that made it.
        identical_subjects: groups of subjects that share a volume, kept in one split.
        nearly_identical_images: pairs that joined subjects to such groups.
        format: `FORMAT`.
    """

    volumes: Sequence[VolumeEntry]
    settings: str = ""
    train_fraction: float | None = None
    seed: int | None = None
    package_version: str | None = None
    identical_subjects: Sequence[Sequence[str]] = ()
    nearly_identical_images: Sequence[NearDuplicate] = ()
    format: str = FORMAT

    def kept(self) -> list[VolumeEntry]:
        """The volumes whose patches belong to the set."""
        return [entry for entry in self.volumes if entry.is_kept]

    def by_key(self) -> dict[str, VolumeEntry]:
        """Key -> kept volume."""
        return {entry.key: entry for entry in self.kept() if entry.key is not None}


@dataclass(frozen=True)
class VolumeSource:
    """Where one volume came from.

    Attributes:
        subject: see `VolumeEntry`, as all but the next.
        image: the file.
        status: kept or excluded.
        reason: why.
        key: of its folder.
        inputs: field -> state of the file that was read.
    """

    subject: str
    image: str
    status: str
    reason: str
    key: str | None
    inputs: Mapping[str, InputState]


@dataclass(frozen=True)
class Provenance:
    """How a patch set came about.

    Attributes:
        python: version.
        versions: library -> version, None where it is not installed.
        settings: of all steps, as `settings_of` gives them.
        train_fraction: asked for.
        seed: of the split.
        volumes: in the order of the data list.
    """

    python: str
    versions: Mapping[str, str | None]
    settings: Mapping[str, Any]
    train_fraction: float
    seed: int
    volumes: Sequence[VolumeSource]


def column_table(rows: Sequence[PatchRow]) -> np.ndarray:
    """Rows as a table of `COLUMN_TYPE`.

    Example:
        >>> row = PatchRow(7, 0, 128, 0, 128, 64.0, 64.0, 22.5, 0.9, 0.0)
        >>> PatchRow.read(column_table([row]), 0) == row
        True
    """
    table = np.zeros(len(rows), dtype=COLUMN_TYPE)
    for place, row in enumerate(rows):
        for name in COLUMN_TYPE.names or ():
            table[name][place] = getattr(row, name)
    return table


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """The manifest of a finished patch set.

    Raises:
        FileNotFoundError: when the folder holds no finished patch set.
        ValueError: when it is of another format, or damaged.
    """
    path = Path(folder) / MANIFEST
    if not path.exists():
        raise FileNotFoundError(f"{path}: no finished patch set lies here; run the bundle's `prepare` first.")
    content = _read(path)
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path}: has the format {content.get('format')!r}, expected {FORMAT!r}; prepare the patch set again."
        )
    content["volumes"] = [_typed(VolumeEntry, each, path) for each in content["volumes"]]
    pairs = content.get("nearly_identical_images", ())
    content["nearly_identical_images"] = [_typed(NearDuplicate, each, path) for each in pairs]
    return _typed(Manifest, content, path)


def write_manifest(folder: str | os.PathLike[str], manifest: Manifest) -> Path:
    """Write the manifest, which makes the set complete; nothing is touched when it says what it said before."""
    path, content = Path(folder) / MANIFEST, _plain(manifest)
    if not path.exists() or _read(path) != json.loads(json.dumps(content)):
        write_json(path, content)
    return path


def read_provenance(folder: str | os.PathLike[str]) -> Provenance | None:
    """How a patch set came about; None where nothing tells it."""
    path = Path(folder) / PROVENANCE
    if not path.exists():
        return None
    content = _read(path)
    content["volumes"] = [
        _typed(VolumeSource, {**each, "inputs": {n: InputState(**s) for n, s in each["inputs"].items()}}, path)
        for each in content["volumes"]
    ]
    return _typed(Provenance, content, path)


def write_provenance(folder: str | os.PathLike[str], provenance: Provenance) -> Path:
    """Write how a patch set came about."""
    return write_json(Path(folder) / PROVENANCE, asdict(provenance))


def read_volume_entry(folder: str | os.PathLike[str]) -> VolumeEntry | None:
    """What became of a volume, from its folder; None if nobody has finished it."""
    path = Path(folder) / OUTCOME
    try:
        content = _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _typed(VolumeEntry, content, path)


def write_volume_entry(folder: str | os.PathLike[str], entry: VolumeEntry) -> Path:
    """Write what became of a volume into its folder."""
    return write_json(Path(folder) / OUTCOME, _plain(entry))


def _read(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    try:
        content: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: is damaged ({error}); remove it and prepare the patch set again.") from error
    return content


def _plain(value: Any) -> Any:
    """A dataclass as JSON values; what has no value is left out."""
    if isinstance(value, VolumeEntry | Manifest | NearDuplicate):
        pairs = ((each.name, getattr(value, each.name)) for each in fields(value))
        return {name: _plain(each) for name, each in pairs if each is not None}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value


def _typed(kind: type[T], content: Mapping[str, Any], path: Path) -> T:
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(content) - names)
    try:
        return kind(**{name: value for name, value in content.items() if name in names and not unknown})
    except TypeError as error:
        raise ValueError(
            f"{path}: does not hold a {kind.__name__} ({', '.join(unknown) or error}): it is damaged or was written by another "
            "version; prepare the patch set again."
        ) from error
