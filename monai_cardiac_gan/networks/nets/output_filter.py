"""A fixed filter behind a generator: what is painted gets the band limit of what was scanned."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["OutputFilter"]


class OutputFilter(nn.Module):
    """Convolve images with one symmetric kernel, borders mirrored.

    Scans are interpolated to the grid of the patches, so that they hold next to nothing beyond the band limit of their own
    voxels. A generator of small kernels cannot cut off so sharply: noise and the grid of its upsampling stay there (Karras et
    al. 2021, "Alias-free generative adversarial networks", section 3: filters belong into the network). The kernel is no
    weight that a training moves. It begins as the identity and is fitted when the training is over (`FitOutputFilter`).

    Args:
        taps: side of the kernel, odd.

    Attributes:
        kernel: buffer (1, 1, taps, taps) whose sum is 1.

    Raises:
        ValueError: when there is no such side.

    Example:
        >>> images = torch.rand(1, 1, 16, 16)
        >>> bool(torch.equal(OutputFilter(9)(images), images))
        True
    """

    def __init__(self, taps: int) -> None:
        super().__init__()
        if taps < 1 or taps % 2 == 0:
            raise ValueError(
                f"taps is {taps}, expected an odd number from 1 on: 13 reach far enough for scans of 1.4 mm on a grid of 1 mm."
            )
        self.margin = taps // 2
        kernel = torch.zeros(1, 1, taps, taps)
        kernel[..., self.margin, self.margin] = 1
        self.kernel: Tensor
        self.register_buffer("kernel", kernel)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1, H, W) from -1 to 1, filtered; what overshoots is cut off."""
        margin = self.margin
        return F.conv2d(F.pad(images, [margin, margin, margin, margin], "reflect"), self.kernel).clamp(-1.0, 1.0)
