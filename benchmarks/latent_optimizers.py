"""Which optimiser a latent search should take, and what its prior is worth.

Usage: python benchmarks/latent_optimizers.py PATCH_SET [--patches 8] [--tuned 16] [--output FILE]

The optimisers start from the best of 980 random latents of held-out patches and are compared by the paper's loss after so
many gradients. Gauss-Newton's Jacobians count as many gradients as they take the time of, measured beside them. The weights
of the prior and of the proposal are varied on training patches, which nothing is reported of elsewhere. Prints Markdown tables.
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
from gauss_newton import gauss_newton
from inpainting import BUNDLE, networks
from torch import Tensor, nn

from monai_cardiac_gan.data import AortaPatchDataset
from monai_cardiac_gan.inferers import (
    BatchedLBFGS,
    GradientDescent,
    LatentBank,
    LatentObjective,
    RandomInitializer,
    lbfgs_search,
    metric_inverse,
    square_mask,
)
from monai_cardiac_gan.inferers.latent_metric import image_slopes
from monai_cardiac_gan.losses import contextual_plus_perceptual_loss, masked_l1

BUDGETS = (20, 40, 80, 160, 300)
PRIOR_WEIGHTS = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3)
PROPOSAL_WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2)
JACOBIANS, TIMINGS = 8, 5
CPU = torch.device("cpu")


def compare_optimizers(generator: nn.Module, critic: nn.Module, bank: LatentBank, patches: Tensor) -> dict[str, Any]:
    """Mean of the lowest paper's loss that each patch has reached after each budget of gradients."""
    mask = square_mask()[None, None].expand_as(patches)
    starts, _ = RandomInitializer()(patches, ~mask, generator, 1)
    objective = LatentObjective(generator, contextual_plus_perceptual_loss(critic), patches, mask)
    last = BUDGETS[-1]
    optimizers = {
        "gradient descent as published": GradientDescent(last),
        "Adam, step 0.1, cosine": GradientDescent(last, 0.1, "adam", cosine=True),
        "L-BFGS": BatchedLBFGS(last, tolerance=0),
    }
    for damping in (0.03, 0.003, 0.001, 0.0003):
        preconditioner = metric_inverse(bank.metric, damping)
        optimizers[f"L-BFGS, preconditioned, damping {damping:g}"] = BatchedLBFGS(last, preconditioner, tolerance=0)
    found = {}
    for name, optimizer in optimizers.items():
        outcome = optimizer(objective, starts[:, 0], 2, False)
        # a step of L-BFGS may take several gradients, so that budgets are spread over its iterations
        share = (len(outcome.total) - 1) / last
        lowest = outcome.total.cummin(0).values.mean(1)
        found[name] = [lowest[round(share * budget)].item() for budget in BUDGETS]
    return found


def cost_of_jacobian(generator: nn.Module, objective: LatentObjective, latent: Tensor) -> float:
    """How many gradients a Jacobian takes the time of; medians, in turn."""
    row, directions = torch.tensor([0]), torch.eye(len(latent))

    def jacobian() -> None:
        with torch.no_grad():
            image_slopes(generator, latent, directions)

    steps: tuple[Callable[[], Any], ...] = (lambda: objective(latent[None], row), jacobian)
    taken: list[list[float]] = [[], []]
    for _ in range(TIMINGS):
        for step, values in zip(steps, taken, strict=True):
            begin = time.perf_counter()
            step()
            values.append(time.perf_counter() - begin)
    return median(taken[1]) / median(taken[0])


def compare_gauss_newton(generator: nn.Module, critic: nn.Module, patches: Tensor) -> tuple[list[float], float]:
    """Mean of the lowest paper's loss after each budget of gradients, and the cost of a Jacobian in gradients."""
    mask = square_mask()[None, None].expand_as(patches)
    starts, _ = RandomInitializer()(patches, ~mask, generator, 1)
    objective = LatentObjective(generator, contextual_plus_perceptual_loss(critic), patches, mask)
    cost = cost_of_jacobian(generator, objective, starts[0, 0])
    reached = []
    for row, start in enumerate(starts[:, 0]):
        losses, asked = gauss_newton(generator, objective, row, start, JACOBIANS)
        spent = [count + cost * step for step, count in enumerate(asked)]
        reached.append([losses[max(i for i, paid in enumerate(spent) if i == 0 or paid <= b)] for b in BUDGETS])
    return torch.tensor(reached).mean(0).tolist(), cost


def compare_weights(
    name: str,
    weights: tuple[float, ...],
    generator: nn.Module,
    critic: nn.Module,
    bank: LatentBank,
    encoder: nn.Module,
    unet: nn.Module,
    patches: Tensor,
) -> dict[str, Any]:
    """Published loss, length of the latents, and difference in the mask, for each weight (an argument of the search)."""
    mask = square_mask()[None, None].expand_as(patches)
    objective = LatentObjective(generator, contextual_plus_perceptual_loss(critic), patches, mask)
    found = {}
    for weight in weights:
        settings: dict[str, Any] = {name: weight}
        search = lbfgs_search(critic, bank, encoder, unet, progress=False, snapshots=2, **settings)
        result = search.search(patches, mask, generator)
        latents = result.latents[:, 0]
        inside = masked_l1(result.best_inpainted(), patches, mask).mean().item()
        found[f"{weight:g}"] = [objective.totals(latents).mean().item(), latents.norm(dim=1).mean().item(), inside]
    return found


def table(first: str, columns: list[str], rows: dict[str, list[float]]) -> str:
    """Markdown, three digits.

    Example:
        >>> print(table("optimiser", ["20"], {"Adam": [0.12345]}))
        | optimiser | 20 |
        |---|---:|
        | Adam | 0.123 |
    """
    lines = [f"| {first} | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    lines += [f"| {name} | {' | '.join(f'{value:.3g}' for value in values)} |" for name, values in rows.items()]
    return "\n".join(lines)


def main() -> None:
    """Print both tables and, if asked, write the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patch_set")
    parser.add_argument("--patches", type=int, default=8)
    parser.add_argument("--tuned", type=int, default=16)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    generator, critic, bank, encoder, unet = networks(BUNDLE / "models", CPU)
    held_out = AortaPatchDataset(options.patch_set, "test", limit=options.patches).all_patches().float()
    train = AortaPatchDataset(options.patch_set, "train", limit=options.tuned).all_patches().float()
    for network in (generator, critic):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    found = compare_optimizers(generator, critic, bank, held_out)
    found["Gauss-Newton"], cost = compare_gauss_newton(generator, critic, held_out)
    print(table("optimiser", [str(budget) for budget in BUDGETS], found))
    print(f"A Jacobian takes the time of {cost:.0f} gradients.", flush=True)
    content: dict[str, Any] = {"optimisers": found, "gradients of a Jacobian": cost}
    for name, weights in (("prior_weight", PRIOR_WEIGHTS), ("proposal_weight", PROPOSAL_WEIGHTS)):
        content[name] = compare_weights(name, weights, generator, critic, bank, encoder, unet, train)
        print("\n" + table(name, ["paper's loss", "norm", "L1 in the mask"], content[name]), flush=True)
    if options.output:
        options.output.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
