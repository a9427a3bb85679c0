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
VESSEL_MM = 3.5
"""Bright structures thinner than twice this are no blood."""
SPACINGS_MM = (0.6, 1.5)
"""Finest and coarsest isotropic grid that is tried."""
WALL_MM = 4.0
"""Painted over beyond the lumen."""
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


def regridded(voxels: np.ndarray, affine: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """The same on a grid of another spacing, mm, by cubic splines."""
    steps = size / np.linalg.norm(affine[:3, :3], axis=0)
    shape = tuple(np.floor((np.array(voxels.shape) - 1) / steps).astype(int) + 1)
    finer = affine.copy()
    finer[:3, :3] *= steps
    return ndimage.affine_transform(voxels.astype(np.float32), steps, output_shape=shape, order=3), finer


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


def late_enhancement(voxels: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Blood of one grey on dark tissue, in a thin wall that is bright in patches; little noise is left of the rest."""
    rng, scaled = np.random.default_rng(0), powered(voxels, 1.0)
    bright = ndimage.gaussian_filter(scaled, 0.5 / spacing) > 0.45
    reach = [np.arange(-int(VESSEL_MM / step), int(VESSEL_MM / step) + 1) * step for step in spacing]
    ball = sum(np.square(axis) for axis in np.ix_(*reach)) <= VESSEL_MM**2
    core = ndimage.binary_erosion(bright, ball)
    blood = bright & (ndimage.distance_transform_edt(~core, sampling=spacing) <= VESSEL_MM + 1)
    outside, inside = (ndimage.distance_transform_edt(mask, sampling=spacing) for mask in (~blood, blood))
    lumen, tissue = np.clip(inside / 1.2, 0, 1), np.minimum(0.3 * scaled, 0.16)
    patches = ndimage.gaussian_filter(rng.normal(size=voxels.shape), 8 / spacing)
    share = np.clip(0.5 + 0.25 * patches / patches.std(), 0, 1)
    wall = np.exp(-0.5 * ((outside - 0.8) / 0.7) ** 2) * (outside > 0) * (0.35 + 0.55 * share)
    coils = ndimage.gaussian_filter(scaled, 25 / spacing)
    image = np.maximum(0.4 * lumen + tissue * (1 - lumen), wall) * (coils / np.percentile(coils, 99)) ** 0.3
    return image + rng.normal(0, 0.03, voxels.shape)


def without_aorta(voxels: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """The aorta painted over with what is dark around it, above and below its ends, too."""
    track, rng = localise_aorta(voxels, spacing), np.random.default_rng(0)
    rows, columns = (np.arange(size) * step for size, step in zip(voxels.shape[:2], spacing[:2], strict=True))
    painted = voxels.astype(np.float32)
    for k in range(voxels.shape[2]):
        at = min(np.searchsorted(track.slices, k), len(track) - 1)
        x, y = track.centres_mm[at]
        distance = np.hypot(rows[:, None] - x, columns - y)
        rim = track.diameters_mm[at] / 2 + WALL_MM
        around = voxels[:, :, k][(distance > rim) & (distance < rim + 5)]
        painted[:, :, k][distance < rim] = rng.choice(around[around <= np.median(around)], (distance < rim).sum())
    return np.where(painted == voxels, voxels, ndimage.gaussian_filter(painted, 1.0))


def black_blood(voxels: np.ndarray) -> np.ndarray:
    """Brightness turned round."""
    return 1 - powered(voxels, 1.0)


CHANGES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "as acquired": lambda voxels, _: voxels,
    "brightness to the power of 0.5": lambda voxels, _: powered(voxels, 0.5),
    "brightness squared": lambda voxels, _: powered(voxels, 2.0),
    "late enhancement, patchy wall": late_enhancement,
    "grey blood, bright wall": lambda voxels, _: grey_blood(voxels),
    "aorta painted over": without_aorta,
    "black blood": lambda voxels, _: black_blood(voxels),
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
        views = {"whole": whole, "tight": tight(*whole, rows)}
        views |= {f"whole at {size} mm": regridded(*whole, size) for size in SPACINGS_MM}
        for view, (voxels, affine) in views.items():
            spacing = np.linalg.norm(affine[:3, :3], axis=0)
            for change in CHANGES if view in ("whole", "tight") else ["as acquired"]:
                track = localise_aorta(CHANGES[change](voxels, spacing), spacing)
                entries = [each for each in against_reference(track, affine, rows, native) if each["state"] == CLEAR]
                hits = sum(each["found"] for each in entries)
                wrong = sum("centre" in each and not each["found"] for each in entries)
                found.setdefault(f"{view}, {change}", []).append(
                    {
                        "slices": len(entries),
                        "found": hits,
                        "wrong": wrong,
                        "sure": track.track_confidence >= SURE,
                        "centre": [each["centre"] for each in entries if each["found"]],
                        "diameter": [each["diameter"] for each in entries if each["found"]],
                    }
                )
        print(record[Field.SUBJECT], flush=True)
    print(
        "| view, contrast | slices found | centre error, median (mm) | diameter error, mean (mm) | confident volumes "
        "| of them mostly elsewhere | unsure or empty |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    for name, volumes in found.items():
        share = sum(each["found"] for each in volumes) / sum(each["slices"] for each in volumes)
        centre, diameter = ([value for each in volumes for value in each[key]] for key in ("centre", "diameter"))
        errors = f"{np.median(centre):.2f} | {np.mean(diameter):+.2f}" if centre else "- | -"
        sure = [each for each in volumes if each["sure"]]
        elsewhere = sum(each["wrong"] > each["found"] for each in sure)
        print(f"| {name} | {100 * share:.1f} % | {errors} | {len(sure)} | {elsewhere} | {len(volumes) - len(sure)} |")


if __name__ == "__main__":
    main()
