"""One volume from its file to its folder in the patch set: the work that is shared out to processes."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from monai.data import MetaTensor

import monai_cardiac_gan
from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import (
    KEPT,
    InputState,
    PatchRow,
    PatchStore,
    Record,
    VolumeEntry,
    VolumeTask,
    input_fields,
    input_state,
    patch_stack,
    settings_of,
    volume_key,
)
from monai_cardiac_gan.data.manifest import FORMAT
from monai_cardiac_gan.data.patch_set import FINGERPRINTS
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.quality import GradeThreshold, QualityReport
from monai_cardiac_gan.reporting.contact_sheet import ROW
from monai_cardiac_gan.transforms import Crop, reason_of
from monai_cardiac_gan.visualize import contact_row, figure_of_volume, save_figure

__all__ = ["PreparedVolume", "VolumeSteps", "excluded", "prepare_volume"]

logger = logging.getLogger(__name__)

FIGURE = "figure.png"
FIGURE_PATCHES = 5
"""Patches shown of each volume, evenly spaced."""
SEED_DIGITS = 8
"""Hexadecimal digits of the key that seed the jitter: 32 bits."""


@dataclass(frozen=True)
class PreparedVolume:
    """What became of a volume, and what it was made from.

    Attributes:
        entry: for the manifest, without the split.
        inputs: field -> state of the file that was read; empty where none could be read, which is tried again in the next run.
    """

    entry: VolumeEntry
    inputs: Mapping[str, InputState] = field(default_factory=dict)


@dataclass(frozen=True)
class VolumeSteps:
    """What is done to each volume; see `PreparePatchSet` for the parts."""

    volume: Callable[[Any], Any]
    grade: Callable[[Any], Any]
    threshold: GradeThreshold
    localise: Callable[[Any], Any]
    scale: Callable[[Any], Any]
    crop: Crop
    min_patches: int
    use_labels: bool
    figures: bool
    sheet: bool
    seed: int

    def settings(self) -> dict[str, Any]:
        """All of it as JSON values, with the version of the package and of the format."""
        return {"package_version": monai_cardiac_gan.__version__, "format": FORMAT, "steps": settings_of(vars(self))}


def excluded(task: VolumeTask, reason: str, key: str | None = None) -> PreparedVolume:
    """A volume that is excluded for a reason."""
    return PreparedVolume(VolumeEntry(task.record[Field.SUBJECT], task.image, reason=task.shown(reason), key=key))


def prepare_volume(steps: VolumeSteps, steps_digest: str, folder: str, task: VolumeTask) -> PreparedVolume:
    """Do all that is to be done to one volume, unless it was done before.

    Args:
        steps: what is done.
        steps_digest: `settings_digest` of the steps' settings.
        folder: the patch set.
        task: the volume.

    Returns:
        Its entry, and the state of its files.

    Raises:
        OSError: when the patch set cannot be written.
    """
    if Field.ERROR in task.record:
        return excluded(task, str(task.record[Field.ERROR]))
    try:
        names = input_fields(task.record, steps.use_labels)
        states = {name: input_state(task.record[name], (task.known or {}).get(name)) for name in names}
    except OSError as error:
        return excluded(task, task.unreadable(error))
    key, store = volume_key(task, steps_digest, states), PatchStore(folder)
    entry = store.outcome(key) or _Work(steps, task, key).run(store)
    return PreparedVolume(replace(entry, image=task.image, key=key), states)


class _Work:
    """One volume in the making."""

    def __init__(self, steps: VolumeSteps, task: VolumeTask, key: str) -> None:
        self.steps, self.task = steps, task
        self.entry = VolumeEntry(task.record[Field.SUBJECT], task.image, key=key)
        self.record: dict[str, Any] = {}
        self.arrays: dict[str, np.ndarray] = {}

    def run(self, store: PatchStore) -> VolumeEntry:
        """Go through the steps and write what came out."""
        try:
            reason = self._cropped()
        except (ValueError, RuntimeError, OSError, MemoryError) as error:  # one bad volume must not stop the others
            reason = self.task.shown(reason_of(error, str(self.task.record[Field.IMAGE])))
            logger.debug("excluded %s", self.task.image, exc_info=self.task.name is None)
        companions = self._companions(reason is None)
        if reason is not None:
            return store.add(replace(self.entry, reason=reason), self.arrays, companions)
        patches: list[MetaTensor] = self.record[Field.PATCHES]
        pixels = patch_stack([patch[0].as_tensor().numpy() for patch in patches])
        rows = [PatchRow.of(patch.meta, np.asarray(patch.affine), pixels.shape[-1]) for patch in patches]
        return store.add_patches(replace(self.entry, status=KEPT), pixels, rows, self.arrays, companions)

    def _cropped(self) -> str | None:
        """Fill the record; the reason why the volume is excluded, if it is not good enough."""
        steps = self.steps
        used = {name: value for name, value in self.task.record.items() if steps.use_labels or name != Field.LABEL}
        self.record = steps.grade(steps.volume(used))
        report: QualityReport = self.record[Field.QUALITY]
        self.entry = replace(
            self.entry,
            grade=report.grade,
            grader=report.grader,
            measures={name: value if np.isfinite(value) else None for name, value in report.reasons.items()},
            digest=self.record.get(Field.DIGEST),
            affine=self.record.get(Field.GRID),
        )
        if (fingerprint := self.record.get(Field.FINGERPRINT)) is not None:
            self.arrays[FINGERPRINTS] = fingerprint
        if (reason := steps.threshold.reason_to_drop(report)) is not None:
            return f"{self.task.image}: {reason}"
        self.record = steps.localise(self.record)
        self.entry = replace(self.entry, track_confidence=self.record[Field.AORTA].track_confidence)
        crop = copy.deepcopy(steps.crop)  # threads of one process share the steps, and the jitter has a state
        crop.set_random_state(steps.seed ^ int(str(self.entry.key)[:SEED_DIGITS], 16))
        self.record |= {Field.PATCHES: crop(steps.scale(self.record))[Field.PATCHES]}
        count = len(self.record[Field.PATCHES])
        if count < steps.min_patches:
            return (
                f"{self.task.image}: the descending aorta was believable on {count} slices, expected at least "
                f"{steps.min_patches}; give a seed point inside it, or a label map."
            )
        return None

    def _companions(self, kept: bool) -> dict[str, Callable[[Path], Any]]:
        """Pictures that belong to the volume."""
        made: dict[str, Callable[[Path], Any]] = {}
        image = self.record.get(Field.IMAGE)
        if self.steps.sheet and isinstance(image, MetaTensor):
            track = self.record.get(Field.AORTA) or AortaTrack.empty()
            row = contact_row(image[0].as_tensor().numpy(), np.asarray(image.affine), track)
            tiles = [tile.as_entry() for tile in (*row.tiles, *row.views)]
            self.entry = replace(self.entry, row=f"{self.entry.folder}/{ROW}", tiles=tiles)
            made[ROW] = row.image.save
        if self.steps.figures and kept:
            made[FIGURE] = partial(save_figure, _figure(self.record))
            self.entry = replace(self.entry, figure=f"{self.entry.folder}/{FIGURE}")
        return made


def _figure(record: Record) -> Figure:
    image, patches = record[Field.IMAGE], record[Field.PATCHES]
    track, spacing = record[Field.AORTA], image.pixdim.numpy()
    shown = [patches[i] for i in np.linspace(0, len(patches) - 1, min(FIGURE_PATCHES, len(patches))).astype(int)]
    return figure_of_volume(
        image[0].as_tensor().numpy(),
        spacing,
        track,
        [(int(patch.meta[PatchColumn.SLICE]), patch[0].as_tensor().numpy()) for patch in shown],
        name=str(record[Field.SUBJECT]),
        patch_slice_mm=float(np.linalg.norm(np.asarray(patches[0].affine)[:3, 2])),
    )
