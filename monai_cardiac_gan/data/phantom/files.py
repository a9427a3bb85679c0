"""Phantoms as files: the image where it is looked for, its truth beside that folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np

if TYPE_CHECKING:
    from monai_cardiac_gan.data.phantom.phantom import PhantomVolume

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
    folder.mkdir(parents=True, exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    image = folder / f"{name}.nii.gz"
    _whole(truth / f"{name}_labels.nii.gz", lambda path: _save(volume.labels, volume.affine, path))
    _whole(truth / f"{name}_aorta.json", lambda path: path.write_text(json.dumps(_record(volume), indent=1)))
    # Last: whoever finds an image finds its truth.
    _whole(image, lambda path: _save(volume.image, volume.affine, path))
    return image


def _save(voxels: np.ndarray, affine: np.ndarray, path: Path) -> None:
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)


def _record(volume: PhantomVolume) -> dict[str, object]:
    return {
        "seed": volume.seed,
        "spacing_mm": list(volume.spacing),
        "slices": volume.aorta.slices.tolist(),
        "centres_mm": volume.aorta.centres_mm.tolist(),
        "diameters_mm": volume.aorta.diameters_mm.tolist(),
    }


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let the writer fill a hidden file and give it its name when it is complete."""
    partial = path.with_name(f".{os.getpid()}_{path.name}")
    try:
        write(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
