"""First weights of convolutions and linear layers."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import nn

__all__ = ["Init", "dcgan_init", "last_convolution", "scaled_init", "zero_init_"]

Init = Callable[[nn.Module], None]
"""Sets the first weights of one layer; networks apply it to all of theirs."""


def scaled_init(slope: float, scale: float = 1.0) -> Callable[[nn.Module], None]:
    r"""Give a function for ``nn.Module.apply``: weights from :math:`N(0, 2 s^2 / ((1 + a^2) n))`, biases zero.

    Here n is the number of inputs of one output, a the slope of the leaky rectifier after the layer and s the scale. With
    s = 1 the signal keeps its size through the layers (He et al. 2015, section 2.2).

    Example:
        A layer with 50 inputs before a plain rectifier (slope 0) starts with the variance 2 / 50:

        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> layer = nn.Linear(50, 10000)
        >>> scaled_init(0.0)(layer)
        >>> round(layer.weight.var().item(), 3)
        0.04
    """

    def init(layer: nn.Module) -> None:
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, slope, nonlinearity="leaky_relu")
            layer.weight.data.mul_(scale * _correction(layer))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    return init


def _correction(layer: nn.Module) -> float:
    """Factor of the standard deviation: PyTorch counts the outputs of an input in transposed convolutions, not the reverse."""
    if not isinstance(layer, nn.ConvTranspose2d):
        return 1.0
    reached = math.prod(layer.stride)  # of as many kernel places, one falls on an output
    return math.sqrt(layer.out_channels / layer.in_channels * reached)


def dcgan_init(std: float = 0.02) -> Init:
    r"""Give a function for ``nn.Module.apply``: convolutions from :math:`N(0, s^2)`, batch normalisation from :math:`N(1, s^2)`.

    Made for networks with normalisation, which takes the scale out again (Radford et al. 2016, section 4: s = 0.02).

    Example:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> layer = nn.Conv2d(64, 64, 3)
        >>> dcgan_init()(layer)
        >>> round(layer.weight.std().item(), 3), layer.bias.abs().max().item()
        (0.02, 0.0)
    """

    def init(layer: nn.Module) -> None:
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, std)

    return init


def zero_init_(layer: nn.Module) -> None:
    """Set all weights of a layer to zero, so that its output is zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def last_convolution(layer: nn.Module) -> nn.Module:
    """The convolution that makes the output of a layer, or of several in a row."""
    return [part for part in layer.modules() if isinstance(part, nn.Conv2d)][-1]
