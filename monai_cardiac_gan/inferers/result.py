"""What a latent search found, and how it came there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["DescentTraces", "InpaintingResult", "StartImages"]


@dataclass(frozen=True)
class DescentTraces:
    """The loss of every descent at every iteration; entry 0 is the start, before the first step.

    Of `CoarseToFine` these are the losses of the second descent, whose start is where the first one ended.

    N patches, S starts each, T iterations.

    Attributes:
        terms: name of each term of the loss -> (T + 1, N, S) its value, without its weight.
        total: (T + 1, N, S) what is descended, their weighted sum. A descent that has stopped keeps its last value.
    """

    terms: Mapping[str, Tensor]
    total: Tensor


@dataclass(frozen=True)
class StartImages:
    """Where the descents could have started and where they did. B images are kept of those that were tried.

    Attributes:
        shown: (1, B, 1, H, W) the first of the start batches, shared by all patches, or (N, B, 1, H, W), those of each.
        shown_losses: (N, B) contextual loss of each of these images for each patch.
        chosen: (N, S, 1, H, W) the starts that were taken, best first.
        chosen_losses: (N, S) their contextual losses.
        chosen_places: (N, S) their numbers among all that were tried; below B they are among those shown.
        candidates: number of all that were tried for each patch (980 in the publication).
    """

    shown: Tensor
    shown_losses: Tensor
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
        inpainted: (N, S, 1, H, W) the input outside the hole, the generator's image inside, blended.
        losses: (N, S) total loss of these latents; never above that of the start.
        traces: losses of all iterations.
        start_images: where the descents started.
        snapshots: (F, N, H, W) uint8, G(z) of each patch's best descent along its way; 0 stands for -1, 255 for 1.
        snapshot_iterations: (F,) the iterations at which they were taken, the first and the last among them.
        evaluations: (N, S) how often generator and critic were differentiated in each descent.
        stops: why each descent ended, N times S, see `Stop`.
        seed: seed of the starts.
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
    evaluations: Tensor
    stops: tuple[tuple[str, ...], ...]
    seed: int
    seconds: float

    def best(self) -> Tensor:
        """(N,) number of the start that reached the lowest total loss, for each patch."""
        return self.losses.argmin(1)

    def best_inpainted(self) -> Tensor:
        """(N, 1, H, W) the inpainted patch of the best start."""
        return self.inpainted[torch.arange(len(self.inpainted)), self.best()]
