"""What a latent search found for a batch of patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from monai_cardiac_gan.inferers.inpainted_patch import InpaintedPatch, PatchOrigin
from monai_cardiac_gan.inferers.traces import InitialImages, LossTraces

__all__ = ["InpaintingResult"]


@dataclass(frozen=True)
class InpaintingResult:
    """Inpainted patches: N patches, each from S starts. All tensors lie on the CPU. ``result[i]`` is an `InpaintedPatch`.

    Attributes:
        patches: (N, 1, H, W) the input, -1 to 1.
        masks: (N, 1, H, W) bool, true where pixels were painted.
        valid: (N, 1, H, W) bool, true inside the field of view.
        latents: (N, S, L) the iterate of lowest total loss of each search.
        generated: (N, S, 1, H, W) the generator's image of it.
        inpainted: (N, S, 1, H, W) the input outside the mask, the generator's image inside, blended.
        losses: (N, S) total loss of these latents; never above that of the start.
        traces: losses of all iterations.
        initial_images: where the searches started.
        snapshots: (F, N, H, W) uint8, G(z) of each patch's best search along its way, or all answers where they were drawn; 0
            stands for -1, 255 for 1.
        snapshot_iterations: (F,) the iterations at which they were taken, the first and the last among them; of answers
            their numbers, from 1.
        evaluations: (N, S) how often generator and critic were differentiated in each search.
        stops: why each search ended, N times S, see `StopReason`.
        origins: where each patch was cut from.
        seed: seed of the starts.
        seconds: time that the search took.
        typical: (N, 1, H, W) what is expected where answers were drawn, the generator's typical image inside the mask; None after
            a search, of which that is the best start's.
    """

    patches: Tensor
    masks: Tensor
    valid: Tensor
    latents: Tensor
    generated: Tensor
    inpainted: Tensor
    losses: Tensor
    traces: LossTraces
    initial_images: InitialImages
    snapshots: Tensor
    snapshot_iterations: Tensor
    evaluations: Tensor
    stops: tuple[tuple[str, ...], ...]
    origins: tuple[PatchOrigin, ...]
    seed: int
    seconds: float
    typical: Tensor | None = None

    def __len__(self) -> int:
        return len(self.patches)

    def __iter__(self) -> Iterator[InpaintedPatch]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> InpaintedPatch:
        """One patch; its aortas are measured when they are first asked for, so keep it where they are needed twice."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"patch {index} of {len(self)}: expected 0 to {len(self) - 1}.")
        index %= len(self)
        return InpaintedPatch(
            acquired=self.patches[index],
            mask=self.masks[index],
            valid=self.valid[index],
            solutions=self.inpainted[index],
            generated=self.generated[index],
            latents=self.latents[index],
            losses=self.losses[index],
            traces=self.traces.of_patch(index),
            initial=self.initial_images.of_patch(index),
            snapshots=self.snapshots[:, index],
            snapshot_iterations=self.snapshot_iterations,
            evaluations=self.evaluations[index],
            stops=self.stops[index],
            origin=self.origins[index],
            typical=None if self.typical is None else self.typical[index],
        )

    def best(self) -> Tensor:
        """(N,) number of the start that reached the lowest total loss, for each patch."""
        return self.losses.argmin(1)

    def best_inpainted(self) -> Tensor:
        """(N, 1, H, W) what is expected: the typical image, or the inpainted patch of the best start."""
        if self.typical is not None:
            return self.typical
        return self.inpainted[torch.arange(len(self.inpainted)), self.best()]
