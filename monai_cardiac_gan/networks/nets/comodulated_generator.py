"""Generator conditioned on a masked patch and a latent (Zhao et al. 2021, co-modulation)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_cardiac_gan.networks.nets.init import last_convolution, scaled_init
from monai_cardiac_gan.networks.nets.modulated_convolution import ModulatedConvolution
from monai_cardiac_gan.networks.nets.output_filter import OutputFilter
from monai_cardiac_gan.networks.nets.residual_critic import DownBlock, from_subpixels
from monai_cardiac_gan.networks.nets.residual_generator import (
    SLOPE,
    TO_IMAGE_SCALE,
    PixelNoise,
    PixelNorm,
    subpixel_image,
    upsample,
)
from monai_cardiac_gan.networks.nets.shapes import FULL, channels_at, check_latents, resolutions_up_to

__all__ = ["ComodulatedGenerator"]

STYLE = 128
"""Numbers that the latent, and as many that the patch gives to each style; half of the latents' 512 in StyleGAN2 for a
tenth of its channels."""
MEAN_OF = 4096
"""Latents that the mean style is taken over; its standard error is a sixty-fourth of their spread."""
TYPICAL_NOISE = 0.5
"""Strength of the pixel noise in a typical answer: all of it is one texture of many, none leaves it smoother than a scan."""


class ComodulatedGenerator(nn.Module):
    r"""Paint what may lie behind a mask: another latent, another answer, at the cost of one pass.

    An encoder sees the known pixels and where they are; its features go into a decoder at each size, and its last ones, c,
    steer the decoder's convolutions together with the latent,

    .. math:: s = \left(E(z), c\right), \quad G(z, x, M) = \tanh\Big(\sum_r \uparrow H_r(h_r)\Big),
        \quad h_{2r} = B_{2r}(\uparrow h_r + e_{2r}; s)

    (Zhao et al. 2021, section 3.2), so that a large hole leaves more to the latent and a small one more to the patch. 128
    pixels are seen and painted as four channels of 64 (see ``subpixel`` of `ResidualGenerator`).

    `encode` runs once for a patch, `decode` once for each latent; `decode_typical` gives the one answer of the mean style, with
    half of the pixel noise (truncation with :math:`\psi = 0`; Karras et al. 2019, section B). Load weights before scripting.

    Args:
        latent_size: numbers in a latent vector.
        width: channels at 128 pixels; a size of r pixels has min(width * 128 / r, max_channels).
        max_channels: most channels of any layer.
        noise: draw one random number a pixel before each activation, see `ResidualGenerator`; in evaluation mode the
            same ones for all images of a batch.
        output_filter: side of an `OutputFilter` over known and painted pixels together; 0 has none.
        spread: in evaluation mode, how many times as far the styles of `decode` lie from the mean style, and how many times as
            strong the noise is. What is learnt from few people is too sure of others; more than 1 mends that.

    Raises:
        ValueError: when a size is below 1, or the spread is not positive.

    Example:
        >>> network = ComodulatedGenerator(width=2, max_channels=16)
        >>> patches, masks = torch.zeros(2, 1, 128, 128), torch.ones(2, 1, 128, 128, dtype=torch.bool)
        >>> network(torch.randn(2, 100), patches, masks).shape
        torch.Size([2, 1, 128, 128])
    """

    def __init__(
        self,
        latent_size: int = 100,
        width: int = 8,
        max_channels: int = 256,
        noise: bool = True,
        output_filter: int = 0,
        spread: float = 1.0,
    ) -> None:
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size is {latent_size}, expected at least 1: give a positive whole number.")
        if not spread > 0:
            raise ValueError(f"spread is {spread}, expected more than 0; 1 decodes as in training.")
        self.spread, self.typical_noise = float(spread), TYPICAL_NOISE  # TorchScript sees no globals
        self.has_noise = noise
        sizes = resolutions_up_to(FULL // 2)
        channels = {side: channels_at(side, width, max_channels) for side in sizes}
        least = channels[sizes[0]]
        self.latent_size, self.sizes = latent_size, sizes
        latents = torch.randn(MEAN_OF, latent_size, generator=torch.Generator().manual_seed(0))
        self.register_buffer(
            "latents_of_mean", latents, persistent=False
        )  # a buffer, because TorchScript knows no seeds
        self.mapping = nn.Sequential(  # latents of unit mean square first (Karras et al. 2019, section 2)
            PixelNorm(),
            nn.Linear(latent_size, STYLE),
            nn.LeakyReLU(SLOPE),
            nn.Linear(STYLE, STYLE),
            nn.LeakyReLU(SLOPE),
        )
        self.from_image = from_subpixels(2, channels[FULL // 2])
        self.down = nn.ModuleList(
            DownBlock(channels[before], channels[after]) for before, after in itertools.pairwise(sizes[::-1])
        )
        self.code = nn.Sequential(
            nn.LeakyReLU(SLOPE), nn.Flatten(), nn.Linear(least * sizes[0] ** 2, STYLE), nn.LeakyReLU(SLOPE)
        )
        self.up = nn.ModuleList(
            ComodulatedBlock(channels[before], channels[after], noise) for before, after in itertools.pairwise(sizes)
        )
        self.to_image = nn.ModuleList(nn.Conv2d(channels[side], 1, 1) for side in sizes[1:])
        self.to_full = subpixel_image(channels[FULL // 2])
        self.output_filter = OutputFilter(output_filter) if output_filter else None
        for part in (self.mapping, self.from_image, self.down, self.code, self.to_full):
            part.apply(scaled_init(SLOPE))
        for layer in (*self.to_image, last_convolution(self.to_full)):
            scaled_init(1.0, TO_IMAGE_SCALE)(layer)

    def forward(self, latents: Tensor, patches: Tensor, masks: Tensor) -> Tensor:
        """
        Args:
            latents: (N, latent_size), from the standard normal distribution.
            patches: (N, 1, 128, 128), -1 to 1.
            masks: (N, 1, 128, 128) or (1, 1, 128, 128) bool, true where a pixel is hidden.

        Returns:
            Whole patches (N, 1, 128, 128) in [-1, 1]; only what lies behind the mask is meant to be used.

        Raises:
            ValueError: when the latents or the patches have another shape.
        """
        return self.decode(self.encode(patches, masks), latents, None)

    @torch.jit.export
    def encode(self, patches: Tensor, masks: Tensor) -> list[Tensor]:
        """What the known pixels say, as `decode` takes it: the code (N, STYLE), features from 4 x 4 up, the pixels themselves."""
        if patches.ndim != 4 or list(patches.shape[1:]) != [1, 2 * self.sizes[-1], 2 * self.sizes[-1]]:
            raise ValueError(
                f"patches are {list(patches.shape)}, expected (N, 1, {2 * self.sizes[-1]}, {2 * self.sizes[-1]}): crop patches "
                "of that size."
            )
        known = (~masks).expand_as(patches).to(patches.dtype)
        pixels = torch.cat([patches * known, known], 1)
        hidden = self.from_image(pixels)
        seen = [pixels, hidden]
        for block in self.down:
            hidden = block(hidden)
            seen.append(hidden)
        seen.append(self.code(hidden))
        return seen[::-1]

    @torch.jit.export
    def decode(self, seen: list[Tensor], latents: Tensor, noise: list[Tensor] | None = None) -> Tensor:
        """An answer (N, 1, 128, 128) for each patch and its latent (N, latent_size), with noise of `draw_noise` or of its own."""
        check_latents(latents, self.latent_size)
        styles = self.mapping(latents.flatten(1))
        if self.training or self.spread == 1.0:
            return self.paint(seen, styles, 1.0, noise)
        mean = self.mean_style()
        return self.paint(seen, mean + self.spread * (styles - mean), self.spread, noise)

    @torch.jit.export
    def decode_typical(self, seen: list[Tensor], noise: list[Tensor] | None = None) -> Tensor:
        """The answer (N, 1, 128, 128) of the mean style, noise as in `decode`: near to all, with a spectrum like a scan's."""
        return self.paint(seen, self.mean_style().expand(len(seen[0]), -1), self.typical_noise, noise)

    @torch.jit.export
    def mean_style(self) -> Tensor:
        """(1, STYLE) mean of what the mapping makes of standard normal latents, always the same ones."""
        return self.mapping(self.latents_of_mean).mean(0, keepdim=True)

    def draw_noise(self, seeds: Sequence[int]) -> list[Tensor]:
        """Noise for `decode`, (len(seeds), 1, r, r) for each activation from the smallest size up, each row by its own seed."""
        weight, rows = next(self.mapping.parameters()), []
        for seed in seeds:
            random = torch.Generator().manual_seed(seed)
            rows.append([torch.randn(1, 1, side, side, generator=random) for side in self.sizes[1:] for _ in range(2)])
        return [torch.cat(layer).to(weight) for layer in zip(*rows, strict=True)]

    @torch.jit.export
    def paint(self, seen: list[Tensor], styles: Tensor, strength: float, noise: list[Tensor] | None = None) -> Tensor:
        """An answer (N, 1, 128, 128) for each patch and the style (N, STYLE) of its latent, with noise of this strength."""
        style = torch.cat([styles, seen[0]], 1)
        hidden = seen[1]
        image = hidden[:, :1]
        for index, (block, to_image) in enumerate(zip(self.up, self.to_image)):  # noqa: B905 (TorchScript)
            drawn = None if noise is None else noise[2 * index : 2 * index + 2]
            hidden = block(hidden, seen[index + 2], style, strength, drawn)
            image = to_image(hidden) if index == 0 else upsample(image) + to_image(hidden)
        image = (upsample(image) + self.to_full(hidden)).tanh()
        if self.output_filter is not None:
            patches, known = seen[-1].chunk(2, 1)  # beyond the hole nothing was learnt that may be mixed in
            image = self.output_filter(torch.where(known > 0, patches, image))
        return image


