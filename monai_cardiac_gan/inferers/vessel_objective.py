"""The loss of all levels of one vessel at once, with neighbouring latents coupled."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from monai_cardiac_gan.inferers.objective import Evaluation, LatentObjective

__all__ = ["COUPLING", "REFERENCE_MM", "VesselObjective", "latent_roughness"]

REFERENCE_MM = 10.0
"""Distance of two levels at which a coupling of 1 is one; latents may differ by more where levels lie farther apart."""
COUPLING = "coupling"
"""Name of the coupling among the terms."""


class VesselObjective:
    r"""Mean loss of the levels of a vessel, and a term that keeps the latents of neighbouring levels together.

    .. math:: f(z_1, \dots, z_K) = \frac{1}{K} \sum_k f_k(z_k)
        + \frac{\lambda}{K - 1} \sum_k \frac{10\,\text{mm}}{s_{k+1} - s_k} \frac{\|z_{k+1} - z_k\|^2}{L}

    with the loss :math:`f_k` of level k at :math:`s_k` (`LatentObjective`). The coupling is the negative logarithm of a
    Gaussian random walk along the vessel (Rasmussen and Williams 2006, section 6.2).

    One vessel is one problem of K L unknowns, so that every optimiser of latents (`LatentOptimizer`) takes it as it is.

    Args:
        levels: loss of one latent for each of K levels.
        positions_mm: (K,) where the levels lie along the vessel, increasing.
        weight: :math:`\lambda`; 0 searches the levels side by side.

    Raises:
        ValueError: when there are not as many positions as levels, they do not increase, or the weight is negative or not
            finite.
    """

    def __init__(self, levels: LatentObjective, positions_mm: Tensor, weight: float) -> None:
        count = len(levels.targets)
        if positions_mm.shape != (count,) or not bool((positions_mm.diff() > 0).all()):
            raise ValueError(
                f"{count} levels at {positions_mm.tolist()} mm: expected one position for each, increasing along the vessel."
            )
        if not 0 <= weight < math.inf:
            raise ValueError(f"the coupling's weight is {weight}: expected a finite number of at least 0.")
        self.levels, self.positions_mm, self.weight = levels, positions_mm, float(weight)

    @property
    def targets(self) -> Tensor:
        """Of the levels; an optimiser reads their size."""
        return self.levels.targets

    def __call__(self, latents: Tensor, rows: Tensor | None = None) -> Evaluation:
        """Evaluate latents (n, K L), each of which is a whole vessel; `rows` tells them apart and changes nothing."""
        count, levels = len(latents), len(self.positions_mm)
        apart = latents.detach().reshape(count * levels, -1)
        found = self.levels(apart, torch.arange(levels, device=latents.device).repeat(count))
        parts = {name: value.view(count, levels).mean(1) for name, value in found.parts.items()}
        roughness, slope = latent_roughness(apart.view(count, levels, -1), self.positions_mm)
        gradient = found.gradient.view(count, levels, -1) / levels + self.weight * slope
        total = found.total.view(count, levels).mean(1) + self.weight * roughness
        return Evaluation(total, gradient.flatten(1), {**parts, COUPLING: roughness})

    def reduced(self, size: int) -> VesselObjective:
        """The same at a smaller image size, see `LatentObjective.reduced`."""
        return VesselObjective(self.levels.reduced(size), self.positions_mm, self.weight)


def latent_roughness(latents: Tensor, positions_mm: Tensor) -> tuple[Tensor, Tensor]:
    r"""Mean squared step between neighbouring latents, and its gradient; see `VesselObjective` for the formula.

    Args:
        latents: (n, K, L).
        positions_mm: (K,).

    Returns:
        (n,) and (n, K, L).

    Example:
        One step of length 2 in one of two numbers, over 10 mm:

        >>> value, gradient = latent_roughness(torch.tensor([[[0.0, 1.0], [2.0, 1.0]]]), torch.tensor([0.0, 10.0]))
        >>> value.tolist(), gradient.tolist()
        ([2.0], [[[-2.0, 0.0], [2.0, 0.0]]])
    """
    gradient = torch.zeros_like(latents)
    if latents.shape[1] < 2:
        return latents.new_zeros(len(latents)), gradient
    steps = latents.diff(dim=1)
    weights = (REFERENCE_MM / positions_mm.diff().to(latents))[:, None] / (steps.shape[1] * steps.shape[2])
    pull = 2 * weights * steps
    gradient[:, 1:] += pull
    gradient[:, :-1] -= pull
    return (weights * steps.square()).sum((1, 2)), gradient
