"""How well the descending aorta is found: on phantoms with known truth, and time and memory on real volumes.

Usage: python benchmarks/localisation.py [--seeds 20] [--real FOLDER] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # seconds of one core

import numpy as np
import torch

from monai_cardiac_gan.aorta import AortaTrack, localise_aorta
from monai_cardiac_gan.data import WholeHeartPhantom, read_datalist
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import standard_volume

FOUND_MM = 10.0
"""A slice counts as found when the centre lies inside the aorta: within the smallest radius that phantoms have, 8 mm,
and a fifth more."""


def errors_of(found: AortaTrack, truth: AortaTrack) -> tuple[np.ndarray, np.ndarray, float]:
    """Centre errors and diameter errors (mm) of the slices found, and the share of true slices that were found."""
    _, rows, true_rows = np.intersect1d(found.slices, truth.slices, return_indices=True)
    centre = np.linalg.norm(found.centres_mm[rows] - truth.centres_mm[true_rows], axis=1)
    diameter = np.abs(found.diameters_mm[rows] - truth.diameters_mm[true_rows])
    return centre, diameter, float((centre <= FOUND_MM).sum() / len(truth))


def on_phantoms(seeds: int) -> dict[str, float]:
    """Errors over the phantoms of seeds 0 to n - 1 at default noise, on their own grids."""
    centres, diameters, shares, weights = [], [], [], []
    for seed in range(seeds):
        phantom = WholeHeartPhantom()(seed)
        track = localise_aorta(phantom.image, phantom.spacing)
        centre, diameter, share = errors_of(track, phantom.aorta)
        centres.append(centre)
        diameters.append(diameter)
        shares.append(share)
        weights.append(len(phantom.aorta))
        worst = centre.max() if len(centre) else float("nan")
        print(
            f"seed {seed:3d}: found {share:6.1%}, worst centre error {worst:5.2f} mm, confidence {track.track_confidence:.2f}"
        )
    centre, diameter = np.concatenate(centres), np.concatenate(diameters)
    return {
        "centre error, median (mm)": float(np.median(centre)),
        "centre error, 95th percentile (mm)": float(np.percentile(centre, 95)),
        "diameter error, mean absolute (mm)": float(diameter.mean()),
        "slices found (share)": float(np.average(shares, weights=weights)),
    }


def on_volumes(folder: Path) -> dict[str, float]:
    """Seconds of one core per volume at 1 mm, and the peak memory of the process."""
    seconds, read = [], standard_volume()
    for record in read_datalist(folder):
        image = read(record)[Field.IMAGE]
        array, spacing = image[0].numpy(), image.pixdim.numpy()
        start = time.process_time()
        track = localise_aorta(array, spacing)
        seconds.append(time.process_time() - start)
        print(
            f"{record[Field.SUBJECT]}: {seconds[-1]:.2f} s, {len(track)} slices, confidence {track.track_confidence:.2f}"
        )
    return {
        "localisation at 1 mm, median (s of one core)": float(np.median(seconds)),
        "localisation at 1 mm, slowest (s of one core)": float(max(seconds)),
        "peak memory with reading and resampling (GB)": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> None:
    """Print a table and, if asked, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = on_volumes(arguments.real) if arguments.real else {}
    if arguments.seeds:
        table = on_phantoms(arguments.seeds) | table
    for name, value in table.items():
        print(f"{name:55s} {value:8.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
