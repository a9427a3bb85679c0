"""How much sooner the fast latent search comes as low as the published one does, how good both are, what a step costs.

Usage: python benchmarks/inpainting.py PATCH_SET [--models FOLDER] [--patches 49] [--iterations 8000] [--seeds 3]
       [--published FILE] [--device cpu] [--output FILE]

The final losses of the published search are the targets. The fast search runs on the same patches, one by one and as one
batch. Losses are the published ones (without priors), taken from the latents of every gradient after the clock has stopped.
The published search's time is that of its iterations, measured in this run on a single patch and on the whole batch, times
their number: the whole of it takes an hour and more of a CPU, so that its results may be kept in a file and used again.
For the spread over starts the published search is run again with other seeds on every sixth patch, the fast one from as many
of its own starts.
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
from monai_cardiac_gan.evaluation.evaluate_inpainting import inpainting_quality
from monai_cardiac_gan.inferers import (
    LatentBank,
    LatentObjective,
    NearestPatchInpainter,
    disc_uncertainty,
    fast_search,
    paper_search,
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
"""Patches that the published search takes at once: as fast for each as larger batches, and less is lost when it is cut off."""
STARTS = (1, 2, 4)
EVERY = 6
"""Every so many-th patch is searched from several starts."""
BUNDLE = Path(__file__).parents[1] / "bundles" / "cardiac_aorta_wgan_gp"


def networks(folder: Path, device: torch.device) -> tuple[nn.Module, nn.Module, LatentBank, nn.Module, nn.Module]:
    """Generator, critic, bank, encoder and filling network with the weights of a folder, frozen, in evaluation mode."""
    made = (
        ResidualGenerator(width=4, max_channels=128),
        ResidualCritic(width=4, max_channels=128),
        LatentBank(),
        LatentEncoder(),
        InpaintingUNet(),
    )
    for network, name in zip(made, ("model", "critic", "bank", "encoder", "filling"), strict=True):
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


def step_costs(generator: nn.Module, critic: nn.Module, patches: Tensor, known: Tensor) -> dict[str, float]:
    """Median seconds for one latent of a step of ours, of the usual public loop, and of its bare minimum, in turn."""
    count, device = len(patches), patches.device
    latents = torch.randn(count, LATENT_SIZE, generator=torch.Generator().manual_seed(0)).to(device)
    objective = LatentObjective(generator, contextual_plus_perceptual_loss(critic), patches, known.expand_as(patches))
    usual = UsualLoop(generator, critic, latents, patches, known)

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

    def __init__(
        self, generator: nn.Module, critic: nn.Module, latents: Tensor, patches: Tensor, known: Tensor
    ) -> None:
        self.generator, self.critic = generator, critic
        self.latents = latents.clone().requires_grad_()
        self.patches, self.known = patches, known.to(patches.dtype)

    def prepare(self) -> None:
        """Training mode and differentiable weights."""
        for network in (self.generator, self.critic):
            network.train().requires_grad_(True)

    def step(self) -> None:
        """One gradient step."""
        contextual = ((self.generator(self.latents) - self.patches) * self.known).abs().sum()
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
    """Passes a descent through and notes when each latent was evaluated."""

    def __init__(self, descent: Any) -> None:
        self.descent = descent
        self.notes: list[Note] = []

    def __call__(self, objective: LatentObjective, starts: Tensor, snapshots: int, progress: bool) -> Any:
        """See `LatentOptimizer`."""
        return self.descent(NotedObjective(objective, self.notes), starts, snapshots, progress)


def times_to_target(
    search: Any, patches: Tensor, known: Tensor, generator: nn.Module, critic: nn.Module, targets: Tensor
) -> tuple[list[float | None], Tensor]:
    """Seconds until each patch's published loss was as low as its target (None: never), and the lowest loss of each."""
    search.descent = recorder = Recorder(search.descent)
    start = time.perf_counter()
    search.search(patches, ~known, generator)
    objective = LatentObjective(generator, contextual_plus_perceptual_loss(critic), patches, known.expand_as(patches))
    reached: list[float | None] = [None] * len(patches)
    lowest = torch.full((len(patches),), torch.inf)
    for moment, latents, rows in recorder.notes:
        totals = objective.totals(latents, rows)
        for row, total in zip(rows.tolist(), totals.tolist(), strict=True):
            lowest[row] = min(lowest[row].item(), total)
            if reached[row] is None and total <= targets[row]:
                reached[row] = moment - start
    search.descent = recorder.descent
    return reached, lowest


