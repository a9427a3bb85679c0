"""The lumens of acquired volumes: against the tracker's circles, against diameters that were set by eye, from slice to slice, and
once more in the same volume moved by half a voxel with noise; landmarks, and levels that are not compared.

Usage: python benchmarks/lumens.py FOLDER [--reference tests/data/aorta_reference.csv] [--noise 0.05] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # seconds of one core

import numpy as np
from localisation import CLEAR, ReferenceSlice, read_reference
from scipy import ndimage

from monai_cardiac_gan.anomaly import find_landmarks, reasons_not_to_compare
from monai_cardiac_gan.aorta import AortaTrack, Lumen, localise_aorta, measure_lumens
from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import standard_volume

LEVEL_MM = 10.0
HALF_VOXEL = (0.5, 0.5, 0.0)


def diameters(lumens: list[Lumen | None]) -> np.ndarray:
    """(n, 2): inscribed and area-equivalent, mm; NaN where there is none."""
    return np.array([(each.inscribed_mm, each.area_equivalent_mm) if each else (np.nan, np.nan) for each in lumens])


def against_eye(track: AortaTrack, measured: np.ndarray, reference: list[ReferenceSlice]) -> list[float]:
    """Area-equivalent diameter less the one set by eye, mm, on clear slices."""
    rows = {int(number): row for row, number in enumerate(track.slices)}
    return [
        float(measured[rows[each.slice], 1] - each.diameter_mm)
        for each in reference
        if each.state == CLEAR and each.diameter_mm is not None and each.slice in rows
    ]


def once_more(
    volume: np.ndarray, spacing: np.ndarray, track: AortaTrack, measured: np.ndarray, noise: float
) -> np.ndarray:
    """(m, 2) differences of the diameters in the volume moved by half a voxel, with noise as a share of the blood."""
    x, y = np.rint(track.centres_mm / spacing[:2]).astype(int).T
    blood = float(np.median(volume[x, y, track.slices]))
    moved = ndimage.shift(volume, HALF_VOXEL, order=1, mode="nearest")
    moved += np.random.default_rng(0).normal(0, noise * blood, volume.shape).astype(np.float32)
    again = localise_aorta(moved, spacing)
    _, one, other = np.intersect1d(track.slices, again.slices, return_indices=True)
    return diameters(measure_lumens(moved, spacing, again))[other] - measured[one]


def of_volume(image: Any, reference: list[ReferenceSlice], noise: float) -> dict[str, Any]:
    """All numbers of one volume."""
    volume, spacing = image[0].as_tensor().numpy(), image.pixdim.numpy().astype(np.float64)
    track = localise_aorta(volume, spacing)
    start = time.perf_counter()
    lumens = measure_lumens(volume, spacing, track)
    seconds = time.perf_counter() - start
    landmarks = find_landmarks(volume, spacing, track)
    reasons = reasons_not_to_compare(track, lumens, spacing[2], landmarks.is_arch_seen)
    from_top = (track.slices[-1] - track.slices) * spacing[2]
    levels = [int(np.abs(from_top - place).argmin()) for place in np.arange(0, from_top[0] + 1e-6, LEVEL_MM)]
    measured = diameters(lumens)
    return {
        "less the circle": measured - track.diameters_mm[:, None],
        "slice to slice": np.abs(np.diff(measured, axis=0)),
        "eye": against_eye(track, measured, reference),
        "again": once_more(volume, spacing, track, measured, noise),
        "seconds": seconds,
        "without lumen": sum(lumen is None for lumen in lumens),
        "arch": landmarks.is_arch_seen,
        "diaphragm": landmarks.diaphragm_mm,
        "levels": len(levels),
        "not compared": [(round(float(from_top[row])), reasons[row]) for row in levels if reasons[row]],
    }


def summary(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The numbers of all volumes."""
    less, steps, again = (
        np.concatenate([each[name] for each in found.values()])
        for name in ("less the circle", "slice to slice", "again")
    )
    eye = np.concatenate([each["eye"] for each in found.values()])
    result: dict[str, Any] = {}
    for column, name in enumerate(("inscribed", "area-equivalent")):
        result |= {
            f"{name} less circle, median": np.nanmedian(less[:, column]),
            f"{name} and circle apart, median": np.nanmedian(np.abs(less[:, column])),
            f"{name} and circle apart, 95th percentile": np.nanpercentile(np.abs(less[:, column]), 95),
            f"{name}, next slice apart, median": np.nanmedian(steps[:, column]),
            f"{name}, next slice apart, 95th percentile": np.nanpercentile(steps[:, column], 95),
            f"{name}, once more: mean difference": np.nanmean(again[:, column]),
            f"{name}, once more: standard deviation of one measurement": np.nanstd(again[:, column]) / np.sqrt(2),
        }
    if len(eye):
        result |= {
            "area-equivalent less eye, mean": eye.mean(),
            "area-equivalent and eye apart, mean": np.abs(eye).mean(),
            "slices set by eye": len(eye),
        }
    result |= {
        "slices": len(less),
        "slices without a lumen": sum(each["without lumen"] for each in found.values()),
        "seconds a volume, median": np.median([each["seconds"] for each in found.values()]),
        "levels": sum(each["levels"] for each in found.values()),
        "levels not compared": sum(len(each["not compared"]) for each in found.values()),
    }
    return {name: round(float(value), 3) for name, value in result.items()}


def main() -> None:
    """Measure all volumes of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--noise", type=float, default=0.05)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    reference = read_reference(arguments.reference) if arguments.reference else {}
    load = standard_volume(spacing=None)
    found = {}
    for record in read_datalist(arguments.folder):
        name = record[Field.SUBJECT]
        found[name] = of_volume(load(record)[Field.IMAGE], reference.get(name, []), arguments.noise)
        one = found[name]
        print(
            f"{name}: arch {one['arch']}, diaphragm {one['diaphragm']} mm from the top, not compared {one['not compared']}"
        )
    for name, value in (result := summary(found)).items():
        print(f"{name:64s} {value:8.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
