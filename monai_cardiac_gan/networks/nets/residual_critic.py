"""Critic of residual blocks that downsample by means, without any normalisation."""

from __future__ import annotations

import itertools
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from monai_cardiac_gan.networks.nets.init import Init, last_convolution, scaled_init, zero_init_
from monai_cardiac_gan.networks.nets.shapes import FULL, channels_at, resolutions_up_to

__all__ = ["ResidualCritic"]

SLOPE = 0.2
"""Slope of the leaky rectifiers."""


class ResidualCritic(nn.Module):
    r"""Score patches by residual blocks that downsample, the full size to 4 x 4 pixels.

    Each block convolves twice with stride 1 and then halves the side by the mean of 2 x 2 pixels, so that no pixel weighs
    more than its neighbours; strided convolutions see some pixels more often, which shows as a pattern in the gradient
    that the generator gets. Each size also sees the image itself, reduced to that size:

    .. math:: h_r = \downarrow B_{2r}(h_{2r}) + E_r(\downarrow x), \quad D(x) = w \cdot h_4 + b

    so that a network for 64 pixels is a part of the one for 128 (`grow_from`). There are no statistics over the batch:
    the penalties are meant per sample. All layers are linear but the leaky rectifiers, so the network is piecewise linear.

    At the default widths:

    ==========  =============================================  ==================
    layer       what                                           output
    ==========  =============================================  ==================
    from_image.r  Conv2d(k1), at each size r                     (N, channels, r, r)
    blocks.128  2 x (lrelu, Conv2d(k3)), mean of 2 x 2 + skip  (N, 32, 64, 64)
    blocks.64   ...                                            (N, 64, 32, 32)
    blocks.32   ...                                            (N, 128, 16, 16)
    blocks.16   ...                                            (N, 256, 8, 8)
    blocks.8    ...                                            (N, 256, 4, 4)
    output      lrelu, Conv2d(k3), lrelu, Linear               (N, 1)
    ==========  =============================================  ==================

    Args:
        width: channels at 128 pixels; a size of r pixels has min(width * 128 / r, max_channels).
        max_channels: most channels of any layer.
        size: side of the patches: 8, 16, ... 128.
        spectral: divide each weight by its largest singular value (Miyato et al. 2018).
        init: sets the first weights of a layer, `scaled_init` of the rectifier's slope by default.
        channels: of the images; 2 for a critic that sees masks beside them.
        subpixel: see 128 pixels as four channels of 64 (the opposite of `ResidualGenerator`'s): ``from_image.128`` has two
            convolutions, and there is no ``blocks.128``.

    Raises:
        ValueError: when a size is below 1 or not a power of two.

    Example:
        >>> import torch
        >>> ResidualCritic(size=64)(torch.zeros(3, 1, 64, 64)).shape
        torch.Size([3])
    """

    def __init__(
        self,
        width: int = 16,
        max_channels: int = 256,
        size: int = 128,
        spectral: bool = False,
        init: Init | None = None,
        channels: int = 1,
        subpixel: bool = False,
    ) -> None:
        super().__init__()
        if channels < 1:
            raise ValueError(f"channels is {channels}, expected 1 or more: images have at least one.")
        sizes = resolutions_up_to(size)[::-1]
        widths = {side: channels_at(side, width, max_channels) for side in sizes}
        self.size, self.channels, self.spectral = size, channels, spectral
        self.subpixel = subpixel and size == FULL
        self.from_image = nn.ModuleDict({str(side): nn.Conv2d(channels, widths[side], 1) for side in sizes})
        if self.subpixel:
            self.from_image[str(FULL)] = from_subpixels(channels, widths[FULL // 2])
        self.blocks = nn.ModuleDict(
            {
                str(before): DownBlock(widths[before], widths[after])
                for before, after in itertools.pairwise(sizes)
                if before < FULL or not subpixel
            }
        )
        last = widths[sizes[-1]]
        self.output = nn.Sequential(
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(last, last, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            nn.Linear(last * sizes[-1] ** 2, 1),
        )
        self.apply(scaled_init(SLOPE) if init is None else init)
        if spectral:
            for layer in [layer for layer in self.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]:
                spectral_norm(layer)

    def forward(self, images: Tensor) -> Tensor:
        """
        Args:
            images: patches (N, channels, size, size).

        Returns:
            One score per patch (N,), any real number.

        Raises:
            ValueError: when the images have another shape.
        """
        self._check(images)
        seen: list[Tensor] = []
        for index, from_image in enumerate(self.from_image.values()):  # TorchScript indexes no dictionary of modules
            if index > 0:
                images = F.avg_pool2d(images, 2)
            seen.append(from_image(images))
        hidden = seen[0]
        if self.subpixel:
            hidden = hidden + seen[1]
        skipped = 2 if self.subpixel else 1
        for index, block in enumerate(self.blocks.values()):
            hidden = block(hidden) + seen[index + skipped]
        return self.output(hidden).flatten()

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or list(images.shape[1:]) != [self.channels, self.size, self.size]:
            raise ValueError(
                f"images are {list(images.shape)}, expected (N, {self.channels}, {self.size}, {self.size}): crop patches of "
                "that size, or build the critic for theirs."
            )

    def zero_init_(self, side: int) -> None:
        """Let the block of one size start at zero: a network that has just grown scores as the smaller one did.

        Raises:
            ValueError: when the weights are divided by their largest singular value, for zeros have none.
        """
        if self.spectral:
            raise ValueError(
                f"a block of {side} pixels with spectral normalisation cannot start at zero: zeros have no direction that "
                "could be scaled to norm 1; grow a critic with spectral=False."
            )
        if self.subpixel and side == FULL:
            zero_init_(last_convolution(self.from_image[str(FULL)]))
            return
        block = self.blocks[str(side)]
        for layer in (block.second, block.shortcut):
            zero_init_(cast(nn.Module, layer))


def from_subpixels(channels: int, width: int) -> nn.Sequential:
    """Images (N, channels, 2r, 2r) to features (N, width, r, r): four pixels become channels, then two convolutions."""
    return nn.Sequential(
        nn.PixelUnshuffle(2),
        nn.Conv2d(4 * channels, 2 * width, 3, padding=1),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(2 * width, width, 3, padding=1),
    )


class DownBlock(nn.Module):
    """Half the side: two convolutions, the mean of 2 x 2 pixels, and a shortcut beside them."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.slope = SLOPE  # TorchScript sees no globals
        self.shortcut = nn.Conv2d(before, after, 1, bias=False)
        self.first = nn.Conv2d(before, before, 3, padding=1)
        self.second = nn.Conv2d(before, after, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Features (N, before, 2r, 2r) to (N, after, r, r)."""
        shortcut = self.shortcut(F.avg_pool2d(hidden, 2))
        hidden = self.second(F.leaky_relu(self.first(F.leaky_relu(hidden, self.slope)), self.slope))
        return (F.avg_pool2d(hidden, 2) + shortcut) * 0.5**0.5  # two summands of unit variance keep unit variance
