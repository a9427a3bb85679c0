"""Critic of aorta patches: convolutions and leaky rectifiers without any normalisation."""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from monai_cardiac_gan.networks.nets.init import Init, scaled_init

__all__ = ["PatchCritic"]

HALVINGS = 6
"""Hidden layers: each halves the side, 128 -> 2."""
PATCH_SHAPE = (1, 128, 128)
"""Channels, rows and columns of a patch."""
NEGATIVE_SLOPE = 0.2
"""Slope of the leaky rectifiers (Radford et al. 2016, section 3)."""


class PatchCritic(nn.Module):
    r"""Score patches; the difference of the mean scores estimates the Wasserstein distance.

    The generator mirrored: one input layer, six hidden layers, one output layer. At the default widths:

    ======  =============================  ==================  ==========
    layer   what                           output              parameters
    ======  =============================  ==================  ==========
    input   Conv2d(k3, p1), LeakyReLU      (N, 16, 128, 128)          160
    1       Conv2d(k4, s2, p1), LeakyReLU  (N, 32, 64, 64)          8 224
    2       ...                            (N, 64, 32, 32)         32 832
    3       ...                            (N, 128, 16, 16)       131 200
    4       ...                            (N, 256, 8, 8)         524 544
    5       ...                            (N, 256, 4, 4)       1 048 832
    6       ...                            (N, 256, 2, 2)       1 048 832
    output  Conv2d(k2)                     (N, 1, 1, 1)             1 025
    ======  =============================  ==================  ==========

    There is no normalisation: the gradient penalty is meant per sample, and batch normalisation makes the score of one
    image depend on the others (Gulrajani et al. 2017, section 4, "No critic batch normalization").

    Weights start as He et al. 2015 (section 2.2) proposes for leaky rectifiers, which keeps the signal's size through
    all layers: the input gradient of a new critic has a norm near 0.7. PyTorch's default starts near 0.001 and
    N(0, 0.02) near 0.0003, for there is no normalisation to restore the scale; the penalty would have to raise the
    slope first, and until then the generator would hardly see a gradient.

    Args:
        width: channels at full size.
        max_channels: most channels of any layer.
        init: sets the first weights of a layer, `scaled_init` of the rectifier's slope by default.

    Attributes:
        layers: plain ``Conv2d`` and ``LeakyReLU`` in turn.

    Raises:
        ValueError: when a size is below 1.

    Example:
        >>> import torch
        >>> PatchCritic()(torch.zeros(3, 1, 128, 128)).shape
        torch.Size([3])
    """

    __jit_unused_properties__ = ("chain",)

    def __init__(self, width: int = 16, max_channels: int = 256, init: Init | None = None) -> None:
        super().__init__()
        if min(width, max_channels) < 1:
            raise ValueError(
                f"width {width} and max_channels {max_channels} must be at least 1: give positive whole numbers."
            )
        self.patch_shape = list(PATCH_SHAPE)  # TorchScript sees no globals
        channels = [min(width * 2**halvings, max_channels) for halvings in range(HALVINGS + 1)]
        convolutions = [nn.Conv2d(1, channels[0], 3, padding=1)]
        convolutions += [nn.Conv2d(before, after, 4, 2, 1) for before, after in itertools.pairwise(channels)]
        hidden = [layer for conv in convolutions for layer in (conv, nn.LeakyReLU(NEGATIVE_SLOPE))]
        self.layers = nn.Sequential(*hidden, nn.Conv2d(channels[-1], 1, 2))
        self.apply(scaled_init(NEGATIVE_SLOPE) if init is None else init)

    @property
    def chain(self) -> nn.Sequential:
        """The layers whose flattened output is the score: a promise that lets the gradient penalty look inside."""
        return self.layers

    def forward(self, images: Tensor) -> Tensor:
        """
        Args:
            images: patches (N, 1, 128, 128).

        Returns:
            One score per patch (N,), any real number.

        Raises:
            ValueError: when the images have another shape.
        """
        self._check(images)
        return self.layers(images).flatten()

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or list(images.shape[1:]) != self.patch_shape:
            raise ValueError(
                f"images are {list(images.shape)}, expected (N, 1, 128, 128): "
                "crop patches of that size and add the axes of batch and channel."
            )
