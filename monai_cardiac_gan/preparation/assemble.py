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
from monai_cardiac_gan.preparation.prepare_volume import FINGERPRINTS, PreparedVolume

__all__ = ["assemble_manifest", "once_each", "provenance_of"]

logger = logging.getLogger(__name__)

LIBRARIES = ("torch", "monai", "numpy", "scipy", "scikit-image", "nibabel", "itk")
"""Their versions are noted beside the set."""


def once_each(volumes: Sequence[PreparedVolume]) -> list[PreparedVolume]:
    """The same image of the same subject counts once, under one name or two; the later entries are excluded and say so."""
    first: dict[str, str] = {}
    found = []
    for volume in volumes:
        entry = volume.entry
        before = first.get(entry.key) if entry.key else None
        if entry.key and before is None:
            first[entry.key] = entry.image
        elif before is not None:
            known = "in an earlier row" if before == entry.image else f"as {before}"
            reason = f"{entry.image}: the same image of the same subject {known}."
            entry = VolumeEntry(entry.subject, entry.image, EXCLUDED, reason, entry.key)
        found.append(replace(volume, entry=entry))
    return found


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
