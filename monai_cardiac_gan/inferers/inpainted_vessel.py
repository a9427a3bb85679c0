"""The expected anatomy along a whole vessel: a latent at each level, and images at every place between them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["InpaintedVessel", "latents_between"]


@dataclass(frozen=True)
class InpaintedVessel:
    """What the levels of one vessel were searched to, S solutions of K levels; all tensors on the CPU.

    Attributes:
        positions_mm: (K,) along the vessel, increasing.
        latents: (S, K, L).
        generated: (S, K, 1, H, W) the generator's images.
        losses: (S, K) loss of each level, without the coupling.
        totals: (S,) loss of each solution with the coupling.
        evaluations: (S,) gradients that each search took, of all levels together.
        stops: why each search ended, see `StopReason`.
        seconds: that the search took.
        typical: (K, 1, H, W) patches with the typical answer behind their masks; None where solutions were searched, of which
            none is more typical than another.
    """

    positions_mm: Tensor
    latents: Tensor
    generated: Tensor
    losses: Tensor
    totals: Tensor
    evaluations: Tensor
    stops: tuple[str, ...]
    seconds: float
    typical: Tensor | None = None

    @property
    def best(self) -> int:
        """Number of the solution of lowest total loss."""
        return int(self.totals.argmin())

    def latents_at(self, positions_mm: Tensor) -> Tensor:
        """(S, n, L) of other places; see `latents_between`."""
        return torch.stack([latents_between(each, self.positions_mm, positions_mm) for each in self.latents])


def latents_between(latents: Tensor, positions_mm: Tensor, wanted_mm: Tensor) -> Tensor:
    """Latents on the straight line between those of the neighbouring levels; beyond the ends the last level's.

    Args:
        latents: (K, L).
        positions_mm: (K,) increasing.
        wanted_mm: (n,).

    Returns:
        (n, L).

    Example:
        >>> latents_between(torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, 10.0]), torch.tensor([-5.0, 2.5, 10.0])).flatten()
        tensor([0.0000, 0.2500, 1.0000])
    """
    if len(positions_mm) == 1:
        return latents.expand(len(wanted_mm), -1)
    upper = torch.searchsorted(positions_mm, wanted_mm).clamp(1, len(positions_mm) - 1)
    below, above = positions_mm[upper - 1], positions_mm[upper]
    share = ((wanted_mm - below) / (above - below)).clamp(0, 1).to(latents)[:, None]
    return torch.lerp(latents[upper - 1], latents[upper], share)
