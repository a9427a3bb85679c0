"""What a latent search found, and how it came there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["DescentTraces", "InpaintingResult", "StartImages"]


@dataclass(frozen=True)
class DescentTraces:
    """The loss of every descent at every iteration; entry 0 is the start, before the first step.

    N patches, S starts each, T iterations.

    Attributes:
        contextual: (T + 1, N, S) mean absolute difference outside the hole, 0 to 2.
        perceptual: (T + 1, N, S) critic's score with its sign turned, not weighted.
        total: (T + 1, N, S) what is descended: ``contextual + perceptual_weight * perceptual``.
    """

    contextual: Tensor
    perceptual: Tensor
    total: Tensor


@dataclass(frozen=True)
class StartImages:
    """Where the descents could have started and where they did. B images in a start batch.

    Attributes:
        first_batch: (B, 1, H, W) the first of the start batches, shared by all patches.
        first_losses: (N, B) contextual loss of each of its images for each patch.
        chosen: (N, S, 1, H, W) the starts that were taken, best first.
        chosen_losses: (N, S) their contextual losses.
        chosen_places: (N, S) their numbers among all starts; below B they lie in the first batch.
        candidates: number of all starts (980 in the publication).
    """

    first_batch: Tensor
    first_losses: Tensor
    chosen: Tensor
    chosen_losses: Tensor
    chosen_places: Tensor
    candidates: int


@dataclass(frozen=True)
class InpaintingResult:
    """Inpainted patches: N patches, each from S starts. All tensors lie on the CPU.

    Attributes:
        patches: (N, 1, H, W) the input, -1 to 1.
        holes: (N, 1, H, W) bool, true where pixels were painted.
        latents: (N, S, L) the iterate of lowest total loss of each descent.
        generated: (N, S, 1, H, W) the generator's image of it.
        inpainted: (N, S, 1, H, W) the input outside the hole, the generator's image inside.
        losses: (N, S) total loss of these latents; never above that of the start.
        traces: losses of all iterations.
        start_images: where the descents started.
        snapshots: (F, N, H, W) uint8, G(z) of each patch's best descent along its way; 0 stands for -1, 255 for 1.
        snapshot_iterations: (F,) the iterations at which they were taken, the first and the last among them.
        seed: seed of the starts.
        iterations: steps of each descent.
        seconds: time that the search took.
    """

    patches: Tensor
    holes: Tensor
    latents: Tensor
    generated: Tensor
    inpainted: Tensor
    losses: Tensor
    traces: DescentTraces
    start_images: StartImages
    snapshots: Tensor
    snapshot_iterations: Tensor
    seed: int
    iterations: int
    seconds: float

    def best(self) -> Tensor:
        """(N,) number of the start that reached the lowest total loss, for each patch."""
        return self.losses.argmin(1)

    def best_inpainted(self) -> Tensor:
        """(N, 1, H, W) the inpainted patch of the best start."""
        return self.inpainted[torch.arange(len(self.inpainted)), self.best()]
