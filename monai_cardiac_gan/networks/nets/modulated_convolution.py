"""Convolution whose input channels are scaled by a style, a row of numbers for each sample (Karras et al. 2020, StyleGAN2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ModulatedConvolution"]

EPSILON = 1e-8
"""Keeps the demodulation finite where all weights are zero (Karras et al. 2020, section 2.2)."""


class ModulatedConvolution(nn.Module):
    r"""Convolve with weights that a style scales, and bring the output back to unit variance.

    With the scales :math:`s = A w + 1` of the input channels i, kernel places k and output channels o,

    .. math:: w'_{oik} = s_i w_{oik}, \quad
        w''_{oik} = w'_{oik} \Big/ \sqrt{\textstyle\sum_{i,k} w'^2_{oik} + \epsilon}

    (Karras et al. 2020, equations 1 and 3). Scaling the features before and after one convolution with the common weights
    is the same and needs no weights of each sample's own.

    Args:
        before: channels of the input.
        after: channels of the output.
        style_size: numbers of a style.
        kernel: side of the kernel, odd.

    Example:
        >>> ModulatedConvolution(4, 6, style_size=3)(torch.zeros(2, 4, 8, 8), torch.zeros(2, 3)).shape
        torch.Size([2, 6, 8, 8])
    """

    def __init__(self, before: int, after: int, style_size: int, kernel: int = 3) -> None:
        super().__init__()
        self.padding, self.epsilon = kernel // 2, EPSILON  # TorchScript sees no globals
        self.weight = nn.Parameter(torch.randn(after, before, kernel, kernel) / math.sqrt(before * kernel**2))
        self.bias = nn.Parameter(torch.zeros(after))
        self.scales = nn.Linear(style_size, before)
        nn.init.normal_(self.scales.weight, std=1 / math.sqrt(style_size))
        nn.init.ones_(self.scales.bias)

    def forward(self, hidden: Tensor, style: Tensor) -> Tensor:
        """Features (N, before, H, W) and styles (N, style_size) to features (N, after, H, W)."""
        scales = self.scales(style)
        squares = self.weight.square().sum((2, 3))
        sizes = torch.rsqrt(scales.square() @ squares.T + self.epsilon)
        hidden = F.conv2d(hidden * scales[:, :, None, None], self.weight, padding=self.padding)
        return hidden * sizes[:, :, None, None] + self.bias[:, None, None]
