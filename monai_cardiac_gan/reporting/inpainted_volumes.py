"""The inpainted patches back in their volumes, as files beside the report."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor

from monai_cardiac_gan.atomic import atomic_path
from monai_cardiac_gan.data import VolumeEntry, read_manifest
from monai_cardiac_gan.inferers import InpaintedPatch, InpaintingResult
from monai_cardiac_gan.transforms import LoadVolume, paste_patch

__all__ = ["SaveInpaintedVolumes"]

logger = logging.getLogger(__name__)

EXPECTED, PAINTED = "expected", "painted"


@dataclass
class _OpenVolume:
    """The volume whose patches are coming in."""

    entry: VolumeEntry
    values: MetaTensor
    painted: torch.Tensor


class SaveInpaintedVolumes:
    """Ignite handler: put the patches of an `InpaintingEvaluator` back into the volumes that they were cut from.

    Of each volume there are two files on its own grid: ``subject_expected.nii.gz``, the volume with the
    expected anatomy behind the masks, and ``subject_painted.nii.gz``, a label map that is 1 where voxels were painted. Open them
    beside the acquired volume in 3D Slicer. All voxels outside the masks are those of the acquired volume.

    Args:
        output_dir: where the volumes go.
        patch_set: the patch set's folder, whose manifest names the volumes.
        images: folder in which volumes are looked for that are not where the manifest says.
        load: path to a volume (1, X, Y, Z); give the one with which the patch set was prepared, `LoadVolume` by default.

    Raises:
        FileNotFoundError: when a volume is not there.
        ValueError: when a patch does not belong to its volume (`paste_patch`), has no affine, or is not of the patch set.
    """

    def __init__(
        self,
        output_dir: str,
        patch_set: str,
        images: str | None = None,
        load: Callable[[str], MetaTensor] | None = None,
    ) -> None:
        self.output_dir, self.patch_set = Path(output_dir), Path(patch_set)
        self.images = None if images is None else Path(images)
        self.load = LoadVolume() if load is None else load
        self._open: _OpenVolume | None = None

    def attach(self, engine: Engine) -> None:
        """Paste after each batch, write when the next volume comes and at the end."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _start(self, engine: Engine) -> None:
        self._entries = read_manifest(self.patch_set).by_key()
        subjects = [entry.subject for entry in self._entries.values()]
        self._shared = {subject for subject in subjects if subjects.count(subject) > 1}
        self._open, self._done = None, set[str]()
        self.output_dir.mkdir(parents=True, exist_ok=True)

    def _collect(self, engine: Engine) -> None:
        result: InpaintingResult = engine.state.output["result"]
        for patch in result:
            self._paste(patch)

    def _paste(self, patch: InpaintedPatch) -> None:
        origin = patch.origin
        if origin.affine is None or origin.volume not in self._entries:
            raise ValueError(
                f"{origin.subject}: a patch without an affine, or of none of the volumes of {self.patch_set}: it cannot go back "
                "into its volume; give the patch set that it was read from."
            )
        if self._open is None or origin.volume != self._open.entry.key:
            self._write()
            self._open = self._opened(origin.volume)
        acquired = MetaTensor(patch.acquired, affine=torch.from_numpy(origin.affine))
        pasted = paste_patch(self._open.values, acquired, patch.expected, patch.mask)
        self._open.painted |= pasted.as_tensor() != self._open.values.as_tensor()
        self._open.values = pasted

    def _opened(self, key: str) -> _OpenVolume:
        entry = self._entries[key]
        if key in self._done:
            raise ValueError(f"{entry.subject}: its patches are not in a row; leave the data loader unshuffled.")
        values = self.load(str(self._path(entry)))
        return _OpenVolume(entry, values, torch.zeros(values.shape, dtype=torch.bool))

    def _path(self, entry: VolumeEntry) -> Path:
        path = Path(entry.image)
        tried = [path] if self.images is None else [path, self.images / path, self.images / path.name]
        for each in tried:
            if each.exists():
                return each
        raise FileNotFoundError(
            f"{entry.subject}: its volume is at none of {[str(each) for each in tried]}; name the folder of the volumes (images)."
        )

    def _stem(self, entry: VolumeEntry) -> str:
        """Begins the names of a volume's files: the subject, and the key where a subject has several volumes."""
        return f"{entry.subject}_{entry.key}" if entry.subject in self._shared else entry.subject

    def _write(self, engine: Engine | None = None) -> None:
        if self._open is None:
            return
        entry, values = self._open.entry, self._open.values
        for name, part in ((EXPECTED, values.as_tensor()), (PAINTED, self._open.painted.to(torch.uint8))):
            image = nibabel.Nifti1Image(part[0].cpu().numpy(), np.asarray(values.affine, float))
            with atomic_path(self.output_dir / f"{self._stem(entry)}_{name}.nii.gz") as unfinished:
                nibabel.save(image, unfinished)
        logger.info("volume: %s", self.output_dir / f"{self._stem(entry)}_{EXPECTED}.nii.gz")
        self._done.add(str(entry.key))
        self._open = None
