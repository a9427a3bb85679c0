"""Generator without transposed convolutions: bilinear upsampling, residual blocks, an image at every size."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_cardiac_gan.networks.nets.init import Init, last_convolution, scaled_init, zero_init_
from monai_cardiac_gan.networks.nets.output_filter import OutputFilter
from monai_cardiac_gan.networks.nets.shapes import FULL, channels_at, check_latents, resolutions_up_to

__all__ = ["ResidualGenerator"]

BILINEAR, TRANSPOSED = "bilinear", "transposed"
SMOOTH = (BILINEAR, "nearest")
SLOPE = 0.2
"""Slope of the leaky rectifiers."""
NORM_EPSILON = 1e-8
"""Keeps pixel normalisation finite (Karras et al. 2018, section 4.2)."""
TO_IMAGE_SCALE = 0.1
"""Scale of the initial weights of ``to_image``: the sum of its images must not saturate the tanh at the start."""


class ResidualGenerator(nn.Module):
    r"""Turn latent vectors into patches by residual blocks that upsample, 4 x 4 pixels to the full size.

    Transposed convolutions with stride 2 leave a checkerboard, because neighbouring pixels come from different weights
    (Odena et al. 2016). Here each block upsamples with the bilinear kernel :math:`[1, 3, 3, 1] / 4` first, and convolves
    with stride 1 after. Each size has a ``to_image`` layer (toRGB of one channel); the images are upsampled and summed, as in
    the output skips of StyleGAN2 (Karras et al. 2020, section 4.1):

    .. math:: h_{2r} = B_{2r}(\uparrow h_r), \quad y_{2r} = \uparrow y_r + H_{2r}(h_{2r}), \quad G(z) = \tanh(y_{128})

    so that a network for 64 pixels is a part of the one for 128 (`grow_from`).

    At the default widths, for N latents of 100 numbers:

    ==========  =================================================  ==================
    layer       what                                               output
    ==========  =================================================  ==================
    input       Linear, leaky rectifier, pixel norm                (N, 256, 4, 4)
    blocks.8    upsample, 2 x (Conv2d(k3), lrelu, norm) + skip      (N, 256, 8, 8)
    blocks.16   ...                                                (N, 128, 16, 16)
    blocks.32   ...                                                (N, 64, 32, 32)
    blocks.64   ...                                                (N, 32, 64, 64)
    blocks.128  ...                                                (N, 16, 128, 128)
    to_image.r  Conv2d(k1), at each size r                         (N, 1, r, r)
    ==========  =================================================  ==================

    Args:
        latent_size: numbers in a latent vector.
        width: channels at 128 pixels; a size of r pixels has min(width * 128 / r, max_channels).
        max_channels: most channels of any layer.
        size: side of the patches: 8, 16, ... 128.
        norm: ``"pixel"`` scales the features of each pixel to unit mean square (Karras et al. 2018, section 4.2), which
            mixes no samples; ``"batch"`` is batch normalisation; None is none.
        noise: draw one random number a pixel before each activation, times a weight a channel that is learnt (Karras et
            al. 2019, section 3.2). The noise of MR images then needs no latent. False leaves it out, so that a latent
            means one image: choose that for a latent search. The weights are there either way.
        upsampling: ``"bilinear"``, ``"nearest"`` (each pixel four times), or ``"transposed"`` (a learnt transposed
            convolution, kernel 4, stride 2, in the blocks; for comparisons, it brings the checkerboard back).
        init: sets the initial weights of a layer, `scaled_init` of the rectifier's slope by default, with smaller ones in
            ``to_image``.
        subpixel: paint 128 pixels from the features of 64 by a sub-pixel convolution (Shi et al. 2016, section 3.2), as
            wavelet generators do (Gal et al. 2021, SWAGAN): ``to_image.128`` gives four pixels for each of theirs, and there is
            no ``blocks.128``. Image and gradient then cost little more than those of 64 pixels.
        output_filter: side of an `OutputFilter` behind the tanh of images of 128 pixels; 0 has none.

    Raises:
        ValueError: when a size is below 1 or not a power of two, or the norm is unknown.

    Example:
        >>> ResidualGenerator(size=64)(torch.randn(2, 100)).shape
        torch.Size([2, 1, 64, 64])
    """

    def __init__(
        self,
        latent_size: int = 100,
        width: int = 16,
        max_channels: int = 256,
        size: int = 128,
        norm: str | None = "pixel",
        noise: bool = False,
        upsampling: str = "bilinear",
        init: Init | None = None,
        subpixel: bool = False,
        output_filter: int = 0,
    ) -> None:
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size is {latent_size}, expected at least 1: give a positive whole number.")
        if norm not in ("pixel", "batch", None):
            raise ValueError(f"norm is {norm!r}, expected 'pixel', 'batch' or None: choose one of the three.")
        if upsampling not in (*SMOOTH, TRANSPOSED):
            raise ValueError(
                f"upsampling is {upsampling!r}, expected one of {(*SMOOTH, TRANSPOSED)}: choose one of them."
            )
        sizes = resolutions_up_to(size)
        channels = {side: channels_at(side, width, max_channels) for side in sizes}
        self.latent_size, self.size, self.sizes = latent_size, size, sizes
        self.input = nn.Linear(latent_size, channels[sizes[0]] * sizes[0] ** 2)
        self.activation = nn.Sequential(nn.LeakyReLU(SLOPE), normalisation(norm, channels[sizes[0]]))
        self.blocks = nn.ModuleDict(
            {
                str(after): UpBlock(channels[before], channels[after], norm, noise, upsampling)
                for before, after in itertools.pairwise(sizes)
                if after < FULL or not subpixel
            }
        )
        self.to_image = nn.ModuleDict({str(side): nn.Conv2d(channels[side], 1, 1) for side in sizes})
        if subpixel and size == FULL:
            self.to_image[str(FULL)] = subpixel_image(channels[FULL // 2])
        self.output_filter = OutputFilter(output_filter) if output_filter and size == FULL else None
        self.apply(scaled_init(SLOPE) if init is None else init)
        for layer in self.to_image.values() if init is None else ():
            scaled_init(1.0, TO_IMAGE_SCALE)(last_convolution(layer))

    def forward(self, latents: Tensor, size: int | None = None) -> Tensor:
        """
        Args:
            latents: (N, latent_size) or (N, latent_size, 1, 1), from the standard normal distribution.
            size: side of the images, if they shall be smaller than the network's size: the first blocks alone paint them,
                like the whole images reduced, at a part of the cost.

        Returns:
            Patches (N, 1, size, size) in [-1, 1].

        Raises:
            ValueError: when the latents have another shape, or the network has no ``to_image`` of that size.
        """
        self._check(latents, size)
        wanted = self.size if size is None else size
        hidden = self.activation(self.input(latents.flatten(1)).unflatten(1, (-1, self.sizes[0], self.sizes[0])))
        image = hidden
        for side, to_image in self.to_image.items():
            if int(side) == self.sizes[0]:
                image = to_image(hidden)
            elif int(side) <= wanted:
                for after, block in self.blocks.items():  # TorchScript indexes no dictionary of modules
                    if after == side:
                        hidden = block(hidden)
                image = upsample(image) + to_image(hidden)
        image = image.tanh()
        if self.output_filter is not None and wanted == self.size:
            image = self.output_filter(image)
        return image

    def _check(self, latents: Tensor, size: int | None) -> None:
        check_latents(latents, self.latent_size)
        if size is not None and size not in self.sizes:
            known = ", ".join([str(side) for side in self.sizes])
            raise ValueError(f"size is {size}, expected one of {known}: the network paints at these alone.")

    def zero_init_(self, side: int) -> None:
        """Let ``to_image`` of one size start at zero: a network that has just grown paints what the smaller one did."""
        zero_init_(last_convolution(self.to_image[str(side)]))


class UpBlock(nn.Module):
    """Twice the side: upsample, two convolutions, and a shortcut beside them."""

    def __init__(self, before: int, after: int, norm: str | None, noise: bool, upsampling: str) -> None:
        super().__init__()
        self.mode, self.is_transposed, self.slope = upsampling, upsampling == TRANSPOSED, SLOPE
        self.transposed = nn.ConvTranspose2d(before, before, 4, 2, 1) if self.is_transposed else nn.Identity()
        self.shortcut = nn.Conv2d(before, after, 1, bias=False)
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.noise = nn.ModuleList(PixelNoise(after, noise) for _ in range(2))
        self.norms = nn.ModuleList(normalisation(norm, after) for _ in range(2))

    def forward(self, hidden: Tensor) -> Tensor:
        """Features (N, before, r, r) to (N, after, 2r, 2r)."""
        if self.is_transposed:
            hidden = self.transposed(hidden)
            shortcut = self.shortcut(hidden)
        else:
            shortcut = upsample(self.shortcut(hidden), self.mode)  # convolving first is the same and costs a quarter
            hidden = upsample(hidden, self.mode)
        hidden = self.first(hidden)
        hidden = self.norms[0](F.leaky_relu(self.noise[0](hidden), self.slope))
        hidden = self.norms[1](F.leaky_relu(self.noise[1](self.second(hidden)), self.slope))
        return (hidden + shortcut) * 0.5**0.5  # two summands of unit variance keep unit variance


class PixelNoise(nn.Module):
    """Add one normal number a pixel, times a learnt weight a channel that starts at zero.

    With `shared` all images of a batch get the same numbers in evaluation mode, so that an image does not depend on its batch.
    """

    def __init__(self, channels: int, active: bool, shared: bool = False) -> None:
        super().__init__()
        self.active, self.shared = active, shared
        self.weight = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, hidden: Tensor, strength: float = 1.0, noise: Tensor | None = None) -> Tensor:
        """Features (N, C, H, W) with noise, times a strength; unchanged when not active.

        Args:
            hidden: features.
            strength: of the noise.
            noise: (N, 1, H, W) or (1, 1, H, W), drawn before; None draws it.
        """
        if not self.active:
            return hidden
        if noise is None:
            noise = torch.randn_like(hidden[:1, :1] if self.shared and not self.training else hidden[:, :1])
        return hidden + strength * self.weight * noise


class PixelNorm(nn.Module):
    """Scale the features of each pixel to unit mean square over the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.epsilon = NORM_EPSILON  # TorchScript sees no globals

    def forward(self, hidden: Tensor) -> Tensor:
        """Features (N, C, H, W) of the same shape."""
        return hidden * torch.rsqrt(hidden.square().mean(1, keepdim=True) + self.epsilon)


def subpixel_image(channels: int) -> nn.Sequential:
    """Features (N, channels, r, r) to images (N, 1, 2r, 2r): two convolutions, and four channels become four pixels."""
    return nn.Sequential(
        nn.Conv2d(channels, 2 * channels, 3, padding=1),
        nn.LeakyReLU(SLOPE),
        nn.Conv2d(2 * channels, 4, 3, padding=1),
        nn.PixelShuffle(2),
    )


def upsample(images: Tensor, mode: str = BILINEAR) -> Tensor:
    """Twice the side, by the bilinear kernel [1, 3, 3, 1] / 4 along both axes or by repeating each pixel."""
    aligned: bool | None = None
    if mode == "bilinear":
        aligned = False
    return F.interpolate(images, scale_factor=2.0, mode=mode, align_corners=aligned)


def normalisation(norm: str | None, channels: int) -> nn.Module:
    """The layer of that name."""
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    return PixelNorm() if norm == "pixel" else nn.Identity()
