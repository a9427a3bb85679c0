"""A network that paints what is hidden directly: what a latent search is held against."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.nets import UNet
from torch import Tensor, nn

__all__ = ["InpaintingUNet"]

CHANNELS = (16, 32, 64, 96, 128)
"""506 thousand weights, between the shipped generator (366) and its encoder (596)."""


class InpaintingUNet(nn.Module):
    r"""Paint the mask of a patch in one pass, by regression.

    MONAI's `UNet` sees the known pixels and where they are, :math:`(M \circ y, M)`, and answers with a whole patch, of which
    only the mask is used. Trained on the mean absolute difference it gives, pixel by pixel, the median of what may be
    hidden: near to it on average, and smooth where a person's own anatomy would not be.

    Args:
        channels: of each level; each halves the side.

    Raises:
        ValueError: when there are fewer than two levels.

    Example:
        >>> network = InpaintingUNet()
        >>> network(torch.zeros(2, 1, 128, 128), torch.zeros(2, 1, 128, 128, dtype=torch.bool)).shape
        torch.Size([2, 1, 128, 128])
    """

    def __init__(self, channels: Sequence[int] = CHANNELS) -> None:
        super().__init__()
        if len(channels) < 2:
            raise ValueError(
                f"channels is {tuple(channels)}: expected at least 2 levels, the one above skips to its side."
            )
        self.unet = UNet(
            spatial_dims=2,
            in_channels=2,
            out_channels=1,
            channels=tuple(channels),
            strides=(2,) * (len(channels) - 1),
            num_res_units=1,
            norm="BATCH",
        )

    def forward(self, patches: Tensor, masks: Tensor) -> Tensor:
        """
        Args:
            patches: (N, 1, H, W), -1 to 1; sides divisible by 2 for each level but the last.
            masks: (N, 1, H, W) or (1, 1, H, W) bool, true where a pixel is hidden.

        Returns:
            Patches (N, 1, H, W), -1 to 1.
        """
        known = (~masks).expand_as(patches)
        painted: Tensor = self.unet(torch.cat([torch.where(known, patches, 0.0), known.to(patches.dtype)], 1))
        return painted.tanh()
