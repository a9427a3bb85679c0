"""What all penalties of the critic's slope have in common."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

__all__ = ["CriticPenalty"]


@runtime_checkable
class CriticPenalty(Protocol):
    """Penalises a critic for its slope at real images, at generated ones, or between them."""

    def __call__(
        self,
        critic: nn.Module,
        reals: Tensor,
        fakes: Tensor,
        generator: torch.Generator | None = None,
        epsilon: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The weighted penalty, a scalar, and the norms of the slopes, detached.

        Args:
            critic: maps images (N, C, H, W) to one score per image (N,); must not mix samples.
            reals: training images (N, C, H, W).
            fakes: generated images of the same shape.
            generator: source of what is random.
            epsilon: the random numbers themselves (N,), 0 to 1, for those who drew them already.
        """
        ...
