"""How much sooner the L-BFGS search comes as low as the paper's does, how good both are, what a step costs.

Usage: python benchmarks/inpainting.py PATCH_SET [--models FOLDER] [--patches 49] [--iterations 8000] [--seeds 3]
       [--published FILE] [--device cpu] [--output FILE]

The final losses of the paper's search are the targets. The L-BFGS search runs on the same patches, one by one and as one
batch. Losses are those of the paper (without priors), taken from the latents of every gradient after the clock has stopped.
The time of the paper's search is that of its iterations, measured in this run on a single patch and on the whole batch, times
their number: the whole of it takes an hour and more of a CPU, so that its results may be kept in a file and used again.
For the standard deviation over starts the paper's search is run again with other seeds on every sixth patch, the L-BFGS
one from as many of its own starts.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from monai_cardiac_gan.data import AortaPatchDataset
from monai_cardiac_gan.evaluation import inpainting_quality
from monai_cardiac_gan.inferers import (
    LatentBank,
    LatentObjective,
    NearestPatchInpainter,
    disc_uncertainty,
    gradient_descent_search,
    lbfgs_search,
    square_mask,
)
from monai_cardiac_gan.inferers.latent_bank import digest_of
from monai_cardiac_gan.inferers.objective import Evaluation
from monai_cardiac_gan.losses import contextual_plus_perceptual_loss, masked_l1
from monai_cardiac_gan.networks import load_network
from monai_cardiac_gan.networks.nets import InpaintingUNet, LatentEncoder, ResidualCritic, ResidualGenerator

LATENT_SIZE = 100
STEP_REPEATS, SINGLE_ITERATIONS, BATCH_ITERATIONS = 15, 100, 20
PART = 7
"""Patches that the paper's search takes at once: as fast for each as larger batches, and less is lost when it is cut off."""
STARTS = (1, 2, 4)
EVERY = 6
"""Every so many-th patch is searched from several starts."""
BUNDLE = Path(__file__).parents[1] / "bundles" / "cardiac_aorta_wgan_gp"


def networks(folder: Path, device: torch.device) -> tuple[nn.Module, nn.Module, LatentBank, nn.Module, nn.Module]:
    """Generator, critic, bank, encoder and inpainting U-Net with the weights of a folder, frozen, in evaluation mode."""
    made = (
        ResidualGenerator(width=4, max_channels=128),
        ResidualCritic(width=4, max_channels=128),
        LatentBank(),
        LatentEncoder(),
        InpaintingUNet(),
    )
    for network, name in zip(made, ("model", "critic", "bank", "encoder", "inpainting_unet"), strict=True):
        load_network(network, str(folder / f"{name}.pt"))
        network.to(device).eval().requires_grad_(False)
    return made


def seconds(step: Callable[[], Any], device: torch.device) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def step_costs(generator: nn.Module, critic: nn.Module, patches: Tensor, mask: Tensor) -> dict[str, float]:
    """Median seconds for one latent of a step of ours, of the usual public loop, and of its bare minimum, in turn."""
    count, device = len(patches), patches.device
    latents = torch.randn(count, LATENT_SIZE, generator=torch.Generator().manual_seed(0)).to(device)
    objective = LatentObjective(generator, contextual_plus_perceptual_loss(critic), patches, mask.expand_as(patches))
    usual = UsualLoop(generator, critic, latents, patches, mask)

    def bare() -> None:
        free = latents.clone().requires_grad_()
        torch.autograd.grad(critic(generator(free)).sum(), free)

    def usual_layout() -> None:
        for network in (generator, critic):
            network.to(memory_format=torch.contiguous_format)
        usual.prepare()

    def our_layout() -> None:
        for network in (generator, critic):
            network.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    steps = {"ours": lambda: objective(latents), "bare": bare, "usual": usual.step}
    found: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(STEP_REPEATS + 1):
        for name, step in steps.items():
            usual_layout() if name == "usual" else our_layout()
            taken = seconds(step, device) / count
            if repeat:
                found[name].append(taken)
    our_layout()
    medians = {f"{name}, ms": 1e3 * median(values) for name, values in found.items()}
    ratios = {
        f"ours / {name}": median(a / b for a, b in zip(found["ours"], found[name], strict=True))
        for name in ("usual", "bare")
    }
    return medians | ratios