class PublishedRuns:
    """Results of the published search, kept in a file part by part.

    Args:
        path: of the file; None keeps nothing.
        generator, critic: frozen.
        iterations: of the descent.
    """

    def __init__(self, path: Path | None, generator: nn.Module, critic: nn.Module, iterations: int) -> None:
        self.path, self.generator, self.critic, self.iterations = path, generator, critic, iterations
        self.kept: dict[str, Tensor] = {}
        if path is not None and path.exists():
            self.kept = torch.load(path, weights_only=True)

    def latents(self, patches: Tensor, known: Tensor, seed: int) -> Tensor:
        """(N, L) where the search of each patch ended."""
        search = paper_search(
            self.critic, iterations=self.iterations, channels_last=True, progress=False, seed=seed, snapshots=2
        )
        for part in patches.split(PART):
            missing = [row for row in part if self._name(row, seed) not in self.kept]
            if missing:
                ended = search.search(torch.stack(missing), ~known, self.generator).latents[:, 0]
                self.kept |= {self._name(row, seed): latent for row, latent in zip(missing, ended, strict=True)}
                if self.path is not None:
                    torch.save(self.kept, self.path)
        return torch.stack([self.kept[self._name(row, seed)] for row in patches]).to(patches.device)

    def _name(self, patch: Tensor, seed: int) -> str:
        digest = hashlib.sha256(patch.cpu().numpy().tobytes() + bytes(digest_of(self.generator).tolist())).hexdigest()
        return f"{digest}, seed {seed}, {self.iterations} iterations"


def time_of_published(
    generator: nn.Module, critic: nn.Module, patches: Tensor, known: Tensor, iterations: int, measured: int
) -> float:
    """Seconds that the published search takes for patches as one batch, by its iterations."""
    whole = paper_search(critic, iterations=measured, channels_last=True, progress=False)
    none = paper_search(critic, iterations=0, channels_last=True, progress=False)
    started, short = (median(s.search(patches, ~known, generator).seconds for _ in range(3)) for s in (none, whole))
    return started + (short - started) / measured * iterations


def diameter_spread(images: Tensor) -> float | None:
    """Standard deviation of the diameters over solutions (k, 1, H, W) of one patch."""
    return disc_uncertainty(images).diameter_deviation_mm


def fillings(generator: nn.Module, latents: Tensor, patches: Tensor, known: Tensor) -> Tensor:
    """Patches with their masks filled by the images of these latents."""
    images = torch.cat([generator(part) for part in latents.split(PART)])
    return torch.where(known, patches, images).cpu()


def compare_quality(
    fast: Any, runs: PublishedRuns, patches: Tensor, known: Tensor, train: Tensor, seeds: int
) -> dict[str, Any]:
    """Losses, quality of the fillings, and spread of the diameter over starts, of both searches."""
    generator = runs.generator
    objective = LatentObjective(
        generator, contextual_plus_perceptual_loss(runs.critic), patches, known.expand_as(patches), PART
    )
    slow = runs.latents(patches, known, 0)
    target = objective.totals(slow)
    found: dict[str, Any] = {"published loss, published search": target.tolist()}
    found["filling, published search"] = quality_of(generator, slow, patches, known)
    fast.starts = STARTS[-1]
    result = fast.search(patches, ~known, generator)
    fast.starts = 1
    rows = torch.arange(len(patches))
    for count in STARTS:
        latents = result.latents[rows, result.losses[:, :count].argmin(1)].to(patches.device)
        losses = objective.totals(latents)
        name = f"fast search from {count} start(s)"
        found[f"published loss, {name}"] = losses.tolist()
        found[f"at least as low as the published search, share, {name}"] = (losses <= target).float().mean().item()
        found[f"filling, {name}"] = quality_of(generator, latents, patches, known)
    found |= compare_with_nearest(generator, latents, patches, known, NearestPatchInpainter(train))
    if seeds > 1:
        found |= compare_spread(result.inpainted[::EVERY, :seeds], runs, patches[::EVERY], known, seeds)
    return found


