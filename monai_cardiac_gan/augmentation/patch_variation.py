"""Other people from those that there are: patches turned, scaled, with another contrast and another vessel."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["PatchVariation"]

VESSEL_REACH = 26.0
"""Pixels from the middle where the vessel's own change has fallen to 1/e: beyond the widest lumen and its wall, 34 mm."""
NARROWEST, WIDEST = 0.7, 1.4
"""Of the vessel's own factors: within, no place of the old patch is seen twice."""


class PatchVariation:
    r"""Turn and scale patches about their middle, where the aorta is, and change their contrast.

    A pixel p of the new patch shows :math:`s R_\phi p` of the old one, by bilinear interpolation, times :math:`1 + c` about
    the grey 0, plus b, and cut off at -1 and 1. Pixels from beyond the old patch are not valid. There are no flips: the aorta
    lies on one side.

    The vessel in the middle may change its size apart from the body around it, by a factor f: the place at a distance r from the
    middle shows that at :math:`r (1 + (1/f - 1) e^{-(r / 26)^4})`. How wide an aorta is for its body differs between people
    more than ten of them show.

    Unlike `DifferentiableAugmentation` it changes what is learnt: give it to networks that shall know more sizes and
    contrasts than the training people have, not to a generator that shall paint as they are.

    Args:
        rotation: largest angle to either side, degrees.
        scale: largest change of the size to either side, share.
        contrast: largest change of the contrast to either side, share.
        brightness: most that is added or taken away, in the unit of the images.
        vessel: least and greatest factor of the vessel's own size, 0.7 to 1.4; all ratios between are as likely.

    Attributes:
        draws: how many numbers each patch needs: for its angle, its scale, its contrast, its brightness and its vessel.

    Raises:
        ValueError: when an argument is negative, a share not below 1, or a factor out of its range.

    Example:
        >>> patches, valid = torch.rand(2, 1, 8, 8), torch.ones(2, 1, 8, 8, dtype=torch.bool)
        >>> same, inside = PatchVariation(0, 0, 0, 0)(patches, valid, torch.rand(2, 5))
        >>> bool(torch.allclose(same, patches)), bool(inside.all())
        (True, True)
    """

    draws = 5

    def __init__(
        self,
        rotation: float = 8.0,
        scale: float = 0.1,
        contrast: float = 0.15,
        brightness: float = 0.1,
        vessel: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        if not all(value >= 0 for value in (rotation, scale, contrast, brightness)) or max(scale, contrast) >= 1:
            raise ValueError(
                f"rotation {rotation}, scale {scale}, contrast {contrast}, brightness {brightness}: expected 0 or more each, and "
                "shares below 1."
            )
        if not NARROWEST <= vessel[0] <= vessel[1] <= WIDEST:
            raise ValueError(
                f"vessel is {tuple(vessel)}, expected {NARROWEST} <= least <= greatest <= {WIDEST}: give factors."
            )
        self.vessel = (float(vessel[0]), float(vessel[1]))
        self.most = torch.tensor([math.radians(rotation), scale, contrast, brightness])

    def __call__(self, images: Tensor, valid: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Vary each patch by numbers of its own.

        Args:
            images: (N, 1, H, W), -1 to 1.
            valid: (N, 1, H, W) bool, true inside the field of view.
            uniforms: (N, draws), from 0 to 1; at 0.5 nothing changes but the vessel.

        Returns:
            Patches and valid pixels of the same shapes; pixels that are not valid are -1.

        Raises:
            ValueError: when there is not one row of numbers a patch.
        """
        if uniforms.shape != (len(images), self.draws):
            raise ValueError(
                f"uniforms are {list(uniforms.shape)}, expected [{len(images)}, {self.draws}]: draw that many per patch."
            )
        angle, scale, contrast, brightness = (
            ((2 * uniforms[:, :4] - 1) * self.most.to(uniforms, non_blocking=True)).to(images).unbind(1)
        )
        size = 1 / (1 + scale)
        rows = torch.stack([size * angle.cos(), -size * angle.sin(), torch.zeros_like(angle)], 1)
        columns = torch.stack([size * angle.sin(), size * angle.cos(), torch.zeros_like(angle)], 1)
        grid = F.affine_grid(torch.stack([rows, columns], 1), list(images.shape), align_corners=False)
        grid = grid * self._reach(images, uniforms[:, 4])
        moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
        inside = F.grid_sample(valid.to(images), grid, padding_mode="zeros", align_corners=False) > 0.5
        contrasted = moved * (1 + contrast)[:, None, None, None] + brightness[:, None, None, None]
        return contrasted.clamp(-1, 1).masked_fill(~inside, -1), inside

    def _reach(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Factor (N, H, W, 1) of each pixel's distance from the middle."""
        least, greatest = self.vessel
        factor = least * (greatest / least) ** uniforms.to(images)
        rows, columns = (
            torch.arange(side, device=images.device, dtype=images.dtype) - (side - 1) / 2 for side in images.shape[2:]
        )
        distance = torch.hypot(rows[:, None], columns[None, :])
        near = torch.exp(-((distance / VESSEL_REACH) ** 4))
        return (1 + (1 / factor - 1)[:, None, None] * near)[..., None]
