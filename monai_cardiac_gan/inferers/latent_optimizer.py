"""What all optimisers of latents have in common: how they are called, what they leave behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.inferers.objective import Evaluation, Objective

__all__ = ["LatentOptimizer", "OptimizationRecord", "OptimizationResult", "evenly_spaced"]


@dataclass(frozen=True)
class OptimizationResult:
    """What M searches came to. T iterations, the start is the one of number 0.

    Attributes:
        latents: (M, L) the iterate of lowest loss of each.
        losses: (M,) their losses.
        total: (T + 1, M) loss at each iteration; a search that has stopped keeps its last one.
        parts: the same of each term, without its weight.
        path: (F, M, L) latents on the way.
        path_iterations: (F,) their iterations, the first and the last among them.
        evaluations: (M,) how often generator and critic were differentiated.
        stops: (M,) why each ended, see `StopReason`.
    """

    latents: Tensor
    losses: Tensor
    total: Tensor
    parts: Mapping[str, Tensor]
    path: Tensor
    path_iterations: Tensor
    evaluations: Tensor
    stops: tuple[str, ...]


@runtime_checkable
class LatentOptimizer(Protocol):
    """Finds better latents than the initial ones (M, L)."""

    def __call__(
        self, objective: Objective, initial_latents: Tensor, snapshots: int = 2, progress: bool = False
    ) -> OptimizationResult:
        """Search from all initial latents at once; keep about so many latents on the way of each."""
        ...


@dataclass
class OptimizationRecord:
    """Keeps the best iterate, the traces and the path while searches run."""

    best: Tensor
    lowest: Tensor
    totals: list[Tensor] = field(default_factory=list)
    parts: list[dict[str, Tensor]] = field(default_factory=list)
    path: list[Tensor] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, initial_latents: Tensor) -> OptimizationRecord:
        """An empty record of searches from these latents (M, L)."""
        return cls(initial_latents.detach().clone(), initial_latents.new_full((len(initial_latents),), torch.inf))

    def add(self, latents: Tensor, found: Evaluation, keep: bool) -> None:
        """Note one iteration of all searches; whether the latents belong to the path."""
        better = found.total < self.lowest
        self.lowest = torch.where(better, found.total, self.lowest)
        self.best = torch.where(better[:, None], latents, self.best)
        self.totals.append(found.total)
        self.parts.append(dict(found.parts))
        if keep:
            self.path.append(latents.detach().clone())
            self.iterations.append(len(self.totals) - 1)

    def result(self, evaluations: Tensor, stops: list[str]) -> OptimizationResult:
        """All of it."""
        return OptimizationResult(
            latents=self.best,
            losses=self.lowest,
            total=torch.stack(self.totals),
            parts={name: torch.stack([each[name] for each in self.parts]) for name in self.parts[0]},
            path=torch.stack(self.path),
            path_iterations=torch.tensor(self.iterations),
            evaluations=evaluations,
            stops=tuple(stops),
        )


def evenly_spaced(last: int, count: int) -> np.ndarray:
    """At most so many whole numbers from 0 to the last one, both among them.

    Example:
        >>> evenly_spaced(8000, 5).tolist(), evenly_spaced(2, 100).tolist()
        ([0, 2000, 4000, 6000, 8000], [0, 1, 2])
    """
    return np.linspace(0, last, min(count, last + 1)).round().astype(np.int64)
