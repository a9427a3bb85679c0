"""Generator of aorta patches: transposed convolutions in the manner of DCGAN (Radford et al. 2016, section 3)."""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from monai_cardiac_gan.networks.nets.init import Init, dcgan_init
from monai_cardiac_gan.networks.nets.shapes import check_latents

__all__ = ["PatchGenerator"]

DOUBLINGS = 6
"""Hidden layers: each doubles the side, 2 -> 128."""
TRANSPOSED = "transposed"
SMOOTH = ("nearest", "bilinear")


class PatchGenerator(nn.Module):
    r"""Turn latent vectors into patches of 128 x 128 pixels in [-1, 1].

    One input layer, six hidden layers and one output layer. At the default widths, for N latents of 100 numbers:

    ======  ================================  ==================  ==========
    layer   what                              output              parameters
    ======  ================================  ==================  ==========
    input   ConvTranspose2d(k2), norm, ReLU   (N, 256, 2, 2)         102 912
    1       ConvTranspose2d(k4, s2, p1), ...  (N, 256, 4, 4)       1 049 088
    2       ...                               (N, 256, 8, 8)       1 049 088
    3       ...                               (N, 128, 16, 16)       524 544
    4       ...                               (N, 64, 32, 32)        131 200
    5       ...                               (N, 32, 64, 64)         32 832
    6       ...                               (N, 16, 128, 128)        8 224
    output  Conv2d(k3, p1), tanh              (N, 1, 128, 128)           145
    ======  ================================  ==================  ==========

    A layer of side :math:`128 / 2^i` has :math:`\min(\text{width} \cdot 2^i, \text{max\_channels})` channels.
    Weights start from N(0, 0.02), those of the batch normalisation from N(1, 0.02), as DCGAN does: normalisation takes
    their scale out again, and a small last layer keeps the tanh away from saturation.

    Args:
        latent_size: numbers in a latent vector.
        width: channels at full size.
        max_channels: most channels of any layer.
        norm: ``"batch"`` for batch normalisation after each input and hidden layer, None for none. A generator may
            mix the samples of a batch in training, a critic with gradient penalty may not.
        upsampling: ``"transposed"`` as in the table; ``"nearest"`` or ``"bilinear"`` enlarge first and then convolve
            (kernel 3), which leaves no checkerboard (Odena et al. 2016).
        init: sets the first weights of a layer, see `dcgan_init` (the default) and `scaled_init`.

    Raises:
        ValueError: when a size is below 1, or the norm or the upsampling is unknown.

    Example:
        >>> import torch
        >>> PatchGenerator()(torch.randn(2, 100)).shape
        torch.Size([2, 1, 128, 128])
    """

    def __init__(
        self,
        latent_size: int = 100,
        width: int = 16,
        max_channels: int = 256,
        norm: str | None = "batch",
        upsampling: str = TRANSPOSED,
        init: Init | None = None,
    ) -> None:
        super().__init__()
        if min(latent_size, width, max_channels) < 1:
            raise ValueError(
                f"latent_size {latent_size}, width {width} and max_channels {max_channels} must be at least 1: "
                "give positive whole numbers."
            )
        if norm not in ("batch", None):
            raise ValueError(f"norm is {norm!r}, expected 'batch' or None: choose one of the two.")
        if upsampling not in (*SMOOTH, TRANSPOSED):
            raise ValueError(
                f"upsampling is {upsampling!r}, expected one of {(*SMOOTH, TRANSPOSED)}: choose one of them."
            )
        self.latent_size = latent_size
        channels = [min(width * 2**halvings, max_channels) for halvings in reversed(range(DOUBLINGS + 1))]
        plain = norm is None  # batch normalisation has its own shift, so that a bias before it would be lost
        steps = [_step([nn.ConvTranspose2d(latent_size, channels[0], 2, bias=plain)], channels[0], norm)]
        for before, after in itertools.pairwise(channels):
            steps.append(_step(_upsampling(before, after, upsampling, plain), after, norm))
        output = nn.Sequential(nn.Conv2d(channels[-1], 1, 3, padding=1), nn.Tanh())
        self.layers = nn.Sequential(*steps, output)
        self.apply(dcgan_init() if init is None else init)

    def forward(self, latents: Tensor) -> Tensor:
        """
        Args:
            latents: (N, latent_size) or (N, latent_size, 1, 1), from the standard normal distribution.

        Returns:
            Patches (N, 1, 128, 128) in [-1, 1].

        Raises:
            ValueError: when the latents have another shape.
        """
        check_latents(latents, self.latent_size)
        return self.layers(latents.flatten(1)[:, :, None, None])


def _upsampling(before: int, after: int, upsampling: str, bias: bool) -> list[nn.Module]:
    """Layers that double the side."""
    if upsampling == TRANSPOSED:
        return [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=bias)]
    return [nn.Upsample(scale_factor=2, mode=upsampling), nn.Conv2d(before, after, 3, padding=1, bias=bias)]


def _step(convolution: list[nn.Module], channels: int, norm: str | None) -> nn.Sequential:
    """A convolution, its normalisation, and a rectifier."""
    normalisation = [] if norm is None else [nn.BatchNorm2d(channels)]
    return nn.Sequential(*convolution, *normalisation, nn.ReLU())