class UsualLoop:
    """A latent step as public implementations write it: networks in training mode, their weights differentiable, the image
    generated once for the contextual and once for the perceptual term."""

    def __init__(self, generator: nn.Module, critic: nn.Module, latents: Tensor, patches: Tensor, mask: Tensor) -> None:
        self.generator, self.critic = generator, critic
        self.latents = latents.clone().requires_grad_()
        self.patches, self.context = patches, (~mask).to(patches.dtype)

    def prepare(self) -> None:
        """Training mode and differentiable weights."""
        for network in (self.generator, self.critic):
            network.train().requires_grad_(True)

    def step(self) -> None:
        """One gradient step."""
        contextual = ((self.generator(self.latents) - self.patches) * self.context).abs().sum()
        perceptual = -self.critic(self.generator(self.latents)).sum()
        (contextual + 0.1 * perceptual).backward()
        with torch.no_grad():
            self.latents -= 1e-4 * self.latents.grad
        self.latents.grad = None


Note = tuple[float, Tensor, Tensor]
"""When gradients were there, for which latents, of which patches."""


class NotedObjective:
    """Passes an objective through and notes each gradient, at a smaller size too."""

    def __init__(self, objective: LatentObjective, notes: list[Note]) -> None:
        self.objective, self.notes = objective, notes
        self.targets = objective.targets

    def __call__(self, latents: Tensor, rows: Tensor | None = None) -> Evaluation:
        """See `LatentObjective`."""
        found = self.objective(latents, rows)
        numbers = torch.arange(len(latents), device=latents.device) if rows is None else rows
        self.notes.append((time.perf_counter(), latents.detach().clone(), numbers.clone()))
        return found

    def reduced(self, size: int) -> NotedObjective:
        """See `LatentObjective`."""
        return NotedObjective(self.objective.reduced(size), self.notes)


class Recorder:
    """Passes an optimiser through and notes when each latent was evaluated."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.notes: list[Note] = []

    def __call__(self, objective: LatentObjective, initial_latents: Tensor, snapshots: int, progress: bool) -> Any:
        """See `LatentOptimizer`."""
        return self.optimizer(NotedObjective(objective, self.notes), initial_latents, snapshots, progress)


def times_to_target(
    search: Any, patches: Tensor, mask: Tensor, generator: nn.Module, critic: nn.Module, targets: Tensor
) -> tuple[list[float | None], Tensor]:
    """Seconds until the paper's loss of each patch was as low as its target (None: never), and the lowest loss of each."""
    search.optimizer = recorder = Recorder(search.optimizer)
    start = time.perf_counter()
    search.search(patches, mask, generator)
    objective = LatentObjective(generator, contextual_plus_perceptual_loss(critic), patches, mask.expand_as(patches))
    reached: list[float | None] = [None] * len(patches)
    lowest = torch.full((len(patches),), torch.inf)
    for moment, latents, rows in recorder.notes:
        totals = objective.totals(latents, rows)
        for row, total in zip(rows.tolist(), totals.tolist(), strict=True):
            lowest[row] = min(lowest[row].item(), total)
            if reached[row] is None and total <= targets[row]:
                reached[row] = moment - start
    search.optimizer = recorder.optimizer
    return reached, lowest


class PapersRuns:
    """Results of the paper's search, kept in a file part by part.

    Args:
        path: of the file; None keeps nothing.
        generator, critic: frozen.
        iterations: of the search.
    """

    def __init__(self, path: Path | None, generator: nn.Module, critic: nn.Module, iterations: int) -> None:
        self.path, self.generator, self.critic, self.iterations = path, generator, critic, iterations
        self.kept: dict[str, Tensor] = {}
        if path is not None and path.exists():
            self.kept = torch.load(path, weights_only=True)

    def latents(self, patches: Tensor, mask: Tensor, seed: int) -> Tensor:
        """(N, L) where the search of each patch ended."""
        search = gradient_descent_search(
            self.critic, iterations=self.iterations, channels_last=True, progress=False, seed=seed, snapshots=2
        )
        for part in patches.split(PART):
            missing = [row for row in part if self._name(row, seed) not in self.kept]
            if missing:
                ended = search.search(torch.stack(missing), mask, self.generator).latents[:, 0]
                self.kept |= {self._name(row, seed): latent for row, latent in zip(missing, ended, strict=True)}
                if self.path is not None:
                    torch.save(self.kept, self.path)
        return torch.stack([self.kept[self._name(row, seed)] for row in patches]).to(patches.device)

    def _name(self, patch: Tensor, seed: int) -> str:
        digest = hashlib.sha256(patch.cpu().numpy().tobytes() + bytes(digest_of(self.generator).tolist())).hexdigest()
        return f"{digest}, seed {seed}, {self.iterations} iterations"


