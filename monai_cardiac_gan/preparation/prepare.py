"""From a data list to a patch set: grade, localise, crop, split; by any number of processes, and again where it stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from tqdm import tqdm

from monai_cardiac_gan.data import (
    PERSON_FIELDS,
    InputNotes,
    PatchStore,
    Record,
    VolumeEntry,
    VolumeTask,
    corrected,
    named_records,
    read_corrections,
    read_manifest,
    read_provenance,
    refuse_contradictory_grades,
    settings_digest,
    unchanged_inputs,
    volume_key,
    wanted_split,
)
from monai_cardiac_gan.data.manifest import MANIFEST
from monai_cardiac_gan.executors import LostWorkerError, choose_executor, run_all
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.preparation.assemble import assemble_manifest, once_each, provenance_of
from monai_cardiac_gan.preparation.prepare_volume import (
    PreparedVolume,
    VolumeSteps,
    excluded,
    prepare_volume,
)
from monai_cardiac_gan.quality import GradeThreshold
from monai_cardiac_gan.reporting.contact_sheet import write_contact_sheet
from monai_cardiac_gan.transforms import (
    Crop,
    CropAortaPatchesd,
    GradeImageQualityd,
    LocaliseAortad,
    ScaleByPercentilesd,
    standard_volume,
)

__all__ = ["PreparePatchSet"]

logger = logging.getLogger(__name__)

PRELOADED = ("monai_cardiac_gan.preparation",)
"""Imported once, for all workers."""
EXCLUDED_STATUS = 3
"""Exit status of a strict run that excluded volumes; 1 and 2 are Python's own."""
PATCH_SPACING_MM = 1.0
"""Pixels of the publication's patches."""
SHOWN = 3
"""Names that a message lists."""


