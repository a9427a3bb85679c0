"""Plain gradient descent as published, and Adam, on all latents at once."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from monai_cardiac_gan.inferers.latent_optimizer import (
    OptimizationRecord,
    OptimizationResult,
    evenly_spaced,
)
from monai_cardiac_gan.inferers.objective import Objective
from monai_cardiac_gan.inferers.traces import StopReason

__all__ = ["GradientDescent"]

OPTIMISERS: dict[str, Any] = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
STEP_SIZES = {"sgd": 1.0, "adam": 0.01}
"""Default steps. The mean over pixels changes by about 0.01 per unit of one latent component, so that both move a
component by about a hundredth of its standard deviation per iteration."""


class GradientDescent:
    """A fixed number of steps along the gradient.

    Args:
        iterations: steps; the publication uses 8000.
        step_size: by default 1 for ``"sgd"`` and 0.01 for ``"adam"``. Steps along the publication's sum over the pixels are
            as many times larger as there are known pixels (see `masked_l1`).
        optimiser: ``"sgd"``, plain gradient descent as published, or ``"adam"``.
        cosine: let the step fall to zero along half a cosine (Loshchilov and Hutter 2017) instead of staying as it is.

    Raises:
        ValueError: when the iterations are negative, the step is not positive, or the optimiser is not known.

    Example:
        >>> optimizer = GradientDescent(iterations=100, optimiser="adam")
        >>> optimizer.step_size
        0.01
    """

    def __init__(
        self, iterations: int = 8000, step_size: float | None = None, optimiser: str = "sgd", cosine: bool = False
    ) -> None:
        if iterations < 0:
            raise ValueError(f"iterations is {iterations}: expected at least 0.")
        if optimiser not in OPTIMISERS:
            raise ValueError(f"the optimiser is '{optimiser}': expected one of {', '.join(OPTIMISERS)}.")
        self.iterations, self.optimiser, self.cosine = iterations, optimiser, cosine
        self.step_size = STEP_SIZES[optimiser] if step_size is None else step_size
        if not 0 < self.step_size < math.inf:
            raise ValueError(f"step_size is {self.step_size}: expected a finite step above 0.")

    def __call__(
        self, objective: Objective, initial_latents: Tensor, snapshots: int = 2, progress: bool = False
    ) -> OptimizationResult:
        """See `LatentOptimizer`."""
        latents = initial_latents.detach().clone().requires_grad_()
        optimiser = OPTIMISERS[self.optimiser]([latents], lr=self.step_size)
        keep = set(evenly_spaced(self.iterations, snapshots).tolist())
        record = OptimizationRecord.of(initial_latents)
        for step in tqdm(range(self.iterations + 1), desc="latent search", disable=None if progress else True):
            found = objective(latents)
            record.add(latents.detach(), found, step in keep)
            if step < self.iterations:
                optimiser.param_groups[0]["lr"] = self._rate(step)
                latents.grad = found.gradient
                optimiser.step()
        stops = [
            StopReason.ITERATIONS if math.isfinite(last) else StopReason.NOT_FINITE
            for last in record.totals[-1].tolist()
        ]
        return record.result(torch.full((len(initial_latents),), self.iterations + 1), stops)

    def _rate(self, step: int) -> float:
        fall = 0.5 * (1 + math.cos(math.pi * step / self.iterations)) if self.cosine else 1.0
        return self.step_size * fall
