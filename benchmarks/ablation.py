"""What each part of the relativistic preset is worth: one change at a time, the same data, seed and CPU time.

Each variant is trained by `GenerativeAdversarialTrainer` for the same CPU time, then compared with held-out patches. Writes
a table (Markdown and JSON) that grows with each variant; variants that it holds are not run again.

    python benchmarks/ablation.py PATCH_SET OUTPUT --minutes 4 --size 64 --features models/features.pt
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Events
from torch import nn

from monai_cardiac_gan.atomic import write_json
from monai_cardiac_gan.augmentation import DifferentiableAugmentation
from monai_cardiac_gan.data import AortaPatchDataset, CachedPatches, ResumableBatches
from monai_cardiac_gan.engines import Execution, GenerativeAdversarialTrainer
from monai_cardiac_gan.evaluation import compare
from monai_cardiac_gan.evaluation.comparison import FEATURE_METRICS, IMAGE_METRICS
from monai_cardiac_gan.handlers import GeneratorEMA
from monai_cardiac_gan.inferers import sample_patches
from monai_cardiac_gan.losses import GradientPenalty, HingeLoss, RelativisticLoss, WassersteinLoss, ZeroCentredPenalty
from monai_cardiac_gan.networks.nets import PatchFeatures, ResidualCritic, ResidualGenerator
from monai_cardiac_gan.visualize import figure_of_sample_grid, save_figure

BATCH = 16
LATENT_SIZE = 100
SHOWN = (
    "sliced_wasserstein/sliced_wasserstein_mean",
    "power_spectrum",
    "diversity/ms_ssim_difference",
    "frechet_distance",
    "kernel_distance",
    "precision_recall/precision",
    "precision_recall/recall",
    "density_coverage/coverage",
    "classifier_two_sample/accuracy",
)
MODERN: dict[str, Any] = {
    "generator": {},
    "critic": {},
    "loss": RelativisticLoss(),
    "penalty": ZeroCentredPenalty(1.0),
    "penalty_every": 8,
    "augment": 0.5,
    "n_critic": 1,
    "betas": (0.0, 0.99),
    "rate": 1e-3,
}
CHANGES: dict[str, dict[str, Any]] = {
    "relativistic": {},
    "no augmentation": {"augment": 0.0},
    "no pixel noise": {"generator": {"noise": False}},
    "transposed convolutions": {"generator": {"upsampling": "transposed"}},
    "batch normalisation": {"generator": {"norm": "batch"}},
    "hinge loss, R1": {"loss": HingeLoss(), "penalty": ZeroCentredPenalty(1.0, "reals")},
    "hinge loss, R1, no augmentation": {
        "loss": HingeLoss(),
        "penalty": ZeroCentredPenalty(1.0, "reals"),
        "augment": 0.0,
    },
    "Wasserstein loss, one-centred penalty": {
        "loss": WassersteinLoss(),
        "penalty": GradientPenalty(10.0),
        "penalty_every": 1,
    },
    "spectral normalisation, no penalty": {
        "critic": {"spectral": True},
        "penalty": ZeroCentredPenalty(0.0),
        "penalty_every": 10**9,
    },
    "penalty at each update": {"penalty_every": 1},
    "learning rate of the paper, 1e-4": {"rate": 1e-4},
}


def main() -> None:
    """Run the variants that the table lacks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patch_set")
    parser.add_argument("output")
    parser.add_argument("--minutes", type=float, default=4.0, help="CPU time of each training")
    parser.add_argument("--size", type=int, default=64, help="side of the patches, pixels")
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("--count", type=int, default=500, help="patches in the comparison")
    parser.add_argument("--features", default=None, help="weights of PatchFeatures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--variants", nargs="*", default=list(CHANGES))
    options = parser.parse_args()
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    file = output / "ablation.json"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for name in options.variants:
        if name in results:
            continue
        results |= evaluated(name, trained(name, options), options, output)
        write_json(file, results)
        (output / "ablation.md").write_text(table(results), encoding="utf-8")
        print(table(results), flush=True)


