"""One patch set of several, in which nobody is on both sides of the split."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from monai_cardiac_gan.data.file_name import subject_name
from monai_cardiac_gan.data.manifest import Manifest, NearDuplicate, PatchRow, VolumeEntry, read_manifest
from monai_cardiac_gan.data.patch_set import COLUMNS, FINGERPRINTS, PATCHES
from monai_cardiac_gan.data.patch_store import PatchStore
from monai_cardiac_gan.data.splits import same_person_groups
from monai_cardiac_gan.data.volume_identity import near_duplicates

__all__ = ["merge_patch_sets", "people_of_several_names", "without_pictures"]

logger = logging.getLogger(__name__)

SAME_PIXEL_MM = 1e-3
"""Pixel sizes that differ by less are one: a hundred pixels then differ by a tenth of one."""


def merge_patch_sets(
    folders: Sequence[str | os.PathLike[str]], target: str | os.PathLike[str], overwrite: bool = False
) -> Path:
    """One patch set of the kept volumes of several, each with the split that it had.

    People are told apart by their images, too: by the voxels (`volume_digest`), and by what they look like where the sets
    know it (`near_duplicates`).

    Args:
        folders: finished patch sets, without a common subject.
        target: where the new one goes.
        overwrite: replace another patch set that lies there.

    Returns:
        Path of the manifest.

    Raises:
        FileExistsError: when the target holds something else, or a set of other volumes or with another split.
        ValueError: when two of them have a subject in common, one image is on both sides of the split under two names, or
            their pixels have several sizes.
    """
    manifests = [read_manifest(folder) for folder in folders]
    _refuse_common_subjects(manifests)
    _refuse_several_pixel_sizes(folders, manifests)
    whole = _merged(folders, manifests)
    store = PatchStore(target)
    with store.claimed():
        store.refuse_another_set(whole.volumes, overwrite)
        for folder, manifest in zip(folders, manifests, strict=True):
            for entry in manifest.kept():
                columns = np.load(Path(folder) / entry.folder / COLUMNS)
                rows = [PatchRow.read(columns, row) for row in range(len(columns))]
                pixels = np.load(Path(folder) / entry.folder / PATCHES)
                fingerprint = PatchStore(folder).array(str(entry.key), FINGERPRINTS)
                arrays = {} if fingerprint is None else {FINGERPRINTS: fingerprint}
                store.add_patches(replace(without_pictures(entry), split=None), pixels, rows, arrays)
        return store.replace_with(whole)


def _refuse_common_subjects(manifests: Sequence[Manifest]) -> None:
    people = Counter(name for each in manifests for name in {subject_name(entry.subject) for entry in each.kept()})
    if common := sorted(subject for subject, count in people.items() if count > 1):
        raise ValueError(f"{common} are in several patch sets: expected each person in one; leave them out of one.")


def _refuse_several_pixel_sizes(folders: Sequence[str | os.PathLike[str]], manifests: Sequence[Manifest]) -> None:
    """Sets of one size each have to have the same; a set that has several by itself was made in the volumes' own."""
    pairs = [(folder, _pixel_sizes(folder, each)) for folder, each in zip(folders, manifests, strict=True)]
    sizes = {str(folder): found for folder, found in pairs if len(found)}
    is_uniform = any(np.ptp(found, axis=0).max() <= SAME_PIXEL_MM for found in sizes.values())
    if is_uniform and np.ptp(np.concatenate([*sizes.values()]), axis=0).max() > SAME_PIXEL_MM:
        said = ", ".join(f"{folder}: {found.min():.4g} to {found.max():.4g} mm" for folder, found in sizes.items())
        raise ValueError(
            f"the patch sets have pixels of several sizes ({said}): expected one; prepare them with the same spacing."
        )
    if len(settings := {each.settings for each in manifests} - {""}) > 1:
        logger.warning("%d patch sets that were prepared with %d settings become one", len(folders), len(settings))


def _pixel_sizes(folder: str | os.PathLike[str], manifest: Manifest) -> np.ndarray:
    """(N, 2) of all patches, mm."""
    affines = [np.load(Path(folder) / entry.folder / COLUMNS)["affine"] for entry in manifest.kept()]
    return np.linalg.norm(np.concatenate(affines)[:, :3, :2], axis=1) if affines else np.zeros((0, 2))


def _merged(folders: Sequence[str | os.PathLike[str]], manifests: Sequence[Manifest]) -> Manifest:
    """The manifest of all, with the people who are one by their images.

    Raises:
        ValueError: when such people are on both sides of the split.
    """
    volumes = [without_pictures(entry) for manifest in manifests for entry in manifest.kept()]
    pairs = [pair for manifest in manifests for pair in manifest.nearly_identical_images]
    pairs += _nearly_identical(folders, manifests)
    known = [group for manifest in manifests for group in manifest.identical_subjects]
    groups = people_of_several_names(volumes, [*known, *(pair.subjects for pair in pairs)])
    for group in groups:
        sides = {entry.subject: entry.split for entry in volumes if entry.subject in group}
        if len(set(sides.values())) > 1:
            said = ", ".join(f"{subject} ({side})" for subject, side in sides.items())
            raise ValueError(
                f"{said} share an image or nearly the same one: expected one side of the split for one person; leave all but "
                "one of these out."
            )
        logger.warning("%s share an image or nearly the same one", ", ".join(group))
    return Manifest(volumes, identical_subjects=groups, nearly_identical_images=pairs)


def _nearly_identical(folders: Sequence[str | os.PathLike[str]], manifests: Sequence[Manifest]) -> list[NearDuplicate]:
    """Pairs of volumes of different sets; those within one are in its manifest."""
    entries = [
        (place, entry, PatchStore(folder).array(str(entry.key), FINGERPRINTS))
        for place, (folder, manifest) in enumerate(zip(folders, manifests, strict=True))
        for entry in manifest.kept()
    ]
    found = near_duplicates({str(number): each[2] for number, each in enumerate(entries) if each[2] is not None})
    pairs = []
    for one, other, cosine in found:
        (place, first, _), (place_of_other, second, _) = entries[int(one)], entries[int(other)]
        if place != place_of_other:
            pairs.append(NearDuplicate([first.subject, second.subject], [first.image, second.image], cosine))
    return pairs


def people_of_several_names(volumes: Sequence[VolumeEntry], joined: Iterable[Sequence[str]]) -> list[list[str]]:
    """Groups of two and more subjects who share an image (`VolumeEntry.digest`), or are joined for another reason.

    Args:
        volumes: of a patch set, or of several.
        joined: groups of subjects that are one person; subjects without a volume here do not count.

    Example:
        >>> people_of_several_names([VolumeEntry(name, "a.nii", digest="1") for name in ("ann", "eve")], [])
        [['ann', 'eve']]
    """
    digests: dict[str, list[str]] = {}
    for entry in volumes:
        digests.setdefault(entry.subject, []).extend([entry.digest] if entry.digest else [])
    pairs = [(group[0], other) for group in joined for other in group[1:] if {group[0], other} <= digests.keys()]
    return [group for group in same_person_groups(digests, pairs) if len(group) > 1]


def without_pictures(entry: VolumeEntry) -> VolumeEntry:
    """An entry of a set in which no pictures of the volume lie."""
    return replace(entry, row=None, tiles=None, figure=None)
