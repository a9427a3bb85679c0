"""Phantoms as files: the image where it is looked for, its truth beside that folder."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from monai_cardiac_gan.atomic import atomic_path, write_json
from monai_cardiac_gan.phantom.phantom_volume import PhantomVolume

__all__ = ["truth_folder", "write_volume"]


def truth_folder(folder: Path) -> Path:
    """Where the truth of a folder of images lies: beside it, so that no list of its images picks up label maps."""
    return folder.with_name(f"{folder.name}_truth")


def write_volume(volume: PhantomVolume, folder: Path) -> Path:
    """Write image, label map and track of one volume; each file appears whole or not at all.

    Args:
        volume: what to write.
        folder: gets the image; its sibling (see `truth_folder`) gets the rest.

    Returns:
        The image's path.
    """
    name, folder = f"phantom_{volume.seed:04d}", folder.resolve()
    truth = truth_folder(folder)
    image = folder / f"{name}.nii.gz"
    _save(volume.labels, volume.affine, truth / f"{name}_labels.nii.gz")
    write_json(truth / f"{name}_aorta.json", _record(volume))
    # last: whoever finds an image finds its truth
    _save(volume.image, volume.affine, image)
    return image


def _save(voxels: np.ndarray, affine: np.ndarray, path: Path) -> None:
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm", "sec")
    with atomic_path(path) as unfinished:
        nib.save(image, unfinished)


def _record(volume: PhantomVolume) -> dict[str, object]:
    return {
        "seed": volume.seed,
        "spacing_mm": list(volume.spacing),
        "slices": volume.aorta.slices.tolist(),
        "centres_mm": volume.aorta.centres_mm.tolist(),
        "diameters_mm": volume.aorta.diameters_mm.tolist(),
    }