class PreparePatchSet:
    """Make a patch set of all usable volumes; the others are excluded, with the reason.

    A second run does only what is missing: what a volume's patches are made from (content of its files, its entry in the
    data list) and how (settings of all steps, version of the package) names their folder, and a folder that is there is
    not made again. A run that is stopped at any moment loses at most the volumes in hand. The patches are the same bytes
    whatever the number of processes. Beside them lie ``manifest.json`` (what is in the set), ``provenance.json`` (how it
    came about) and the contact sheet.

    Args:
        datalist: records (`data.read_datalist`).
        output_dir: folder of the patch set.
        volume: transform that loads a record in RAS+ axes (`transforms.standard_volume` without resampling).
        grade: transform that fills `Field.QUALITY`.
        threshold: which grades are good enough.
        localise: transform that fills `Field.AORTA`.
        scale: transform that brings intensities to [-1, 1].
        crop: transform that fills `Field.PATCHES`.
        train_fraction: share of the subjects for training.
        seed: of the split and of any jitter.
        min_patches: volumes with fewer believable slices are excluded.
        overwrite: replace a set that was prepared with other settings, or of subjects that the data list no longer names.
        strict: end with an error when a volume was excluded (the patch set is written all the same).
        figures: draw one large figure for each kept volume.
        use_labels: take the aorta from the label maps of records that have one; otherwise they are not read (public
            data lists name label maps of other organs).
        sheet: write the contact sheet.
        corrections: CSV of points inside the aorta (`data.read_corrections`), for volumes that the sheet shows as wrong.
        workers: processes; None takes all cores, 1 works in this process.
        scheduler: address or file of a Dask scheduler whose cluster does the work (extra ``cluster``); all its workers
            must see the files and the output folder under the same paths.
        subject_key: file with a secret, made where it does not exist; with it subjects and files appear nowhere under
            their names, but under keyed hashes (`data.Pseudonyms`).

    Raises:
        ValueError: when a switch is neither True nor False, corrections fit no volume, or the data list has a split that is
            none, one subject in two splits, one split alone, or one file with two grades.
    """

    def __init__(
        self,
        datalist: Sequence[Record],
        output_dir: str,
        volume: Callable[[Any], Any] | None = None,
        grade: Callable[[Any], Any] | None = None,
        threshold: GradeThreshold | None = None,
        localise: Callable[[Any], Any] | None = None,
        scale: Callable[[Any], Any] | None = None,
        crop: Crop | None = None,
        train_fraction: float = 0.8,
        seed: int = 0,
        min_patches: int = 1,
        overwrite: bool = False,
        strict: bool = False,
        figures: bool = False,
        use_labels: bool = False,
        sheet: bool = True,
        corrections: str | None = None,
        workers: int | None = 1,
        scheduler: str | None = None,
        subject_key: str | None = None,
    ) -> None:
        switches = {
            "overwrite": overwrite,
            "strict": strict,
            "figures": figures,
            "use_labels": use_labels,
            "sheet": sheet,
        }
        for name, value in switches.items():
            if not isinstance(value, bool):  # the text "false" is true, and would replace a set
                raise ValueError(f"{name} is {value!r}: expected True or False.")
        self.store = PatchStore(output_dir)
        self.steps = VolumeSteps(
            volume=volume or standard_volume(None),
            grade=grade or GradeImageQualityd(Field.IMAGE),
            threshold=threshold or GradeThreshold(),
            localise=localise or LocaliseAortad(Field.IMAGE),
            scale=scale or ScaleByPercentilesd(Field.IMAGE),
            crop=crop or CropAortaPatchesd(Field.IMAGE, spacing=PATCH_SPACING_MM),
            min_patches=min_patches,
            use_labels=use_labels,
            figures=figures,
            sheet=sheet,
            seed=seed,
        )
        self.train_fraction, self.seed = train_fraction, seed
        self.overwrite, self.strict, self.sheet = overwrite, strict, sheet
        self.workers, self.scheduler = workers, scheduler
        # who was scanned makes no other patches, and must not make them anew
        scans = [{name: value for name, value in record.items() if name not in PERSON_FIELDS} for record in datalist]
        self.records, self.names = named_records(scans, subject_key)
        self.wanted = wanted_split(self.records)
        refuse_contradictory_grades(self.records)
        if corrections is not None:
            images = [name or str(record[Field.IMAGE]) for record, name in zip(self.records, self.names, strict=True)]
            self.records = corrected(self.records, read_corrections(corrections), images)

    def run(self) -> list[VolumeEntry]:
        """Prepare all volumes that are not ready yet.

        Returns:
            The manifest's entry of each record, in their order.

        Raises:
            FileExistsError: when the folder holds something else, a set with other settings, or one of other subjects.
            RuntimeError: when another process is preparing the same set.
            ValueError: when fewer than two different subjects are usable, the data list has a split for some of them only, or
                two grades for one image.
            OSError: when the folder cannot be written, such as a full disk; what is done is kept.
            SystemExit: with status 3, when volumes were excluded and `strict` is true.
        """
        settings = self.steps.settings()
        digest = settings_digest(settings)
        with self.store.claimed():
            earlier = self._earlier(settings, digest)
            prepared = self._prepared(digest)
            _log([volume.entry for volume in prepared])
            manifest = assemble_manifest(
                self.store,
                [volume.entry for volume in prepared],
                digest,
                self.wanted,
                self.train_fraction,
                self.seed,
                earlier,
            )
            self.store.finish(manifest, provenance_of(prepared, settings, self.train_fraction, self.seed))
            if self.sheet:
                sheet = write_contact_sheet(self.store.folder, manifest.volumes)
                logger.info("contact sheet: %s", sheet[0])
            self.store.remove_others(volume.entry.key for volume in prepared if volume.entry.key)
        logger.info("patch set: %s", self.store.folder)
        excluded = len(manifest.volumes) - len(manifest.kept())
        if self.strict and excluded:
            logger.error("%d volumes were excluded and --strict was asked for", excluded)
            raise SystemExit(EXCLUDED_STATUS)
        return list(manifest.volumes)

    def _earlier(self, settings: Mapping[str, Any], digest: str) -> dict[str, str]:
        """The split of the subjects in the set that is there already."""
        if self.overwrite or not (self.store.folder / MANIFEST).exists():
            return {}
        manifest = read_manifest(self.store.folder)
        if manifest.settings != digest:
            provenance = read_provenance(self.store.folder)
            before = {} if provenance is None else provenance.settings
            raise FileExistsError(
                f"{self.store.folder}: holds a patch set that was prepared with other settings "
                f"({', '.join(list(_differences(before, settings))[:SHOWN]) or 'unknown'}); choose another folder, or "
                "overwrite it."
            )
        split = {entry.subject: entry.split for entry in manifest.volumes if entry.split is not None}
        gone = sorted(set(split) - {record[Field.SUBJECT] for record in self.records})
        if gone:
            raise FileExistsError(
                f"{self.store.folder}: holds a patch set of {len(gone)} subjects that the data list does not name "
                f"({', '.join(gone[:SHOWN])}); choose another folder, or overwrite it."
            )
        return split

    def _prepared(self, digest: str) -> list[PreparedVolume]:
        """What became of each record, in their order."""
        notes = InputNotes(self.store.folder)
        tasks = [
            VolumeTask(number, record, name, notes.known(name or str(record[Field.IMAGE])))
            for number, (record, name) in enumerate(zip(self.records, self.names, strict=True))
        ]
        done: dict[int, PreparedVolume] = {}
        with tqdm(total=len(tasks), desc="volumes", unit="volume", disable=None) as bar:
            for task, volume in self._done(tasks, digest, notes, bar):
                done[task.number] = volume
        notes.write()
        return once_each([done[task.number] for task in tasks])

    def _done(
        self, tasks: Sequence[VolumeTask], digest: str, notes: InputNotes, bar: tqdm
    ) -> Iterator[tuple[VolumeTask, PreparedVolume]]:
        """Each volume with its entry, first those that were ready before."""
        missing: list[VolumeTask] = []
        for task in tasks:
            if (volume := self._ready(task, digest)) is None:
                missing.append(task)
            else:
                bar.update()
                notes.add(volume.entry.image, volume.inputs)
                yield task, volume
        ready = len(tasks) - len(missing)
        logger.info("%d of %d volumes are ready from an earlier run", ready, len(tasks))
        work = partial(prepare_volume, self.steps, digest, str(self.store.folder))
        chosen = choose_executor(self.workers, self.scheduler, len(missing), PRELOADED)
        for made, (task, future) in enumerate(run_all(work, missing, *chosen)):
            try:
                volume = future.result()
            except LostWorkerError as error:
                volume = excluded(task, f"{task.image}: {error}")
            except OSError as error:
                notes.write()
                cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
                raise OSError(
                    f"{self.store.folder}: cannot be written ({cause.strerror or cause}); {ready + made} of {len(tasks)} "
                    "volumes are ready and kept: make room and start the same command again."
                ) from error
            bar.update()
            notes.add(volume.entry.image, volume.inputs)
            yield task, volume

    def _ready(self, task: VolumeTask, digest: str) -> PreparedVolume | None:
        """A volume whose files have not changed since it was prepared."""
        states = unchanged_inputs(task, self.steps.use_labels)
        if states is None or self.store.outcome(volume_key(task, digest, states)) is None:
            return None
        return prepare_volume(self.steps, digest, str(self.store.folder), task)


def _log(entries: Sequence[VolumeEntry]) -> None:
    kept = [entry for entry in entries if entry.is_kept]
    logger.info("%d of %d volumes kept, %d patches", len(kept), len(entries), sum(entry.patches for entry in kept))
    for entry in entries:
        if not entry.is_kept:
            logger.warning("excluded: %s: %s", entry.subject, entry.reason)


def _differences(before: Any, now: Any, path: str = "") -> Iterator[str]:
    """Where two trees of settings differ."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in sorted({*before, *now}):
            yield from _differences(before.get(name), now.get(name), f"{path}.{name}" if path else str(name))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif before != now:
        yield f"{path}: {before!r} before, {now!r} now"
