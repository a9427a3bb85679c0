"""Damped Gauss-Newton steps for one latent, with the whole Jacobian by forward-mode differentiation: slow, for comparison."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monai_cardiac_gan.inferers.latent_metric import image_slopes
from monai_cardiac_gan.inferers.objective import LatentObjective

__all__ = ["gauss_newton"]

LEAST_RESIDUAL = 0.01
"""Differences below count as this in the weights 1 / |r| that make squares of absolute values."""
FIRST_DAMPING, LESS, MORE = 1e-2, 0.3, 4.0
"""Levenberg's damping, as a share of the mean diagonal, and how it follows success and failure."""
TRIES = 6


def gauss_newton(
    generator: nn.Module, objective: LatentObjective, row: int, start: Tensor, jacobians: int
) -> tuple[list[float], list[int]]:
    r"""Levenberg-Marquardt with iteratively reweighted least squares (Nocedal and Wright 2006, sections 10.2 and 10.3).

    .. math:: \left( J^T W J + \mu \, \bar d \, I \right) s = -\nabla L, \quad W = \operatorname{diag} \frac{M}{K |r|}

    with the residuals r of the contextual term; the other terms are in the gradient alone.

    Args:
        generator: of the objective.
        objective: the first of its terms a mean absolute difference.
        row: number of the patch.
        start: (L,) latent.
        jacobians: steps.

    Returns:
        The loss after each step, the start first, and how many gradients and losses had been asked for by then, without the
        passes of the Jacobians.
    """
    rows = torch.tensor([row])
    target, known = objective.targets[row], ~objective.masks[row].expand_as(objective.targets[row])
    directions = torch.eye(len(start))
    latent, damping = start.clone(), FIRST_DAMPING
    found = objective(latent[None], rows)
    losses, asked = [found.total.item()], [1]
    for _ in range(jacobians):
        with torch.no_grad():
            residual = (generator(latent[None])[0] - target).flatten()
            slopes = image_slopes(generator, latent, directions)
        weights = known.flatten() / (known.sum() * residual.abs().clamp(min=LEAST_RESIDUAL))
        matrix = (slopes * weights) @ slopes.T
        count = asked[-1]
        for _ in range(TRIES):
            damped = matrix + damping * matrix.diagonal().mean() * directions
            tried = latent - torch.linalg.solve(damped, found.gradient[0])
            value = objective.totals(tried[None], rows).item()
            count += 1
            if value < losses[-1]:
                latent, damping = tried, damping * LESS
                break
            damping *= MORE
        found = objective(latent[None], rows)
        losses.append(found.total.item())
        asked.append(count + 1)
    return losses, asked
