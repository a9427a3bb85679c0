"""From a data list to a patch set: grade, localise, crop, split; by any number of processes, and again where it stopped."""

from __future__ import annotations

import json
import logging
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tqdm import tqdm

import monai_cardiac_gan
from monai_cardiac_gan.apps.contact_sheet import write_contact_sheet
from monai_cardiac_gan.apps.executors import LostWorkerError, available_cores, dask_executor, local_executor, run_all
from monai_cardiac_gan.apps.prepare_volume import (
    FINGERPRINTS,
    KEPT,
    LEFT_OUT,
    VolumeSteps,
    VolumeTask,
    input_fields,
    prepare_volume,
    volume_key,
)
from monai_cardiac_gan.data import (
    InputState,
    PatchStore,
    Pseudonyms,
    Record,
    corrected,
    given_split,
    input_state,
    near_duplicates,
    read_corrections,
    read_manifest,
    same_person_groups,
    settings_digest,
    split_subjects,
    write_json,
)
from monai_cardiac_gan.data.patch_set import MANIFEST, PROVENANCE
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.quality import GradeThreshold
from monai_cardiac_gan.transforms import (
    CropAortaPatchesd,
    GradeImageQualityd,
    LocaliseAortad,
    ScaleByPercentilesd,
    standard_volume,
)

__all__ = ["PreparePatchSet"]

logger = logging.getLogger(__name__)

INPUTS = "inputs.json"
"""Sizes, times and digests of the files that were read, so that a second run need not read them."""
NOTE_SECONDS = 10.0
"""How often that file is brought up to date during a run."""
LEFT_OUT_STATUS = 3
"""Exit status of a strict run that left volumes out; 1 and 2 are Python's own."""
PATCH_SPACING_MM = 1.0
"""Pixels of the publication's patches."""
LIBRARIES = ("torch", "monai", "numpy", "scipy", "scikit-image", "nibabel", "itk")
"""Their versions are noted beside the set."""
SHOWN = 3
"""Names that a message lists."""


