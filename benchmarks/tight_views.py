"""How the tracker holds where a field of view is tight or contrast is unlike bright blood, against the reference set by eye.

Real volumes are cropped so that the aorta lies near the border and the spine is out of view, and their contrast is changed. The
changes are made, not acquired: they tell where the tracker breaks, not how it does on late enhancement.

    python benchmarks/tight_views.py ../shared/data/msd_heart/images tests/data/aorta_reference.csv
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import nibabel
import numpy as np
import torch
from localisation import CLEAR, ReferenceSlice, against_reference, read_reference
from scipy import ndimage

from monai_cardiac_gan.aorta import localise_aorta
from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import standard_volume

SURE = 0.5
"""Tracks of at least this confidence are called confident, as on the contact sheet."""
LEFT_MM, RIGHT_MM, BACK_MM, FRONT_MM = 20.0, 110.0, 18.0, 90.0
"""What a view around the left atrium leaves to the sides of the aorta."""


def tight(voxels: np.ndarray, affine: np.ndarray, reference: list[ReferenceSlice]) -> tuple[np.ndarray, np.ndarray]:
    """A box around the heart with the aorta at its left rear edge."""
    spacing = np.abs(np.diag(affine)[:3])
    places = np.array([each.centre_mm for each in reference if each.centre_mm is not None and each.state == CLEAR])
    low = np.array([places[:, 0].min() - LEFT_MM, places[:, 1].min() - BACK_MM])
    high = np.array([places[:, 0].max() + RIGHT_MM, places[:, 1].max() + FRONT_MM])
    first = np.maximum(0, np.floor(low / spacing[:2]).astype(int))
    last = np.minimum(voxels.shape[:2], np.ceil(high / spacing[:2]).astype(int))
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :2] @ first
    return voxels[first[0] : last[0], first[1] : last[1]], moved


def powered(voxels: np.ndarray, exponent: float) -> np.ndarray:
    """Brightness to a power, on a scale of 0 to 1."""
    scaled = np.clip((voxels - voxels.min()) / (np.percentile(voxels, 99.9) - voxels.min()), 0, 1)
    return scaled**exponent


def grey_blood(voxels: np.ndarray) -> np.ndarray:
    """Blood no brighter than a third of the scale, with a bright wall of two voxels around everything bright."""
    scaled = powered(voxels, 1.0)
    blood = scaled > 0.35
    wall = ndimage.binary_dilation(blood) & ~ndimage.binary_erosion(blood)
    noise = np.random.default_rng(0).normal(0, 0.02, scaled.shape)
    return np.where(wall, 0.8, np.where(blood, 0.33, 0.6 * scaled)) + noise


def black_blood(voxels: np.ndarray) -> np.ndarray:
    """Brightness turned round."""
    return 1 - powered(voxels, 1.0)


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as acquired": lambda voxels: voxels,
    "brightness to the power of 0.5": lambda voxels: powered(voxels, 0.5),
    "brightness squared": lambda voxels: powered(voxels, 2.0),
    "grey blood, bright wall": grey_blood,
    "black blood": black_blood,
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("reference", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    reference, read = read_reference(options.reference), standard_volume(None)
    found: dict[str, list[dict[str, Any]]] = {}
    for record in read_datalist(options.folder):
        rows = reference[record[Field.SUBJECT]]
        image = read(record)[Field.IMAGE]
        native = nibabel.as_closest_canonical(nibabel.load(record[Field.IMAGE])).affine
        whole = (image[0].numpy(), np.asarray(image.affine))
        for view, (voxels, affine) in {"whole": whole, "tight": tight(*whole, rows)}.items():
            for change, make in CHANGES.items():
                track = localise_aorta(make(voxels), np.linalg.norm(affine[:3, :3], axis=0))
                entries = [each for each in against_reference(track, affine, rows, native) if each["state"] == CLEAR]
                hits = sum(each["found"] for each in entries)
                wrong = sum("centre" in each and not each["found"] for each in entries)
                found.setdefault(f"{view}, {change}", []).append(
                    {"slices": len(entries), "found": hits, "wrong": wrong, "sure": track.track_confidence >= SURE}
                )
        print(record[Field.SUBJECT], flush=True)
    print(
        "| view, contrast | slices found | confident volumes | confident volumes mostly elsewhere | unsure or empty |"
    )
    print("|---|---:|---:|---:|---:|")
    for name, volumes in found.items():
        share = sum(each["found"] for each in volumes) / sum(each["slices"] for each in volumes)
        sure = [each for each in volumes if each["sure"]]
        elsewhere = sum(each["wrong"] > each["found"] for each in sure)
        print(f"| {name} | {100 * share:.1f} % | {len(sure)} | {elsewhere} | {len(volumes) - len(sure)} |")


if __name__ == "__main__":
    main()
