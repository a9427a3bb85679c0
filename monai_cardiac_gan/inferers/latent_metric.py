"""How much each direction of a generator's latents changes its images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["image_slopes", "latent_metric", "metric_inverse"]

SAMPLES = 16
"""Latents that are averaged over. The directions that matter are much the same everywhere."""
TANGENTS = 25
"""Directions that are differentiated at once; bounds memory."""
DAMPING = 1e-3
"""Share of the greatest eigenvalue that is added to all, so that directions which hardly change the image do not become
giant steps. Of 0.03 to 0.0003, this one came lowest within 40 gradients (`benchmarks/latent_optimizers.py`)."""


def latent_metric(generator: nn.Module, latent_size: int, samples: int = SAMPLES, seed: int = 0) -> Tensor:
    r"""Mean metric that the space of images induces on that of latents.

    .. math:: H = \frac{1}{P} \, \mathbb{E}_{z \sim N(0, I)} \left[ J(z)^T J(z) \right], \quad J = \partial G / \partial z

    with P the number of pixels: a step d changes the image by about :math:`\sqrt{d^T H d}`, root mean square. It is the
    Gauss-Newton matrix of the mean squared difference, averaged over the prior, and needs a generator alone, no patch
    (Nocedal and Wright 2006, section 10.3).

    Args:
        generator: latents (N, L) to images (N, C, H, W); one pass of forward-mode differentiation for each of L directions.
        latent_size: L.
        samples: latents that are averaged over.
        seed: of these latents.

    Returns:
        (L, L) symmetric, positive semidefinite.

    Example:
        A linear generator has the same metric everywhere:

        >>> generator = nn.Sequential(nn.Linear(2, 4, bias=False), nn.Unflatten(1, (1, 2, 2)))
        >>> weight = generator[0].weight.detach()
        >>> torch.allclose(latent_metric(generator, 2), weight.T @ weight / 4, atol=1e-6)
        True
    """
    parameter = next(generator.parameters())
    source = torch.Generator().manual_seed(seed)
    latents = torch.randn(samples, latent_size, generator=source).to(parameter)
    directions = torch.eye(latent_size).to(parameter)
    total = torch.zeros_like(directions)
    with torch.no_grad():
        for latent in latents:
            slopes = image_slopes(generator, latent, directions)
            total += slopes @ slopes.T / slopes.shape[1]
    return total / samples


def image_slopes(generator: nn.Module, latent: Tensor, directions: Tensor) -> Tensor:
    """(D, P) change of the image along each direction; one pass of forward-mode differentiation for each.

    Args:
        generator: latents (N, L) to images of P numbers.
        latent: (L,) where.
        directions: (D, L).
    """

    def slope(direction: Tensor) -> Tensor:
        return torch.func.jvp(lambda one: generator(one[None])[0], (latent,), (direction,))[1]

    parts = [torch.func.vmap(slope)(part).flatten(1) for part in directions.split(TANGENTS)]
    return torch.cat(parts)


def metric_inverse(metric: Tensor, damping: float = DAMPING) -> Tensor:
    r"""(L, L) preconditioner :math:`(H / h + \delta I)^{-1}` with h the greatest eigenvalue, scaled to greatest eigenvalue 1.

    Example:
        >>> metric_inverse(torch.diag(torch.tensor([1.0, 0.0])), damping=0.25).diag()
        tensor([0.2000, 1.0000])
    """
    values, vectors = torch.linalg.eigh(metric.double())
    inverse = damping / (values.clamp(min=0) / values[-1] + damping)
    return (vectors * inverse @ vectors.T).to(metric.dtype)