class PreparePatchSet:
    """Make a patch set of all usable volumes; leave the others out, with the reason.

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
        min_patches: volumes with fewer believable slices are left out.
        overwrite: replace a set that was prepared with other settings, or of subjects that the data list no longer names.
        strict: end with an error when a volume was left out (the patch set is written all the same).
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
        ValueError: when corrections fit no volume.
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
        crop: Callable[[Any], Any] | None = None,
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
        self.workers, self.scheduler = available_cores() if workers is None else workers, scheduler
        self.records, self.names = _renamed(datalist, subject_key)
        if corrections is not None:
            shown = [name or str(record[Field.IMAGE]) for record, name in zip(self.records, self.names, strict=True)]
            self.records = corrected(self.records, read_corrections(corrections), shown)

    def run(self) -> list[dict[str, Any]]:
        """Prepare all volumes that are not ready yet.

        Returns:
            The manifest's entry of each record, in their order.

        Raises:
            FileExistsError: when the folder holds something else, a set with other settings, or one of other subjects.
            RuntimeError: when another process is preparing the same set.
            ValueError: when fewer than two different subjects are usable.
            OSError: when the folder cannot be written, such as a full disk; what is done is kept.
            SystemExit: with status 3, when volumes were left out and `strict` is true.
        """
        settings = self.steps.settings()
        digest = settings_digest(settings)
        with self.store.claimed():
            earlier = self._earlier(settings, digest)
            entries = self._entries(digest)
            kept = [entry for entry in entries if entry["status"] == KEPT]
            self._log(entries)
            manifest = self._manifest(entries, kept, digest, earlier)
            self._finish(entries, manifest, settings)
        logger.info("patch set: %s", self.store.folder)
        if self.strict and len(kept) < len(entries):
            logger.error("%d volumes were left out and --strict was asked for", len(entries) - len(kept))
            raise SystemExit(LEFT_OUT_STATUS)
        return entries

    def _earlier(self, settings: Mapping[str, Any], digest: str) -> dict[str, str]:
        """Sides of the subjects in the set that is there already."""
        if self.overwrite or not (self.store.folder / MANIFEST).exists():
            return {}
        manifest = read_manifest(self.store.folder)
        if manifest.get("settings") != digest:
            provenance = self.store.folder / PROVENANCE
            before = json.loads(provenance.read_text(encoding="utf-8"))["settings"] if provenance.exists() else {}
            raise FileExistsError(
                f"{self.store.folder}: holds a patch set that was prepared with other settings "
                f"({', '.join(list(_differences(before, settings))[:SHOWN]) or 'unknown'}); choose another folder, or "
                "overwrite it."
            )
        sides = {entry[Field.SUBJECT]: entry["split"] for entry in manifest["volumes"] if "split" in entry}
        gone = sorted(set(sides) - {record[Field.SUBJECT] for record in self.records})
        if gone:
            raise FileExistsError(
                f"{self.store.folder}: holds a patch set of {len(gone)} subjects that the data list does not name "
                f"({', '.join(gone[:SHOWN])}); choose another folder, or overwrite it."
            )
        return sides

    def _entries(self, digest: str) -> list[dict[str, Any]]:
        """What became of each record, in their order."""
        known = self._known_inputs()
        tasks = [
            VolumeTask(number, record, name, known.get(name or str(record[Field.IMAGE])))
            for number, (record, name) in enumerate(zip(self.records, self.names, strict=True))
        ]
        entries: dict[int, dict[str, Any]] = {}
        with tqdm(total=len(tasks), desc="volumes", unit="volume") as bar:
            for task, entry in self._done(tasks, digest, bar):
                entries[task.number] = entry
        self._note_inputs(entries.values())
        return _once_each([entries[task.number] for task in tasks])

    def _done(self, tasks: Sequence[VolumeTask], digest: str, bar: tqdm) -> Iterator[tuple[VolumeTask, dict[str, Any]]]:
        """Each volume with its entry, first those that were ready before."""
        missing: list[VolumeTask] = []
        made: list[dict[str, Any]] = []
        noted = time.monotonic()
        for task in tasks:
            if (entry := self._ready(task, digest)) is None:
                missing.append(task)
            else:
                bar.update()
                yield task, entry
        logger.info("%d of %d volumes are ready from an earlier run", len(tasks) - len(missing), len(tasks))
        work = partial(prepare_volume, self.steps, digest, str(self.store.folder))
        for task, future in run_all(work, missing, *self._executor(len(missing))):
            try:
                entry = future.result()
            except LostWorkerError as error:
                entry = self._lost(task, str(error))
            except OSError as error:
                self._note_inputs(made)
                raise OSError(
                    f"{self.store.folder}: cannot be written ({error.strerror or error}); "
                    f"{len(tasks) - len(missing) + len(made)} of {len(tasks)} volumes are ready and kept: make room and start "
                    "the same command again."
                ) from error
            made.append(entry)
            bar.update()
            if time.monotonic() - noted > NOTE_SECONDS:
                self._note_inputs(made)
                noted = time.monotonic()
            yield task, entry

    def _ready(self, task: VolumeTask, digest: str) -> dict[str, Any] | None:
        """The entry of a volume whose files have not changed since it was prepared."""
        if task.known is None or Field.ERROR in task.record:
            return None
        try:
            states = {
                field: input_state(task.record[field], task.known.get(field))
                for field in input_fields(task.record, self.steps.use_labels)
                if field in task.known
            }
        except OSError:
            return None
        if states != dict(task.known):
            return None
        key = volume_key(task, digest, states)
        if self.store.outcome(key) is None:
            return None
        return prepare_volume(self.steps, digest, str(self.store.folder), task)

    def _executor(self, count: int) -> tuple[Callable[[], Any], int | None]:
        """How to make an executor, and how many volumes it has in hand at once."""
        if self.scheduler is not None:
            return partial(dask_executor, self.scheduler), None
        workers = max(1, min(self.workers, count)) if self.workers > 0 else self.workers
        return partial(local_executor, workers), workers

    def _lost(self, task: VolumeTask, reason: str) -> dict[str, Any]:
        image = task.name or str(task.record[Field.IMAGE])
        entry = {Field.SUBJECT: task.record[Field.SUBJECT], Field.IMAGE: image, "status": LEFT_OUT}
        return entry | {"reason": f"{image}: {reason}", "key": None, "inputs": {}}

    def _known_inputs(self) -> dict[str, dict[str, InputState]]:
        path = self.store.folder / INPUTS
        if not path.exists():
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: {field: InputState(**state) for field, state in states.items()} for name, states in content.items()
        }

    def _note_inputs(self, entries: Any) -> None:
        states = {
            name: {field: state.as_entry() for field, state in each.items()}
            for name, each in self._known_inputs().items()
        }
        states |= {entry[Field.IMAGE]: entry["inputs"] for entry in entries if entry["inputs"]}
        write_json(self.store.folder / INPUTS, dict(sorted(states.items())))

    def _manifest(
        self,
        entries: Sequence[dict[str, Any]],
        kept: Sequence[dict[str, Any]],
        digest: str,
        earlier: Mapping[str, str],
    ) -> dict[str, Any]:
        digests: dict[str, list[str]] = {}
        for entry in kept:
            digests.setdefault(entry[Field.SUBJECT], []).append(entry[Field.DIGEST] or entry["key"])
        alike = self._alike(kept)
        groups = same_person_groups(digests, [(pair["subjects"][0], pair["subjects"][1]) for pair in alike])
        sides = given_split(groups, self._wanted(kept)) or split_subjects(
            groups, self.train_fraction, self.seed, earlier
        )
        for entry in kept:
            entry["split"] = sides[entry[Field.SUBJECT]]
        return {
            "package_version": monai_cardiac_gan.__version__,
            "settings": digest,
            "train_fraction": self.train_fraction,
            "seed": self.seed,
            "volumes": [{name: value for name, value in entry.items() if name != "inputs"} for entry in entries],
            "identical_subjects": [group for group in groups if len(group) > 1],
            "nearly_identical_images": alike,
        }

    def _wanted(self, kept: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """The sides that the data list names, of subjects with a volume that was kept."""
        names = {entry[Field.SUBJECT] for entry in kept}
        return {
            record[Field.SUBJECT]: record[Field.SPLIT]
            for record in self.records
            if Field.SPLIT in record and record[Field.SUBJECT] in names
        }

    def _alike(self, kept: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Pairs of volumes of different subjects that are nearly the same image, told as a warning."""
        found = {str(place): self.store.array(entry["key"], FINGERPRINTS) for place, entry in enumerate(kept)}
        pairs = []
        for one, other, cosine in near_duplicates({name: each for name, each in found.items() if each is not None}):
            entries = [kept[int(place)] for place in (one, other)]
            subjects = [entry[Field.SUBJECT] for entry in entries]
            if subjects[0] != subjects[1]:
                images = [entry[Field.IMAGE] for entry in entries]
                pairs.append({"subjects": subjects, "images": images, "cosine": cosine})
                logger.warning(
                    "%s and %s are nearly the same image (%.3f): kept on one side of the split", *subjects, cosine
                )
        return pairs

    def _finish(
        self, entries: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> None:
        names = ("key", Field.SUBJECT, Field.IMAGE, "inputs", "status", "reason")
        provenance = {
            "python": platform.python_version(),
            "versions": {name: _version(name) for name in LIBRARIES},
            "settings": settings,
            "train_fraction": self.train_fraction,
            "seed": self.seed,
            "volumes": [{name: entry[name] for name in names} for entry in entries],
        }
        self.store.finish(manifest, provenance)
        if self.sheet:
            sheet = write_contact_sheet(self.store.folder, manifest["volumes"])
            logger.info("contact sheet: %s", sheet[0])
        self.store.remove_others(entry["key"] for entry in entries if entry["key"])

    def _log(self, entries: Sequence[Mapping[str, Any]]) -> None:
        kept = [entry for entry in entries if entry["status"] == KEPT]
        patches = sum(entry["patches"] for entry in kept)
        logger.info("%d of %d volumes kept, %d patches", len(kept), len(entries), patches)
        for entry in entries:
            if entry["status"] != KEPT:
                logger.warning("left out: %s: %s", entry[Field.SUBJECT], entry["reason"])


def _renamed(datalist: Sequence[Record], subject_key: str | None) -> tuple[list[Record], list[str | None]]:
    """The records, and what stands for the files' names; under pseudonyms where a key is given."""
    if subject_key is None:
        return [dict(record) for record in datalist], [None] * len(datalist)
    names = Pseudonyms(subject_key)
    records = [{**record, Field.SUBJECT: names(record[Field.SUBJECT])} for record in datalist]
    return records, [names(str(Path(record[Field.IMAGE]).resolve())) for record in datalist]


def _once_each(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same image of the same subject counts once; the later entries say so."""
    first: dict[str, str] = {}
    found = []
    for entry in entries:
        before = first.setdefault(entry["key"], entry[Field.IMAGE]) if entry["key"] else entry[Field.IMAGE]
        if before == entry[Field.IMAGE]:
            found.append(entry)
            continue
        plain = {name: entry[name] for name in (Field.SUBJECT, Field.IMAGE, "inputs", "key")}
        reason = f"{entry[Field.IMAGE]}: the same image of the same subject as {before}."
        found.append(plain | {"status": LEFT_OUT, "reason": reason})
    return found


def _differences(before: Any, now: Any, path: str = "") -> Iterator[str]:
    """Where two trees of settings differ."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in sorted({*before, *now}):
            yield from _differences(before.get(name), now.get(name), f"{path}.{name}" if path else str(name))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for place, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _differences(one, other, f"{path}[{place}]")
    elif before != now:
        yield f"{path}: {before!r} before, {now!r} now"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