def trained(
    name: str, options: argparse.Namespace, data: AortaPatchDataset | None = None, mask_invalid: bool = True
) -> tuple[GenerativeAdversarialTrainer, GeneratorEMA]:
    """A training of the variant that stops when its CPU time is over."""
    settings = MODERN | CHANGES[name]
    torch.manual_seed(options.seed)
    shape = {"width": options.width, "max_channels": 128, "size": options.size}
    generator = ResidualGenerator(**shape, **({"noise": True} | settings["generator"]))
    critic = ResidualCritic(**shape, **settings["critic"])
    ema = GeneratorEMA(generator, 0.999)
    data = AortaPatchDataset(options.patch_set, "train") if data is None else data

    def adam(network: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(network.parameters(), settings["rate"], betas=settings["betas"], fused=True)

    trainer = GenerativeAdversarialTrainer(
        device="cpu",
        max_epochs=10**6,
        train_data_loader=CachedPatches(data, ResumableBatches(data, BATCH, seed=options.seed), options.size),
        generator=generator,
        critic=critic,
        generator_optimizer=adam(generator),
        critic_optimizer=adam(critic),
        latent_size=LATENT_SIZE,
        n_critic=settings["n_critic"],
        loss=settings["loss"],
        gradient_penalty=settings["penalty"],
        penalty_every=settings["penalty_every"],
        augment=DifferentiableAugmentation(cutout=0.25, brightness=0.2, contrast=0.25, probability=settings["augment"]),
        execution=Execution(channels_last=True),
        seed=options.seed,
        mask_invalid=mask_invalid,
        train_handlers=[ema],
    )
    end = time.process_time() + 60 * options.minutes

    @trainer.on(Events.ITERATION_COMPLETED)
    def stop(engine: GenerativeAdversarialTrainer) -> None:
        if time.process_time() > end:
            engine.terminate()

    trainer.run()
    return trainer, ema


def evaluated(
    name: str, run: tuple[GenerativeAdversarialTrainer, GeneratorEMA], options: argparse.Namespace, output: Path
) -> dict[str, Any]:
    """Metrics of the EMA of the generator, for the preset itself also those of the generator without EMA."""
    trainer, ema = run
    networks: dict[str, nn.Module] = {name: ema.network}
    if name == "relativistic":
        networks["no EMA"] = trainer.generator
    data = AortaPatchDataset(options.patch_set, "test", limit=options.count)
    reals = CachedPatches(data, [], options.size).evenly_spaced(options.count)
    fakes = {
        label: sample_patches(network, options.count, LATENT_SIZE, options.seed) for label, network in networks.items()
    }
    metrics = dict(IMAGE_METRICS)
    del metrics["aorta_geometry"]  # at 2 mm a pixel its diameters are too coarse
    rows = compare(metrics, fakes, reals, data.subjects(), options.seed)
    if options.features:
        features = PatchFeatures().eval()
        features.load_state_dict(torch.load(options.features, weights_only=True))
        with torch.no_grad():
            seen = {label: features(patches) for label, patches in fakes.items()}
            rows += compare(FEATURE_METRICS, seen, features(reals), data.subjects(), options.seed)
    found: dict[str, Any] = {"real vs real": {row.metric: row.real_vs_real for row in rows}}
    for label, patches in fakes.items():
        save_figure(figure_of_sample_grid(patches[:36]), output / f"{label.replace(' ', '_').replace(',', '')}.png")
        numbers = {row.metric: row.values[label] for row in rows}
        found[label] = numbers | {"updates": trainer.generator_updates, "options": vars(options)}
    return found


def table(results: dict[str, Any]) -> str:
    """Markdown, one row a variant."""
    shown = [name for name in SHOWN if name in results["real vs real"]]
    lines = [
        f"| variant | updates | {' | '.join(name.split('/')[-1] for name in shown)} |",
        "|---|" + "---:|" * (len(shown) + 1),
    ]
    for label, numbers in results.items():
        cells = [f"{numbers[name]:.3g}" for name in shown]
        lines.append(f"| {label} | {numbers.get('updates', '')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
