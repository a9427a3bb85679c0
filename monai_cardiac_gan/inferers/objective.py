"""The loss of many latents at once, and its gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_cardiac_gan.losses.inpainting_loss import InpaintingLoss

__all__ = ["Evaluation", "LatentObjective", "Objective"]


@dataclass(frozen=True)
class Evaluation:
    """What n latents cost.

    Attributes:
        total: (n,) weighted sum of the terms.
        gradient: (n, L) its gradient.
        parts: each term without its weight, (n,).
    """

    total: Tensor
    gradient: Tensor
    parts: Mapping[str, Tensor]


@runtime_checkable
class Objective(Protocol):
    """What an optimiser of latents makes small."""

    @property
    def targets(self) -> Tensor:
        """(M, C, H, W) the images that are compared with."""
        ...

    def __call__(self, latents: Tensor, rows: Tensor | None = None) -> Evaluation:
        """Evaluate unknowns (n, L), or those of the given numbers (n,)."""
        ...

    def reduced(self, size: int) -> Objective:
        """The same at a smaller image size."""
        ...


class LatentObjective:
    r"""Loss of latents against a patch each, :math:`f_m(z) = L(G(z), z, y_m, M_m)`.

    Samples do not see each other: their losses are summed before differentiation, so that each gradient is that of its own
    loss. Parameters of the generator and the critic should be frozen, or gradients are computed for them in vain.

    Args:
        generator: latents (n, L) to images (n, C, H, W).
        loss: terms and weights.
        targets: (M, C, H, W) the patches.
        masks: (M, 1, H, W) bool, true where the patches are hidden.
        chunk: at most this many images at once, which bounds memory; None takes all.
        autocast: type of forward passes, such as ``torch.bfloat16``; None keeps that of the weights.
        valid: (M, 1, H, W) bool, true inside the field of view; elsewhere the terms see the patch itself, so that nothing
            that is generated there costs anything or has a gradient. None takes all.

    Raises:
        ValueError: when the chunk is below 1.
    """

    def __init__(
        self,
        generator: nn.Module,
        loss: InpaintingLoss,
        targets: Tensor,
        masks: Tensor,
        chunk: int | None = None,
        autocast: torch.dtype | None = None,
        valid: Tensor | None = None,
    ) -> None:
        if chunk is not None and chunk < 1:
            raise ValueError(f"chunk is {chunk}: expected at least 1 image at once, or None for all.")
        self.generator, self.loss = generator, loss
        self.targets, self.masks = targets, masks
        self.chunk, self.autocast, self.valid = chunk, autocast, valid

    def __call__(self, latents: Tensor, rows: Tensor | None = None) -> Evaluation:
        """Evaluate latents (n, L), one for each of the patches, or for those of the given numbers (n,)."""
        found = [self._part(part, numbers) for part, numbers in self._chunks(latents, rows)]
        names = found[0][2]
        parts = {name: torch.cat([each[2][name] for each in found]) for name in names}
        return Evaluation(torch.cat([each[0] for each in found]), torch.cat([each[1] for each in found]), parts)

    @torch.no_grad()
    def totals(self, latents: Tensor, rows: Tensor | None = None) -> Tensor:
        """(n,) the losses alone, without gradients."""
        found = []
        for part, numbers in self._chunks(latents, rows):
            found.append(self.loss.total(self._terms(part, numbers)))
        return torch.cat(found)

    def reduced(self, size: int) -> LatentObjective:
        """The same objective at a smaller image size, for a generator that paints smaller images (``size=``).

        Patches become means over blocks of pixels; a block is hidden where one of its pixels is. Terms that ask a network are
        left out, because it scores whole images.

        Raises:
            ValueError: when the images are no whole multiple of that size, or no other terms are left.
        """
        side = self.targets.shape[-1]
        if self.targets.shape[-2] != side or side % size:
            raise ValueError(
                f"images of {tuple(self.targets.shape[2:])} pixels cannot be reduced to {size} x {size}: expected a side that "
                "divides theirs."
            )
        targets = F.avg_pool2d(self.targets, side // size)
        masks = F.avg_pool2d(self.masks.to(targets.dtype), side // size) > 0
        generator: Any = partial(self.generator, size=size)
        valid = None if self.valid is None else F.avg_pool2d(self.valid.to(targets.dtype), side // size) == 1
        return LatentObjective(
            generator, self.loss.without_networks(), targets, masks, self.chunk, self.autocast, valid
        )

    def _chunks(self, latents: Tensor, rows: Tensor | None) -> list[tuple[Tensor, Tensor]]:
        rows = torch.arange(len(self.targets), device=latents.device) if rows is None else rows
        size = len(rows) if self.chunk is None else self.chunk
        return list(zip(latents.split(size), rows.split(size), strict=True))

    def _part(self, latents: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        with torch.enable_grad():
            latents = latents.detach().requires_grad_()
            parts = self._terms(latents, rows)
            total = self.loss.total(parts)
            (gradient,) = torch.autograd.grad(total.sum(), latents)
        return total.detach(), gradient, {name: value.detach() for name, value in parts.items()}

    def _terms(self, latents: Tensor, rows: Tensor) -> dict[str, Tensor]:
        with torch.autocast(latents.device.type, dtype=self.autocast, enabled=self.autocast is not None):
            images = self.generator(latents)
            if self.valid is not None:
                images = torch.where(self.valid[rows], images, self.targets[rows].to(images.dtype))
            parts = self.loss(images, latents, self.targets[rows], self.masks[rows])
        return {name: value.to(latents.dtype) for name, value in parts.items()}