def quality_of(generator: nn.Module, latents: Tensor, patches: Tensor, known: Tensor) -> dict[str, Any]:
    """The quality of the masks that these latents fill."""
    painted = fillings(generator, latents, patches, known)
    return asdict(inpainting_quality(painted, patches.cpu(), (~known).expand_as(patches).cpu()))


def compare_with_nearest(
    generator: nn.Module, latents: Tensor, patches: Tensor, known: Tensor, nearest: NearestPatchInpainter
) -> dict[str, Any]:
    """Difference outside the mask, of the latents' images and of the nearest training patches."""
    parts = zip(latents.split(PART), patches.split(PART), strict=True)
    ours = torch.cat([masked_l1(generator(part), images, known) for part, images in parts]).tolist()
    theirs = [masked_l1(nearest.nearest(p, ~known[0])[None], p[None], known).item() for p in patches]
    return {
        "difference outside the mask, fast search": ours,
        "difference outside the mask, nearest training patch": theirs,
        "fast not worse than nearest outside the mask, share": float(np.mean(np.array(ours) <= theirs)),
    }


def compare_spread(by_start: Tensor, runs: PublishedRuns, patches: Tensor, known: Tensor, seeds: int) -> dict[str, Any]:
    """Standard deviation of the aorta's diameter over as many starts, of both searches, mm."""
    by_seed = [fillings(runs.generator, runs.latents(patches, known, s), patches, known) for s in range(seeds)]
    slow = [diameter_spread(images) for images in torch.stack(by_seed, 1)]
    quick = [diameter_spread(images) for images in by_start]
    pairs = [(a, b) for a, b in zip(slow, quick, strict=True) if a is not None and b is not None]
    return {
        "diameter's spread over starts, mm, published search": slow,
        "diameter's spread over starts, mm, fast search": quick,
        "ratio of the mean spreads, fast / published": sum(b for _, b in pairs) / sum(a for a, _ in pairs)
        if pairs
        else None,
    }


def compare_speed(
    fast: Any, runs: PublishedRuns, patches: Tensor, known: Tensor, targets: Tensor, iterations: int
) -> dict[str, Any]:
    """Times to the published search's final loss, of patches alone and of all as one batch."""
    generator, critic, device = runs.generator, runs.critic, patches.device
    alone = time_of_published(generator, critic, patches[:1], known, iterations, SINGLE_ITERATIONS)
    together = time_of_published(generator, critic, patches, known, iterations, BATCH_ITERATIONS)
    singles = [
        times_to_target(fast, patches[row : row + 1], known, generator, critic, targets[row : row + 1])[0][0]
        for row in range(len(patches))
    ]
    seconds(lambda: fast.search(patches[:1], ~known, generator), device)
    batch, _ = times_to_target(fast, patches, known, generator, critic, targets)
    found: dict[str, Any] = {
        "published search, s for a patch alone (by its iterations)": alone,
        "published search, s for a patch of the batch (by its iterations)": together / len(patches),
        "as low, share of patches": sum(value is not None for value in singles) / len(patches),
        "fast search alone, s to the target": singles,
        "fast search in the batch, s to the target": batch,
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
    generator, critic, bank, encoder, filling = networks(models, device)
    held_out = AortaPatchDataset(folder, "test", limit=count)
    patches = held_out.all_patches().float().to(device)
    train = AortaPatchDataset(folder, "train").all_patches()
    known = ~square_mask()[None, None].to(device)
    found: dict[str, Any] = {"patches": len(patches), "subjects": held_out.subjects(), "iterations": iterations}
    found["step of one latent"] = step_costs(generator, critic, patches[:1], known)
    found[f"step of {len(patches)} latents, each"] = step_costs(generator, critic, patches, known)
    runs = PublishedRuns(kept, generator, critic, iterations)
    fast = fast_search(critic, bank, encoder, filling, nearest=8, progress=False, snapshots=2)
    found |= compare_quality(fast, runs, patches, known, train, seeds)
    targets = torch.tensor(found["published loss, published search"], device=device)
    return found | compare_speed(fast, runs, patches, known, targets, iterations)


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
