"""How far scans look like those that the networks were trained on: whole volumes, and the same with another brightness, blur,
noise or a dilated vessel, rated by what ships with the bundle.

Usage: python benchmarks/familiarity.py VOLUME_OR_FOLDER ... [--changed] [--models bundles/cardiac_aorta_wgan_gp/models]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # seconds of one core

import numpy as np
import torch
from monai.data import MetaTensor
from scipy import ndimage
from torch import Tensor

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.data.valid_region import valid_bounds, valid_region
from monai_cardiac_gan.inferers import Familiarity, ScanFamiliarity
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.networks import load_network
from monai_cardiac_gan.networks.nets import PatchFeatures
from monai_cardiac_gan.transforms import CropAortaPatches, LocaliseAorta, ScaleByPercentiles, standard_volume

STEP_MM = 10.0
MODELS = Path(__file__).resolve().parents[1] / "bundles" / "cardiac_aorta_wgan_gp" / "models"
DARK_BLOOD, DARK_EDGE = 0.6, 0.05
"""Shares of the blood's signal: from where on it is dark, and how wide the change is."""
CT_STEEPNESS = 6.0
"""So steep that all soft tissue is about as bright, and air alone is dark, as in computed tomography with contrast."""
DILATED_REACH_PX = 32.0
"""Beyond this distance from its middle a patch is not widened."""


def blood_of(image: Tensor, track: AortaTrack) -> float:
    """Median brightness along the track."""
    spacing = np.linalg.norm(np.asarray(image.affine)[:3, :3], axis=0)  # type: ignore[attr-defined]
    x, y = np.rint(track.centres_mm / spacing[:2]).astype(int).T
    return float(np.median(np.asarray(image[0])[x, y, track.slices]))


def brightness_changes(blood: float) -> dict[str, Callable[[Tensor], Tensor]]:
    """Changes of a volume whose brightness runs from 0 to 1."""
    noise = torch.Generator().manual_seed(0)
    return {
        "turned round": lambda v: 1 - v,
        "black blood": lambda v: v * (1 - torch.sigmoid((v - DARK_BLOOD * blood) / (DARK_EDGE * blood))),
        "as in CT": lambda v: torch.tanh(CT_STEEPNESS * v / blood),
        "to the power 0.5": lambda v: v**0.5,
        "to the power 2": lambda v: v**2,
        "noise, 5 %": lambda v: v + 0.05 * torch.randn(v.shape, generator=noise),
        "coil, 0.6 to 1.4": lambda v: v * torch.linspace(0.6, 1.4, v.shape[2])[None, None, :, None],
        "scaled, shifted": lambda v: 0.37 * v + 0.1,
    }


def widened(patches: Tensor, factor: float) -> Tensor:
    """Patches (n, 1, H, W) whose middle is enlarged, with smooth ends."""
    side = patches.shape[-1]
    rows, columns = np.mgrid[:side, :side] - side / 2
    scale = 1 / (1 + (factor - 1) * np.exp(-((np.hypot(rows, columns) / DILATED_REACH_PX) ** 4)))
    places = [side / 2 + rows * scale, side / 2 + columns * scale]
    changed = [ndimage.map_coordinates(patch[0].numpy(), places, order=1, mode="nearest") for patch in patches]
    return torch.from_numpy(np.stack(changed))[:, None].float()


class Rater:
    """Rates volumes by what lies in a folder of weights."""

    def __init__(self, models: Path) -> None:
        self.features = load_network(PatchFeatures(), str(models / "features.pt"))
        self.known: Any = load_network(Familiarity(), str(models / "familiarity.pt"))
        self.locate, self.scale = LocaliseAorta(), ScaleByPercentiles()
        self.crop = CropAortaPatches(spacing=1.0, step_mm=STEP_MM)

    def patches(self, image: Tensor, track: AortaTrack) -> tuple[Tensor, Tensor]:
        """Patches of a volume and their valid pixels."""
        cut = self.crop(self.scale(image), track)
        bounds = [valid_bounds(patch.meta) for patch in cut]
        return torch.stack([patch.as_tensor() for patch in cut]), valid_region(bounds, self.crop.size)

    def rate(self, patches: Tensor, valid: Tensor) -> ScanFamiliarity:
        """Of patches that were cut."""
        return self.known.rate_patches(patches, valid, self.features)


def report(name: str, rated: ScanFamiliarity, seconds: float | None = None) -> None:
    """One line of the table."""
    state = "familiar" if rated.is_familiar else "another kind"
    print(
        f"| {name} | {rated.patches} | {rated.distance:.2f} | {rated.score:.2f} | {state} | {1000 * seconds:.0f} |",
        flush=True,
    )


def rate_volume(rater: Rater, path: str, changed: bool) -> None:
    """A volume as it is and, if asked, changed."""
    name = Path(path).name.split(".")[0]
    image: MetaTensor = standard_volume(None)({Field.IMAGE: path})[Field.IMAGE]
    track = rater.locate(image)
    if not len(track):
        print(f"| {name} | no vessel was found | | | | |")
        return
    patches = rater.patches(image, track)
    started = time.perf_counter()
    rated = rater.rate(*patches)
    report(name, rated, time.perf_counter() - started)
    if not changed:
        return
    low, high = (float(each) for each in np.percentile(np.asarray(image), [0.5, 99.5]))
    unit = ((image - low) / (high - low)).clamp(0, 1)
    for label, change in brightness_changes((blood_of(image, track) - low) / (high - low)).items():
        report(f"{name}, {label}", rater.rate(*rater.patches(change(unit), track)))
    for factor in (1.3, 1.6):
        report(f"{name}, vessel x {factor}", rater.rate(widened(patches[0], factor), patches[1]))
    for spacing in (1.5, 2.0):
        coarse = standard_volume(spacing)({Field.IMAGE: path})[Field.IMAGE]
        report(f"{name}, {spacing} mm voxels", rater.rate(*rater.patches(coarse, rater.locate(coarse))))


def main() -> None:
    """Parse the command line and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("volumes", nargs="+", help="volumes, or folders of them")
    parser.add_argument("--changed", action="store_true", help="also with another brightness, blur, noise and vessel")
    parser.add_argument("--models", type=Path, default=MODELS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rater = Rater(options.models)
    print("| scan | patches | distance | score | kind | ms |\n|---|---|---|---|---|---|")
    for source in options.volumes:
        paths = [source] if Path(source).is_file() else [record[Field.IMAGE] for record in read_datalist(source)]
        for path in paths:
            rate_volume(rater, str(path), options.changed)
    print(f"\nlimit {float(rater.known.limit):.3f}")


if __name__ == "__main__":
    main()