class ComodulatedBlock(nn.Module):
    """Twice the side: upsample, add what the encoder saw, two modulated convolutions, and a shortcut beside them."""

    def __init__(self, before: int, after: int, noise: bool) -> None:
        super().__init__()
        self.slope, style = SLOPE, 2 * STYLE
        self.shortcut = nn.Conv2d(before, after, 1, bias=False)
        self.skip = nn.Conv2d(after, before, 1)
        self.first = ModulatedConvolution(before, after, style)
        self.second = ModulatedConvolution(after, after, style)
        self.noise = nn.ModuleList(PixelNoise(after, noise, shared=True) for _ in range(2))
        for layer in (self.shortcut, self.skip):
            scaled_init(1.0)(layer)

    def forward(
        self, hidden: Tensor, seen: Tensor, style: Tensor, strength: float, noise: list[Tensor] | None = None
    ) -> Tensor:
        """Features (N, before, r, r), those of the encoder (N, after, 2r, 2r) and styles to features (N, after, 2r, 2r)."""
        shortcut = upsample(self.shortcut(hidden))
        hidden = (upsample(hidden) + self.skip(seen)) * 0.5**0.5
        first, second = (None, None) if noise is None else (noise[0], noise[1])
        hidden = F.leaky_relu(self.noise[0](self.first(hidden, style), strength, first), self.slope)
        hidden = F.leaky_relu(self.noise[1](self.second(hidden, style), strength, second), self.slope)
        return (hidden + shortcut) * 0.5**0.5  # two summands of unit variance keep unit variance
