"""Most of the way at a smaller image size, where an iteration costs a part."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from monai_cardiac_gan.inferers.latent_optimizer import LatentOptimizer, OptimizationResult, evenly_spaced
from monai_cardiac_gan.inferers.objective import Objective

__all__ = ["CoarseToFine"]


class CoarseToFine:
    """One optimiser on reduced images, without critics, then another one on the whole images from where it came to.

    Needs a generator that paints smaller images (``generator(latents, size=64)``), as `ResidualGenerator` does. The traces
    are those of the second optimiser, because losses at two sizes do not compare; the path is that of both, and evaluations
    are counted in gradients at full size: one at half the side counts as a quarter.

    Args:
        coarse: at the smaller size.
        fine: at the full size.
        size: smaller side, pixels.

    Raises:
        ValueError: when the size is below 1.
    """

    def __init__(self, coarse: LatentOptimizer, fine: LatentOptimizer, size: int = 64) -> None:
        if size < 1:
            raise ValueError(f"size is {size}: expected at least 1 pixel.")
        self.coarse, self.fine, self.size = coarse, fine, size

    def __call__(
        self, objective: Objective, initial_latents: Tensor, snapshots: int = 2, progress: bool = False
    ) -> OptimizationResult:
        """See `LatentOptimizer`."""
        reduced = objective.reduced(self.size)
        first = self.coarse(reduced, initial_latents, snapshots, progress)
        second = self.fine(objective, first.latents, snapshots, progress)
        share = (reduced.targets.shape[-1] / objective.targets.shape[-1]) ** 2
        path = torch.cat([first.path, second.path[1:]])
        iterations = torch.cat([first.path_iterations, first.path_iterations[-1] + second.path_iterations[1:]])
        kept = evenly_spaced(len(path) - 1, snapshots)
        return replace(
            second,
            path=path[kept],
            path_iterations=iterations[kept],
            evaluations=second.evaluations + (share * first.evaluations).ceil().long(),
        )
