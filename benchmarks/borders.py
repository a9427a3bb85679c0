"""What to do with patches that reach over the edge of the field of view: the generated patches decide.

The same training (relativistic preset, 64 x 64 pixels, the same CPU time) on patch sets that differ in the border alone, then
compared with held-out patches that lie inside the field of view as a whole, aorta in the middle: what a user wants.

    python benchmarks/borders.py VOLUMES OUTPUT --minutes 5 --seeds 0 1 --features models/features.pt
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ablation import trained
from torch import Tensor

from monai_cardiac_gan.aorta import measure_disc
from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.data import (
    KEPT,
    TEST,
    TRAIN,
    AortaPatchDataset,
    CachedPatches,
    Manifest,
    PatchRow,
    PatchStore,
    VolumeEntry,
    patch_stack,
    read_datalist,
)
from monai_cardiac_gan.evaluation import compare
from monai_cardiac_gan.evaluation.comparison import FEATURE_METRICS, IMAGE_METRICS
from monai_cardiac_gan.inferers import sample_patches
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.networks.nets import PatchFeatures
from monai_cardiac_gan.transforms import CropAortaPatchesd, LocaliseAortad, ScaleByPercentilesd, standard_volume
from monai_cardiac_gan.visualize import figure_of_sample_grid, save_figure

HELD_OUT = ("la_003", "la_011", "la_018")
"""Their patches lie inside the field of view as a whole."""
CROPS: dict[str, dict[str, Any]] = {
    "pad": {},
    "clamp": {"border": "clamp"},
    "drop above 5 %": {"max_padding": 0.05},
}
WAYS = {
    "pad, padding learnt": ("pad", False),
    "pad, padding left out": ("pad", True),
    "clamp, rest left out": ("clamp", True),
    "drop above 5 %, rest left out": ("drop above 5 %", True),
}
SHOWN = (
    "sliced_wasserstein/sliced_wasserstein_mean",
    "power_spectrum",
    "diversity/ms_ssim_difference",
    "frechet_distance",
    "kernel_distance",
    "precision_recall/precision",
    "precision_recall/recall",
    "density_coverage/coverage",
    "bars",
    "aorta found",
    "aorta off centre, mm",
)
LATENT_SIZE = 100
REACH_MM = 40.0
"""How far from the middle an aorta is looked for."""
BLACK = -0.9
"""An edge whose mean lies below is a bar; of the held-out patches hardly any has one."""


def make_sets(volumes: Path, folder: Path) -> None:
    """One patch set for each way to crop, of the same volumes."""
    stores = {name: PatchStore(folder / name.replace(" ", "_")) for name in CROPS}
    entries: dict[str, list[VolumeEntry]] = {name: [] for name in CROPS}
    for record in read_datalist(volumes):
        subject = record[Field.SUBJECT]
        found = ScaleByPercentilesd(Field.IMAGE)(LocaliseAortad(Field.IMAGE)(standard_volume(None)(record)))
        for name, arguments in CROPS.items():
            crop = CropAortaPatchesd(Field.IMAGE, step_mm=2.0, spacing=1.0, **arguments)
            patches = crop(found)[Field.PATCHES]
            if not patches:
                continue
            split = TEST if subject in HELD_OUT else TRAIN
            entry = VolumeEntry(subject, record[Field.IMAGE], KEPT, key=subject, grade=4.0, split=split)
            pixels = patch_stack([patch[0].numpy() for patch in patches])
            rows = [PatchRow.of(patch.meta, patch.affine.numpy(), pixels.shape[-1]) for patch in patches]
            entries[name].append(stores[name].add_patches(entry, pixels, rows))
    for name, store in stores.items():
        store.finish(Manifest(entries[name]))


def bars(patches: Tensor) -> float:
    """Share of patches with a black line along an edge."""
    edges = torch.stack([patches[..., 0, :], patches[..., -1, :], patches[..., :, 0], patches[..., :, -1]], -1)
    return (edges.mean((1, 2)) < BLACK).any(1).float().mean().item()


def seen_in(patches: Tensor) -> dict[str, float]:
    """Bars, and where the aorta is: inpainting expects it in the middle."""
    pixel_mm = 128 / patches.shape[-1]
    discs = [measure_disc(patch[0].numpy(), pixel_mm, reach_mm=REACH_MM) for patch in patches]
    middle = (patches.shape[-1] - 1) / 2
    off = [pixel_mm * float(np.linalg.norm(disc.centre - middle)) for disc in discs if disc is not None]
    return {
        "bars": bars(patches),
        "aorta found": len(off) / len(discs),
        "aorta off centre, mm": float(np.median(off)) if off else float("nan"),
    }


def main() -> None:
    """Run the trainings that the table lacks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("volumes", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0, help="CPU time of each training")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--features", default=None, help="weights of PatchFeatures")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if not (options.output / "pad" / "manifest.json").exists():
        make_sets(options.volumes, options.output)
    file = options.output / "borders.json"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for seed in options.seeds:
        for name, (crop, mask) in WAYS.items():
            label = f"{name}, seed {seed}"
            if label in results:
                continue
            options.seed = seed
            data = AortaPatchDataset(options.output / crop.replace(" ", "_"), "train")
            trainer, ema = trained("relativistic", options, data, mask)
            results |= evaluated(label, ema.network, options)
            results[label] |= {"updates": trainer.generator_updates, "patches": len(data)}
            write_json(file, results)
            (options.output / "borders.md").write_text(table(results), encoding="utf-8")
            print(table(results), flush=True)


def evaluated(label: str, network: torch.nn.Module, options: argparse.Namespace) -> dict[str, Any]:
    """Metrics against held-out patches without padding."""
    data = AortaPatchDataset(options.output / "pad", "test")
    whole = [row for row, bounds in enumerate(data.all_bounds()) if bounds.tolist() == [0, 128, 0, 128]]
    reals = CachedPatches(data, [], options.size).patches[whole].float()
    names = np.array(data.subjects())[whole].tolist()
    fakes = {label: sample_patches(network, len(reals), LATENT_SIZE, options.seed)}
    metrics = {name: metric for name, metric in IMAGE_METRICS.items() if name != "aorta_geometry"}
    rows = compare(metrics, fakes, reals, names, options.seed)
    if options.features:
        features = PatchFeatures().eval()
        features.load_state_dict(torch.load(options.features, weights_only=True))
        with torch.no_grad():
            rows += compare(FEATURE_METRICS, {label: features(fakes[label])}, features(reals), names, options.seed)
    name = label.replace(" ", "_").replace(",", "").replace("%", "percent")
    save_figure(figure_of_sample_grid(fakes[label][:36]), options.output / f"{name}.png")
    return {
        "real vs real": {row.metric: row.real_vs_real for row in rows} | seen_in(reals),
        label: {row.metric: row.values[label] for row in rows} | seen_in(fakes[label]),
    }


def table(results: dict[str, Any]) -> str:
    """Markdown, one row a training."""
    shown = [name for name in SHOWN if name in results["real vs real"]]
    lines = [
        f"| border | patches | {' | '.join(name.split('/')[-1] for name in shown)} |",
        "|---|" + "---:|" * (len(shown) + 1),
    ]
    for label, numbers in results.items():
        cells = [f"{numbers[name]:.3g}" for name in shown]
        lines.append(f"| {label} | {numbers.get('patches', '')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
