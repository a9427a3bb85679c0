"""The inpainted patches back in their volumes, as files beside the report."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor
from torch import Tensor

from monai_cardiac_gan.data import read_manifest
from monai_cardiac_gan.inferers import InpaintingResult
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import LoadVolume, paste_patch

__all__ = ["SaveInpaintedVolumes"]

logger = logging.getLogger(__name__)

EXPECTED, PAINTED = "expected", "painted"


class SaveInpaintedVolumes:
    """Ignite handler: put the patches of an `InpaintingEvaluator` back into the volumes that they were cut from.

    Of each subject there are two files on the acquired volume's own grid: ``subject_expected.nii.gz``, the volume with the
    expected anatomy in the holes, and ``subject_painted.nii.gz``, a label map that is 1 where voxels were painted. Open them
    beside the acquired volume in 3D Slicer. All voxels outside the holes are those of the acquired volume.

    Args:
        output_dir: where the volumes go.
        patch_set: the patch set's folder, whose manifest names the volumes.
        images: folder in which volumes are looked for that are not where the manifest says.
        load: path to a volume (1, X, Y, Z); give the one with which the patch set was prepared, `LoadVolume` by default.

    Raises:
        FileNotFoundError: when a volume is not there.
        ValueError: when a patch does not belong to its volume (`paste_patch`), or has no affine.
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
        self._subject: str | None = None
        self._volume = MetaTensor(torch.zeros(1, 1, 1, 1))
        self._mask = torch.zeros(1, 1, 1, 1, dtype=torch.bool)

    def attach(self, engine: Engine) -> None:
        """Paste after each batch, write when the next subject comes and at the end."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _start(self, engine: Engine) -> None:
        volumes = read_manifest(self.patch_set)["volumes"]
        self._paths = {entry[Field.SUBJECT]: entry.get(Field.IMAGE, "") for entry in volumes}
        self._subject = None
        self._done: set[str] = set()
        self.output_dir.mkdir(parents=True, exist_ok=True)

    def _collect(self, engine: Engine) -> None:
        result: InpaintingResult = engine.state.output["result"]
        batch: Any = engine.state.batch
        painted = result.best_inpainted()
        for image, subject, filled, hole in zip(
            batch[Field.IMAGE], batch[Field.SUBJECT], painted, result.holes, strict=True
        ):
            self._paste(image, subject, filled, hole)

    def _paste(self, image: Tensor, subject: str, filled: Tensor, hole: Tensor) -> None:
        if not isinstance(image, MetaTensor):
            raise ValueError(f"{subject}: a patch without an affine cannot go back into its volume.")
        if subject != self._subject:
            self._open(subject)
        pasted = paste_patch(self._volume, image.cpu(), filled, hole)
        self._mask |= pasted.as_tensor() != self._volume.as_tensor()
        self._volume = pasted

    def _open(self, subject: str) -> None:
        self._write()
        if subject in self._done:
            raise ValueError(f"{subject}: its patches are not in a row; leave the data loader unshuffled.")
        self._subject, self._volume = subject, self.load(str(self._path(subject)))
        self._mask = torch.zeros(self._volume.shape, dtype=torch.bool)

    def _path(self, subject: str) -> Path:
        path = Path(self._paths[subject])
        tried = [path] if self.images is None else [path, self.images / path, self.images / path.name]
        for each in tried:
            if each.exists():
                return each
        raise FileNotFoundError(
            f"{subject}: its volume is at none of {[str(each) for each in tried]}; name the folder of the volumes (images)."
        )

    def _write(self, engine: Engine | None = None) -> None:
        if self._subject is None:
            return
        for name, values in ((EXPECTED, self._volume.as_tensor()), (PAINTED, self._mask.to(torch.uint8))):
            path = self.output_dir / f"{self._subject}_{name}.nii.gz"
            _save(values[0].cpu().numpy(), np.asarray(self._volume.affine, float), path)
        logger.info("volume: %s", self.output_dir / f"{self._subject}_{EXPECTED}.nii.gz")
        self._done.add(self._subject)
        self._subject = None


def _save(values: np.ndarray, affine: np.ndarray, path: Path) -> None:
    """A NIfTI that is there whole or not at all."""
    unfinished = path.with_name(f"unfinished_{path.name}")
    nibabel.save(nibabel.Nifti1Image(values, affine), unfinished)
    os.replace(unfinished, path)
