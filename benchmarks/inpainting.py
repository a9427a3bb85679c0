"""How much sooner the fast latent search comes as low as the published one does, and what a step of either costs.

Usage: python benchmarks/inpainting.py PATCH_SET [--models FOLDER] [--patches 8] [--iterations 8000] [--device cpu]
       [--output FILE]

The published search runs once, on all patches as one batch; its final losses are the targets. The fast search then runs on
the same patches, one by one and as one batch. Losses are the published ones (without the prior), taken from the latents of
every gradient after the clock has stopped. The published search's time for one patch is that of its iterations, measured
on a single patch, times their number.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from monai_cardiac_gan.apps import load_network
from monai_cardiac_gan.data import AortaPatchDataset
from monai_cardiac_gan.inferers import LatentBank, LatentObjective, fast_search, paper_search, square_hole
from monai_cardiac_gan.inferers.objective import Evaluation
from monai_cardiac_gan.losses import published_loss
from monai_cardiac_gan.networks.nets import LatentEncoder, ResidualCritic, ResidualGenerator

LATENT_SIZE = 100
STEP_REPEATS, SINGLE_ITERATIONS = 15, 100
BUNDLE = Path(__file__).parents[1] / "bundles" / "cardiac_aorta_wgan_gp"


def networks(folder: Path, device: torch.device) -> tuple[nn.Module, nn.Module, LatentBank, nn.Module]:
    """Generator, critic, bank and encoder with the weights of a folder, frozen, in evaluation mode."""
    made = (
        ResidualGenerator(width=4, max_channels=128),
        ResidualCritic(width=4, max_channels=128),
        LatentBank(),
        LatentEncoder(),
    )
    for network, name in zip(made, ("model", "critic", "bank", "encoder"), strict=True):
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
    objective = LatentObjective(generator, published_loss(critic), patches, known.expand_as(patches))
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
        """See `Descent`."""
        return self.descent(NotedObjective(objective, self.notes), starts, snapshots, progress)


def times_to_target(
    search: Any, patches: Tensor, known: Tensor, generator: nn.Module, critic: nn.Module, targets: Tensor
) -> tuple[list[float | None], Tensor]:
    """Seconds until each patch's published loss was as low as its target (None: never), and the lowest loss of each."""
    search.descent = recorder = Recorder(search.descent)
    start = time.perf_counter()
    search.search(patches, ~known, generator)
    objective = LatentObjective(generator, published_loss(critic), patches, known.expand_as(patches))
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


def measure(folder: str, models: Path, count: int, iterations: int, device: torch.device) -> dict[str, Any]:
    """All figures."""
    generator, critic, bank, encoder = networks(models, device)
    held_out = AortaPatchDataset(folder, "test", limit=count)
    patches = held_out.all_patches().float().to(device)
    known = ~square_hole()[None, None].to(device)
    found: dict[str, Any] = {"patches": count, "subjects": held_out.subjects(), "iterations": iterations}
    found["step of one latent"] = step_costs(generator, critic, patches[:1], known)
    found[f"step of {count} latents, each"] = step_costs(generator, critic, patches, known)

    published = paper_search(critic, iterations=iterations, channels_last=True, progress=False)
    whole = published.search(patches, ~known, generator)
    one = paper_search(critic, iterations=SINGLE_ITERATIONS, channels_last=True, progress=False)
    none = paper_search(critic, iterations=0, channels_last=True, progress=False)
    started, short = (median(s.search(patches[:1], ~known, generator).seconds for _ in range(3)) for s in (none, one))
    alone = started + (short - started) / SINGLE_ITERATIONS * iterations
    targets = whole.losses[:, 0]

    fast = fast_search(critic, bank, encoder, progress=False, snapshots=2)
    singles, lows = [], []
    for row in range(count):
        reached, low = times_to_target(fast, patches[row : row + 1], known, generator, critic, targets[row : row + 1])
        singles.append(reached[0])
        lows.append(low.item())
    batch, _ = times_to_target(fast, patches, known, generator, critic, targets)
    found |= {
        "published search, s for a patch alone (by its iterations)": alone,
        "published search, s for a patch of the batch": whole.seconds / count,
        "published loss, published search": targets.tolist(),
        "published loss, fast search": lows,
        "as low, share of patches": sum(value is not None for value in singles) / count,
        "fast search alone, s to the target": singles,
        "fast search in the batch, s to the target": batch,
    }
    alone_reached = [value for value in singles if value is not None]
    batch_reached = [value for value in batch if value is not None]
    if alone_reached and batch_reached:
        found["times faster alone, median"] = alone / median(alone_reached)
        found["times faster in the batch, all patches there"] = whole.seconds / max(batch_reached)
    return found


def main() -> None:
    """Print the figures and, if asked, write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patch_set")
    parser.add_argument("--models", type=Path, default=BUNDLE / "models")
    parser.add_argument("--patches", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=8000)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    found = measure(
        options.patch_set, options.models, options.patches, options.iterations, torch.device(options.device)
    )
    found["torch"], found["threads"] = torch.__version__, torch.get_num_threads()
    text = json.dumps(found, indent=4)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
