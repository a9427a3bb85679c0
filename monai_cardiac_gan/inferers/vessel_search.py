"""Search for the expected anatomy along a whole vessel: all its levels together."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from monai_cardiac_gan.inferers.inpainted_vessel import InpaintedVessel
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer, warn_of_lost_searches
from monai_cardiac_gan.inferers.masks import checked_masks, checked_patches
from monai_cardiac_gan.inferers.vessel_objective import VesselObjective

__all__ = ["COUPLING_WEIGHT", "VesselSearch"]

COUPLING_WEIGHT = 0.1
"""With it the painted diameter runs from slice to slice as smoothly as the acquired one, half as jumpy as without; its error is
no smaller (`benchmarks/continuity.py`)."""
CHUNK = 32
"""Images painted at once."""


class VesselSearch:
    """Paint the levels of one vessel together, so that neighbours agree (`VesselObjective`).

    Starts, loss and optimiser are those of an inferer that searches patches one by one; here start number s of all levels
    together is one search.

    Args:
        inferer: `lbfgs_search`, for example.
        coupling_weight: of the latents' steps from level to level, in the unit of the loss.
    """

    def __init__(self, inferer: LatentInpaintingInferer, coupling_weight: float = COUPLING_WEIGHT) -> None:
        self.inferer, self.coupling_weight = inferer, coupling_weight

    def __call__(
        self, patches: Tensor, masks: Tensor, generator: nn.Module, positions_mm: Tensor, valid: Tensor | None = None
    ) -> InpaintedVessel:
        """Search.

        Args:
            patches: (K, 1, H, W), -1 to 1, one of each level.
            masks: (K, 1, H, W), (1, 1, H, W) or (H, W) bool, true where pixels are hidden.
            generator: (N, latent_size) to (N, 1, H, W), on the patches' device.
            positions_mm: (K,) along the vessel, increasing.
            valid: (K, 1, H, W) bool, true inside the field of view; None takes all.

        Raises:
            ValueError: see `LatentInpaintingInferer.search` and `VesselObjective`.
        """
        began, inferer = time.perf_counter(), self.inferer
        patches = checked_patches(patches)
        masks = checked_masks(masks.as_subclass(Tensor).to(patches.device), patches.shape).expand_as(patches)
        valid = inferer.checked_valid(valid, patches)
        context = ~masks if valid is None else ~masks & valid
        count = len(patches)
        with inferer.prepared(generator), torch.inference_mode(False):
            latents, _ = inferer.initializer(patches, context, generator, inferer.starts)
            levels = inferer.objective(patches, masks, valid, generator, starts=1)
            objective = VesselObjective(levels, positions_mm, self.coupling_weight)
            together = latents.transpose(0, 1).flatten(1)
            found = inferer.optimizer(objective, together, progress=inferer.progress)
            warn_of_lost_searches(found)
            apart = found.latents.unflatten(1, (count, -1))
            flat, rows = apart.flatten(0, 1), torch.arange(count, device=patches.device).repeat(inferer.starts)
            losses = levels.totals(flat, rows).unflatten(0, (inferer.starts, count))
            with torch.no_grad():
                generated = inferer.images(generator, flat).unflatten(0, (inferer.starts, count))
        return InpaintedVessel(
            positions_mm=positions_mm.cpu(),
            latents=apart.cpu(),
            generated=generated.cpu(),
            losses=losses.cpu(),
            totals=found.losses.cpu(),
            evaluations=found.evaluations.cpu(),
            stops=found.stops,
            seconds=time.perf_counter() - began,
        )

    @torch.no_grad()
    def images(
        self, found: InpaintedVessel, generator: nn.Module, patches: Tensor, masks: Tensor, heights_mm: Tensor
    ) -> Tensor:
        """The best solution's image of every slice, by latents between those of the levels.

        Args:
            found: the levels.
            generator: whose latents they are.
            patches: (N, 1, H, W) of the slices; not looked at, for the levels' latents say all.
            masks: not looked at either.
            heights_mm: (N,) of the slices, in the unit of the levels' positions.

        Returns:
            (N, 1, H, W), on the CPU.
        """
        device = next(generator.parameters()).device
        latents = found.latents_at(heights_mm)[found.best]
        return torch.cat([generator(part.to(device)).cpu() for part in latents.split(CHUNK)])