def time_of_papers_search(
    generator: nn.Module, critic: nn.Module, patches: Tensor, mask: Tensor, iterations: int, measured: int
) -> float:
    """Seconds that the paper's search takes for patches as one batch, by its iterations."""
    whole = gradient_descent_search(critic, iterations=measured, channels_last=True, progress=False)
    none = gradient_descent_search(critic, iterations=0, channels_last=True, progress=False)
    started, short = (median(s.search(patches, mask, generator).seconds for _ in range(3)) for s in (none, whole))
    return started + (short - started) / measured * iterations


def diameter_std(images: Tensor) -> float | None:
    """Standard deviation of the diameters over solutions (k, 1, H, W) of one patch."""
    return disc_uncertainty(images).diameter_std_mm


def inpainted(generator: nn.Module, latents: Tensor, patches: Tensor, mask: Tensor) -> Tensor:
    """Patches whose masks show the images of these latents."""
    images = torch.cat([generator(part) for part in latents.split(PART)])
    return torch.where(mask, images, patches).cpu()


def compare_quality(
    search: Any, runs: PapersRuns, patches: Tensor, mask: Tensor, train: Tensor, seeds: int
) -> dict[str, Any]:
    """Losses, quality of what is painted, and standard deviation of the diameter over starts, of both searches."""
    generator = runs.generator
    objective = LatentObjective(
        generator, contextual_plus_perceptual_loss(runs.critic), patches, mask.expand_as(patches), PART
    )
    slow = runs.latents(patches, mask, 0)
    target = objective.totals(slow)
    found: dict[str, Any] = {"paper's loss, paper's search": target.tolist()}
    found["quality, paper's search"] = quality_of(generator, slow, patches, mask)
    search.starts = STARTS[-1]
    result = search.search(patches, mask, generator)
    search.starts = 1
    rows = torch.arange(len(patches))
    for count in STARTS:
        latents = result.latents[rows, result.losses[:, :count].argmin(1)].to(patches.device)
        losses = objective.totals(latents)
        name = f"L-BFGS search from {count} start(s)"
        found[f"paper's loss, {name}"] = losses.tolist()
        found[f"at least as low as the paper's search, share, {name}"] = (losses <= target).float().mean().item()
        found[f"quality, {name}"] = quality_of(generator, latents, patches, mask)
    found |= compare_with_nearest(generator, latents, patches, mask, NearestPatchInpainter(train))
    if seeds > 1:
        found |= compare_std(result.inpainted[::EVERY, :seeds], runs, patches[::EVERY], mask, seeds)
    return found


def quality_of(generator: nn.Module, latents: Tensor, patches: Tensor, mask: Tensor) -> dict[str, Any]:
    """The quality of what these latents paint."""
    painted = inpainted(generator, latents, patches, mask)
    return asdict(inpainting_quality(painted, patches.cpu(), (mask).expand_as(patches).cpu()))


def compare_with_nearest(
    generator: nn.Module, latents: Tensor, patches: Tensor, mask: Tensor, nearest: NearestPatchInpainter
) -> dict[str, Any]:
    """Difference outside the mask, of the latents' images and of the nearest training patches."""
    parts = zip(latents.split(PART), patches.split(PART), strict=True)
    ours = torch.cat([masked_l1(generator(part), images, ~mask) for part, images in parts]).tolist()
    theirs = [masked_l1(nearest.nearest(p, mask[0])[None], p[None], ~mask).item() for p in patches]
    return {
        "difference outside the mask, L-BFGS search": ours,
        "difference outside the mask, nearest training patch": theirs,
        "L-BFGS not worse than nearest outside the mask, share": float(np.mean(np.array(ours) <= theirs)),
    }


