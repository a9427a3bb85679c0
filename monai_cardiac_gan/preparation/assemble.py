"""From the prepared volumes to the manifest of a patch set: who is whom, who is in which split, and where all came from."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import monai_cardiac_gan
from monai_cardiac_gan.data import (
    EXCLUDED,
    Manifest,
    NearDuplicate,
    PatchStore,
    Provenance,
    VolumeEntry,
    VolumeSource,
    given_split,
    near_duplicates,
    same_person_groups,
    split_subjects,
)
from monai_cardiac_gan.data.patch_set import FINGERPRINTS
from monai_cardiac_gan.preparation.prepare_volume import PreparedVolume
from monai_cardiac_gan.quality import PERSON

__all__ = ["assemble_manifest", "once_each", "provenance_of"]

logger = logging.getLogger(__name__)

LIBRARIES = ("torch", "monai", "numpy", "scipy", "scikit-image", "nibabel", "itk")
"""Their versions are noted beside the set."""


def once_each(volumes: Sequence[PreparedVolume]) -> list[PreparedVolume]:
    """The same image of the same subject counts once, under one name or several; the other entries are excluded and say so.

    Images are the same where their voxels are (`volume_digest`), whatever the file's name, its format or the rest of the row.
    The one that a person graded counts, then the one that is kept, then the first.

    Raises:
        ValueError: when people gave one image two grades.
    """
    alike: dict[tuple[str, str], list[int]] = {}
    for place, volume in enumerate(volumes):
        if identity := volume.entry.digest or volume.entry.key:
            alike.setdefault((volume.entry.subject, identity), []).append(place)
    found = list(volumes)
    for places in alike.values():
        chosen = volumes[_counting(volumes, places)].entry
        for place in places:
            if volumes[place].entry is not chosen:
                found[place] = _repeated(volumes[place], chosen)
    return found


def _counting(volumes: Sequence[PreparedVolume], places: Sequence[int]) -> int:
    """Which entry of one image counts."""
    entries = {place: volumes[place].entry for place in places}
    by_people = [entry for entry in entries.values() if entry.grader == PERSON]
    if len({entry.grade for entry in by_people}) > 1:
        said = ", ".join(f"{entry.grade:g} ({entry.image})" for entry in by_people)
        raise ValueError(
            f"the data list has several grades of one image of {by_people[0].subject}: {said}; expected one, change one of its "
            "rows."
        )
    return min(places, key=lambda place: (entries[place].grader != PERSON, not entries[place].is_kept, place))


def _repeated(volume: PreparedVolume, chosen: VolumeEntry) -> PreparedVolume:
    entry = volume.entry
    known = "in another row" if chosen.image == entry.image else f"as {chosen.image}"
    reason = f"{entry.image}: the same image of the same subject {known}."
    return replace(volume, entry=VolumeEntry(entry.subject, entry.image, EXCLUDED, reason, entry.key))


def assemble_manifest(
    store: PatchStore,
    entries: Sequence[VolumeEntry],
    settings: str,
    wanted: Mapping[str, str],
    train_fraction: float,
    seed: int,
    earlier: Mapping[str, str],
) -> Manifest:
    """The manifest of these volumes, with their split.

    Args:
        store: holds the volumes' fingerprints.
        entries: in the order of the data list.
        settings: digest of how they were made.
        wanted: subject -> the split that the data list names.
        train_fraction: see `split_subjects`.
        seed: of the split.
        earlier: subject -> split in the set that was there before.

    Raises:
        ValueError: see `given_split` and `split_subjects`.
    """
    kept = [entry for entry in entries if entry.is_kept]
    digests: dict[str, list[str]] = {}
    for entry in kept:
        digests.setdefault(entry.subject, []).append(entry.digest or str(entry.key))
    alike = _alike(store, kept)
    groups = same_person_groups(digests, [(pair.subjects[0], pair.subjects[1]) for pair in alike])
    given = {subject: split for subject, split in wanted.items() if subject in digests}
    split = given_split(groups, given) or split_subjects(groups, train_fraction, seed, earlier)
    return Manifest(
        volumes=[replace(entry, split=split[entry.subject]) if entry.is_kept else entry for entry in entries],
        settings=settings,
        train_fraction=train_fraction,
        seed=seed,
        package_version=monai_cardiac_gan.__version__,
        identical_subjects=[group for group in groups if len(group) > 1],
        nearly_identical_images=alike,
    )


def provenance_of(
    volumes: Sequence[PreparedVolume], settings: Mapping[str, Any], train_fraction: float, seed: int
) -> Provenance:
    """How the set of these volumes came about."""
    sources = [
        VolumeSource(v.entry.subject, v.entry.image, v.entry.status, v.entry.reason, v.entry.key, v.inputs)
        for v in volumes
    ]
    versions = {name: _version(name) for name in LIBRARIES}
    return Provenance(platform.python_version(), versions, settings, train_fraction, seed, sources)


def _alike(store: PatchStore, kept: Sequence[VolumeEntry]) -> list[NearDuplicate]:
    """Pairs of volumes of different subjects that are nearly the same image, with a warning for each."""
    found = {str(index): store.array(str(entry.key), FINGERPRINTS) for index, entry in enumerate(kept)}
    pairs = []
    for one, other, cosine in near_duplicates({name: each for name, each in found.items() if each is not None}):
        entries = [kept[int(index)] for index in (one, other)]
        pair = NearDuplicate([each.subject for each in entries], [each.image for each in entries], cosine)
        if pair.subjects[0] != pair.subjects[1]:
            pairs.append(pair)
            logger.warning("%s and %s are nearly the same image (%.3f): kept in one split", *pair.subjects, cosine)
    return pairs


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
