"""How well the descending aorta is found: on phantoms with known truth, on real volumes against centres and diameters that
were set by eye (tests/data/aorta_reference.csv), and time and memory on real volumes.

Usage: python benchmarks/localisation.py [--seeds 20] [--real FOLDER] [--reference CSV] [--json FILE]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # seconds of one core

import nibabel
import numpy as np
import torch

from monai_cardiac_gan.aorta import AortaTrack, localise_aorta
from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.phantom import WholeHeartPhantom
from monai_cardiac_gan.transforms import standard_volume

FOUND_MM = 10.0
"""A slice counts as found when the centre lies inside the aorta: within the smallest radius that phantoms have, 8 mm,
and a fifth more."""


CLEAR = "clear"


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


@dataclass(frozen=True)
class ReferenceSlice:
    """The descending aorta on one slice of a volume, set by eye.

    Attributes:
        slice: index along the third axis of the volume in RAS+ order.
        centre_mm: x and y from the first voxel's centre, RAS+ order, mm; None where there is no round cross-section.
        diameter_mm: of the bright lumen; None likewise.
        state: ``clear``, ``faint`` (the rim is hardly seen), ``arch`` or ``none``.
    """

    slice: int
    centre_mm: tuple[float, float] | None
    diameter_mm: float | None
    state: str


def read_reference(path: Path) -> dict[str, list[ReferenceSlice]]:
    """Slices of each subject."""
    found: dict[str, list[ReferenceSlice]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            round_one = row["x_mm"] != ""
            found.setdefault(row["subject"], []).append(
                ReferenceSlice(
                    int(row["slice"]),
                    (float(row["x_mm"]), float(row["y_mm"])) if round_one else None,
                    float(row["diameter_mm"]) if round_one else None,
                    row["state"],
                )
            )
    return found


def against_reference(
    track: AortaTrack,
    track_affine: np.ndarray,
    reference: list[ReferenceSlice],
    reference_affine: np.ndarray,
) -> list[dict[str, Any]]:
    """Centre error and diameter error (mm) of a track on each slice of a reference where the aorta is round.

    Args:
        track: on a grid with this affine, RAS+.
        track_affine: voxels to millimetres.
        reference: on another grid of the same volume.
        reference_affine: the same.

    Returns:
        One entry for each such slice: ``state``, ``found``, and where it was found ``centre``, ``diameter`` (signed) and
        ``confidence``.
    """
    spacing = np.linalg.norm(track_affine[:3, :3], axis=0)
    heights = track_affine[2, 3] + track_affine[2, 2] * track.slices
    centres = track_affine[:2, 3] + track.centres_mm / spacing[:2] * track_affine[[0, 1], [0, 1]]
    entries: list[dict[str, Any]] = []
    for one in reference:
        if one.centre_mm is None or one.diameter_mm is None:
            continue
        height = reference_affine[2, 3] + reference_affine[2, 2] * one.slice
        truth = reference_affine[:2, 3] + np.array(one.centre_mm)
        entry: dict[str, Any] = {"slice": one.slice, "state": one.state, "found": False}
        distances = np.abs(heights - height)
        if len(track) and distances.min() <= spacing[2] / 2 + 1e-6:
            row = int(distances.argmin())
            centre = float(np.linalg.norm(centres[row] - truth))
            entry |= {
                "found": centre <= FOUND_MM,
                "centre": centre,
                "diameter": float(track.diameters_mm[row] - one.diameter_mm),
                "confidence": float(track.confidence[row]),
            }
        entries.append(entry)
    return entries


def on_reference(folder: Path, path: Path) -> dict[str, float]:
    """Errors against the reference, over all slices where its state is ``clear``, and shares of both states."""
    reference, read = read_reference(path), standard_volume(None)
    entries: list[dict[str, Any]] = []
    for record in read_datalist(folder):
        subject = record[Field.SUBJECT]
        if subject not in reference:
            continue
        image = read(record)[Field.IMAGE]
        native = nibabel.as_closest_canonical(nibabel.load(record[Field.IMAGE]))
        track = localise_aorta(image[0].numpy(), image.pixdim.numpy())
        found = against_reference(track, np.asarray(image.affine), reference[subject], native.affine)
        entries += found
        clear = [entry for entry in found if entry["state"] == CLEAR]
        centres = [entry["centre"] for entry in clear if "centre" in entry]
        missed = [entry["slice"] for entry in clear if not entry["found"]]
        print(
            f"{subject}: {len(clear) - len(missed)} of {len(clear)} clear slices, centre error {np.median(centres):.2f} mm "
            f"(worst {max(centres):.2f}), confidence {track.track_confidence:.2f}, missed slices {missed}"
        )
    return summary(entries)


def summary(entries: list[dict[str, Any]]) -> dict[str, float]:
    """Figures over the entries of `against_reference`."""
    clear = [entry for entry in entries if entry["state"] == CLEAR]
    hit = [entry for entry in clear if entry["found"]]
    faint = [entry for entry in entries if entry["state"] != CLEAR]
    centres = np.array([entry["centre"] for entry in hit])
    diameters = np.array([entry["diameter"] for entry in hit])
    wrong = [entry for entry in entries if "centre" in entry and not entry["found"]]
    return {
        "reference: clear slices": len(clear),
        "reference: found, share of clear slices": len(hit) / len(clear),
        "reference: found, share of faint slices": sum(entry["found"] for entry in faint) / max(1, len(faint)),
        "reference: centre error, median (mm)": float(np.median(centres)),
        "reference: centre error, 95th percentile (mm)": float(np.percentile(centres, 95)),
        "reference: diameter error, mean absolute (mm)": float(np.abs(diameters).mean()),
        "reference: diameter error, mean (mm)": float(diameters.mean()),
        "reference: slices with a circle elsewhere": len(wrong),
    }


def on_volumes(folder: Path) -> dict[str, float]:
    """Seconds of one core per volume on its own grid, as `prepare` does it, and the peak memory of the process."""
    seconds, read = [], standard_volume(None)
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
        "localisation, median (s of one core)": float(np.median(seconds)),
        "localisation, slowest (s of one core)": float(max(seconds)),
        "peak memory with reading (GB)": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> None:
    """Print a table and, if asked, write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = on_volumes(arguments.real) if arguments.real else {}
    if arguments.real and arguments.reference:
        table |= on_reference(arguments.real, arguments.reference)
    if arguments.seeds:
        table = on_phantoms(arguments.seeds) | table
    for name, value in table.items():
        print(f"{name:55s} {value:8.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(table, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