def compare_std(by_start: Tensor, runs: PapersRuns, patches: Tensor, mask: Tensor, seeds: int) -> dict[str, Any]:
    """Standard deviation of the aorta's diameter over as many starts, of both searches, mm."""
    by_seed = [inpainted(runs.generator, runs.latents(patches, mask, s), patches, mask) for s in range(seeds)]
    slow = [diameter_std(images) for images in torch.stack(by_seed, 1)]
    quick = [diameter_std(images) for images in by_start]
    pairs = [(a, b) for a, b in zip(slow, quick, strict=True) if a is not None and b is not None]
    return {
        "diameter's standard deviation over starts, mm, paper's search": slow,
        "diameter's standard deviation over starts, mm, L-BFGS search": quick,
        "ratio of the mean standard deviations, L-BFGS / paper": sum(b for _, b in pairs) / sum(a for a, _ in pairs)
        if pairs
        else None,
    }


def compare_speed(
    search: Any, runs: PapersRuns, patches: Tensor, mask: Tensor, targets: Tensor, iterations: int
) -> dict[str, Any]:
    """Times to the final loss of the paper's search, of patches alone and of all as one batch."""
    generator, critic, device = runs.generator, runs.critic, patches.device
    alone = time_of_papers_search(generator, critic, patches[:1], mask, iterations, SINGLE_ITERATIONS)
    together = time_of_papers_search(generator, critic, patches, mask, iterations, BATCH_ITERATIONS)
    singles = [
        times_to_target(search, patches[row : row + 1], mask, generator, critic, targets[row : row + 1])[0][0]
        for row in range(len(patches))
    ]
    seconds(lambda: search.search(patches[:1], mask, generator), device)
    batch, _ = times_to_target(search, patches, mask, generator, critic, targets)
    found: dict[str, Any] = {
        "paper's search, s for a patch alone (by its iterations)": alone,
        "paper's search, s for a patch of the batch (by its iterations)": together / len(patches),
        "as low, share of patches": sum(value is not None for value in singles) / len(patches),
        "L-BFGS search alone, s to the target": singles,
        "L-BFGS search in the batch, s to the target": batch,
    }
    reached = sorted(value for value in singles if value is not None)
    if reached:
        found["times faster alone, median"] = alone / median(reached)
        found["times faster alone, slowest"] = alone / reached[-1]
    in_batch = sorted(value for value in batch if value is not None)
    if in_batch:
        found["times faster in the batch, all that get there"] = together / in_batch[-1]
        found["times faster in the batch, median patch"] = together / median(in_batch)
    return found


def measure(
    folder: str, models: Path, count: int, iterations: int, seeds: int, kept: Path | None, device: torch.device
) -> dict[str, Any]:
    """All figures."""
    generator, critic, bank, encoder, unet = networks(models, device)
    held_out = AortaPatchDataset(folder, "test", limit=count)
    patches = held_out.all_patches().float().to(device)
    train = AortaPatchDataset(folder, "train").all_patches()
    mask = square_mask()[None, None].to(device)
    found: dict[str, Any] = {"patches": len(patches), "subjects": held_out.subjects(), "iterations": iterations}
    found["step of one latent"] = step_costs(generator, critic, patches[:1], mask)
    found[f"step of {len(patches)} latents, each"] = step_costs(generator, critic, patches, mask)
    runs = PapersRuns(kept, generator, critic, iterations)
    search = lbfgs_search(critic, bank, encoder, unet, nearest=8, progress=False, snapshots=2)
    found |= compare_quality(search, runs, patches, mask, train, seeds)
    targets = torch.tensor(found["paper's loss, paper's search"], device=device)
    return found | compare_speed(search, runs, patches, mask, targets, iterations)


def main() -> None:
    """Print the figures and, if asked, write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patch_set")
    parser.add_argument("--models", type=Path, default=BUNDLE / "models")
    parser.add_argument("--patches", type=int, default=49)
    parser.add_argument("--iterations", type=int, default=8000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--published", type=Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    found = measure(
        options.patch_set,
        options.models,
        options.patches,
        options.iterations,
        options.seeds,
        options.published,
        torch.device(options.device),
    )
    found["torch"], found["threads"] = torch.__version__, torch.get_num_threads()
    text = json.dumps(found, indent=4)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
