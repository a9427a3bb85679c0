"""The inpainted patches back in their volumes, as files beside the report."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor
from monai.transforms import Orientation

from monai_cardiac_gan.data import PatchStore, VolumeEntry, file_name_of, read_manifest
from monai_cardiac_gan.data.manifest import AFFINE
from monai_cardiac_gan.data.patch_set import COLUMNS
from monai_cardiac_gan.inferers import InpaintedPatch, InpaintingResult
from monai_cardiac_gan.keys import PatchColumn
from monai_cardiac_gan.reporting.viewer_files import write_colours
from monai_cardiac_gan.reporting.volume_file import write_volume
from monai_cardiac_gan.transforms import DigestVolume, LoadVolume, VolumePainter
from monai_cardiac_gan.transforms.stated_geometry import POSITION_TOLERANCE_MM
from monai_cardiac_gan.transforms.volume_pipeline import BODY_AXES

__all__ = ["SaveInpaintedVolumes"]

logger = logging.getLogger(__name__)

MOST_OF_USUAL = 2
"""Times the smallest distance of two patches that is still a usual one."""
EXPECTED, PAINTED = "expected", "painted"
COLOURS = "painted.ctbl"


@dataclass
class _OpenVolume:
    """The volume whose patches are coming in; without a painter where it could not be opened."""

    entry: VolumeEntry
    painter: VolumePainter | None
    patches: int = 0


class SaveInpaintedVolumes:
    """Ignite handler: put the patches of an `InpaintingEvaluator` back into the volumes that they were cut from.

    Of each volume there are two files on its own grid: ``subject_expected.nii.gz``, the volume with the expected anatomy
    behind the masks, and ``subject_painted.nii.gz``, a label map that is 1 where voxels were painted. Open them beside the
    acquired volume in 3D Slicer; ``painted.ctbl`` is the colour table of the label maps. Every slice of the volume between the
    patches shows the nearest of them (`VolumePainter`). All voxels outside the masks are those of the acquired volume. Where a
    subject has several volumes, their key stands in the names, too; characters that lead to other folders are percent-encoded
    (`data.file_name_of`).

    A patch or a volume that cannot be painted or written is logged, and the others go on.

    Args:
        output_dir: where the volumes go.
        patch_set: the patch set's folder, whose manifest names the volumes.
        images: folder in which volumes are looked for that are not where the manifest says.
        load: path to a volume (1, X, Y, Z); give the one with which the patch set was prepared, `LoadVolume` by default.

    Raises:
        FileNotFoundError: at the start, when not one volume is there.
        ValueError: at the end, when there were patches and not one could be painted.
    """

    def __init__(
        self,
        output_dir: str,
        patch_set: str,
        images: str | None = None,
        load: Callable[[str], MetaTensor] | None = None,
    ) -> None:
        self.output_dir, self.store = Path(output_dir), PatchStore(patch_set)
        self.images = None if images is None else Path(images)
        self.load = LoadVolume() if load is None else load
        self._open: _OpenVolume | None = None

    def attach(self, engine: Engine) -> None:
        """Paint after each batch, write when the next volume comes and at the end."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.COMPLETED, self._complete)

    def _start(self, engine: Engine) -> None:
        self._entries = read_manifest(self.store.folder).by_key()
        subjects = [entry.subject for entry in self._entries.values()]
        self._shared = {subject for subject in subjects if subjects.count(subject) > 1}
        self._open, self._done = None, set[str]()
        self._painted, self._problems = 0, list[str]()
        self._refuse_if_all_are_gone()
        self.output_dir.mkdir(parents=True, exist_ok=True)

    def _refuse_if_all_are_gone(self) -> None:
        """Tell before the search, not behind it."""
        tried = [self._tried(entry) for entry in self._entries.values()]
        if tried and not any(path.exists() for paths in tried for path in paths):
            raise FileNotFoundError(
                f"{self.store.folder}: not one of its volumes is there (tried: {[str(path) for path in tried[0]]}, ...); name "
                "the folder of the volumes (images)."
            )

    def _collect(self, engine: Engine) -> None:
        result: InpaintingResult = engine.state.output["result"]
        for patch in result:
            try:
                self._paint(patch)
            except (ValueError, OSError) as error:
                self._note(f"{patch.origin.subject}, slice {patch.origin.slice}: {error}")

    def _paint(self, patch: InpaintedPatch) -> None:
        origin = patch.origin
        if origin.affine is None or origin.volume not in self._entries:
            raise ValueError(
                f"a patch without an affine, or of none of the volumes of {self.store.folder}: it cannot go back into its "
                "volume; give the patch set that it was read from."
            )
        if self._open is None or origin.volume != self._open.entry.key:
            self._write()
            entry = self._entries[origin.volume]
            self._open = _OpenVolume(entry, None)  # so that a volume that cannot be opened is tried and told once
            self._open.painter = self._painter(entry)
        if self._open.painter is None:
            self._problems.append(f"{origin.subject}, slice {origin.slice}: its volume could not be opened")
            return
        acquired = MetaTensor(patch.acquired, affine=torch.from_numpy(origin.affine))
        self._open.painter.add(acquired, patch.expected, patch.mask)
        self._open.patches += 1

    def _painter(self, entry: VolumeEntry) -> VolumePainter:
        key = str(entry.key)
        if key in self._done:
            raise ValueError("the patches of this volume are not in a row; leave the data loader unshuffled.")
        self._done.add(key)
        return VolumePainter(self._loaded(entry), self._step_mm(key))

    def _loaded(self, entry: VolumeEntry) -> MetaTensor:
        """The very volume that the patches were cut from; a file of the same name may be another."""
        paths = [path for path in self._tried(entry) if path.exists()]
        if not paths:
            raise FileNotFoundError(
                f"its volume is at none of {[str(path) for path in self._tried(entry)]}; name the folder of the volumes (images)."
            )
        moved = []
        for path in paths:
            volume = self.load(str(path))
            turned = Orientation(axcodes="RAS", labels=BODY_AXES)(volume)
            if entry.digest is not None and DigestVolume()(turned) != entry.digest:
                continue
            if (shift := _shift_mm(turned, entry)) <= POSITION_TOLERANCE_MM:
                return volume
            moved.append(f"{path}: lies up to {shift:.4g} mm from")
        if moved:
            raise ValueError(
                f"{moved[0]} where it lay when the patches were cut from it (another origin, direction or voxel size), expected "
                "the same place; give the file, the axes and the voxel size with which the patch set was prepared, or prepare it "
                "again."
            )
        raise ValueError(
            f"{[str(path) for path in paths]}: holds other voxels than those that the patches were cut from; name the folder of "
            "the volumes (images), with the axes and the voxel size with which the patch set was prepared."
        )

    def _tried(self, entry: VolumeEntry) -> list[Path]:
        path = Path(entry.image)
        return [path] if self.images is None else [path, self.images / path, self.images / path.name]

    def _step_mm(self, key: str) -> float | None:
        """Largest usual distance between the planes of neighbouring patches; None where a volume has fewer than two.

        Patches of every 2 mm lie 3 mm apart here and there, where the volume's slices skip one of the patches' grid. Distances of
        more than twice the smallest are stretches without patches, and stay unpainted.
        """
        columns = self.store.array(key, COLUMNS)
        levels = np.unique(columns[PatchColumn.SLICE]) if columns is not None else np.zeros(0)
        if columns is None or len(levels) < 2:
            return None
        thickness = float(np.linalg.norm(columns[AFFINE][0][:3, 2]))
        distances = np.diff(levels)
        return float(distances[distances <= MOST_OF_USUAL * distances.min()].max()) * thickness

    def _complete(self, engine: Engine) -> None:
        self._write()
        if self._problems:
            logger.warning(
                "%d patches could not go back into their volumes, the first: %s", len(self._problems), self._problems[0]
            )
        if self._problems and not self._painted:
            raise ValueError(f"not one patch could go back into its volume; the first: {self._problems[0]}")

    def _note(self, problem: str, patches: int = 1) -> None:
        self._problems += [problem] * patches
        logger.warning("not painted: %s", problem)

    def _stem(self, entry: VolumeEntry) -> str:
        """Begins the names of a volume's files: the subject, and the key where a subject has several volumes."""
        name = file_name_of(entry.subject)
        return f"{name}_{entry.key}" if entry.subject in self._shared else name

    def _write(self) -> None:
        if self._open is None or self._open.painter is None or not self._open.patches:
            return
        entry, painter, patches = self._open.entry, self._open.painter, self._open.patches
        self._open = None  # first, so that a volume that cannot be written is tried and told once
        try:
            self._save(entry, painter)
        except OSError as error:
            self._note(f"{entry.subject}, {patches} patches: the volume cannot be written: {error}", patches)
        else:
            self._painted += patches

    def _save(self, entry: VolumeEntry, painter: VolumePainter) -> None:
        folder, stem = self.output_dir, self._stem(entry)
        write_volume(folder / f"{stem}_{EXPECTED}.nii.gz", painter.volume, painter.acquired)
        write_volume(folder / f"{stem}_{PAINTED}.nii.gz", painter.painted, painter.acquired, np.uint8)
        write_colours(folder / COLOURS)
        logger.info("volume: %s", self.output_dir / f"{self._stem(entry)}_{EXPECTED}.nii.gz")


def _shift_mm(volume: MetaTensor, entry: VolumeEntry) -> float:
    """Largest distance, mm, of a corner of a volume (1, X, Y, Z) from where the entry's affine puts it; 0 where it has none."""
    if entry.affine is None:
        return 0.0
    corners = np.array([[*corner, 1] for corner in product(*((0, size - 1) for size in volume.shape[1:]))])
    return float(np.linalg.norm(corners @ (np.asarray(volume.affine) - np.asarray(entry.affine)).T, axis=1).max())
