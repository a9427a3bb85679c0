"""From a patch with a mask to the latent of an image like it, in one pass."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_cardiac_gan.networks.nets.init import scaled_init

__all__ = ["LatentEncoder"]

SIDE = 128
FOLD = 2
"""Neighbouring pixels along each axis that become channels, so that the first layer costs a quarter."""
GROWTH = (1, 2, 4, 6, 6)
"""Channels of each stage, in widths; each but the first halves the side."""
SLOPE = 0.2
"""Slope of the leaky rectifiers."""
FIRST_LATENTS = 0.1
"""Scale of the latents that an untrained encoder gives: near the middle of the prior, where images are ordinary."""


class LatentEncoder(nn.Module):
    r"""Guess the latent of the image whose known pixels are given.

    .. math:: E(M \circ y, M) \approx \arg\min_z \lVert M \circ (G(z) - y) \rVert

    ======  =======================================================  ================
    stage   what                                                     output
    ======  =======================================================  ================
    fold    known pixels and their mask, 2 x 2 pixels to channels    (N, 8, 64, 64)
    1       Conv2d(k3, p1), BatchNorm, LeakyReLU                     (N, 24, 64, 64)
    2       Conv2d(k3, s2, p1), BatchNorm, LeakyReLU                 (N, 48, 32, 32)
    3       ...                                                      (N, 96, 16, 16)
    4       ...                                                      (N, 144, 8, 8)
    5       ...                                                      (N, 144, 4, 4)
    output  Linear                                                   (N, 100)
    ======  =======================================================  ================

    What is hidden never reaches the first layer. Trained by `TrainLatentEncoder`. In evaluation mode the answer for a patch
    does not depend on the batch.

    Args:
        latent_size: numbers in a latent.
        width: channels of the first stage.

    Raises:
        ValueError: when a size is below 1.

    Example:
        >>> encoder = LatentEncoder().eval()
        >>> patches, masks = torch.zeros(3, 1, 128, 128), torch.zeros(3, 1, 128, 128, dtype=torch.bool)
        >>> encoder(patches, masks).shape
        torch.Size([3, 100])
    """

    def __init__(self, latent_size: int = 100, width: int = 24) -> None:
        super().__init__()
        if min(latent_size, width) < 1:
            raise ValueError(
                f"latent_size {latent_size} and width {width} must be at least 1: give positive whole numbers."
            )
        self.latent_size, self.side, self.fold = latent_size, SIDE, FOLD  # TorchScript sees no globals
        channels = [2 * FOLD**2, *(times * width for times in GROWTH)]
        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, 3, 1 if depth == 0 else 2, 1, bias=False),  # the next layer has one
                    nn.BatchNorm2d(after),
                    nn.LeakyReLU(SLOPE, inplace=True),
                )
                for depth, (before, after) in enumerate(itertools.pairwise(channels))
            )
        )
        last = SIDE // FOLD // 2 ** (len(GROWTH) - 1)
        self.output = nn.Linear(channels[-1] * last**2, latent_size)
        self.apply(scaled_init(SLOPE))
        scaled_init(1.0, FIRST_LATENTS)(self.output)

    def forward(self, patches: Tensor, masks: Tensor) -> Tensor:
        """
        Args:
            patches: (N, 1, 128, 128), -1 to 1.
            masks: (N, 1, 128, 128) or (1, 1, 128, 128) bool, true where a pixel is hidden.

        Returns:
            Latents (N, latent_size).

        Raises:
            ValueError: when the shapes are others.
        """
        self._check(patches, masks)
        known = (~masks).expand_as(patches)
        inputs = torch.cat([torch.where(known, patches, 0.0), known.to(patches.dtype)], 1)
        return self.output(self.stages(F.pixel_unshuffle(inputs, self.fold)).flatten(1))

    def _check(self, patches: Tensor, masks: Tensor) -> None:
        expected = [1, self.side, self.side]
        if patches.ndim != 4 or list(patches.shape[1:]) != expected or list(masks.shape[1:]) != expected:
            raise ValueError(
                f"patches are {list(patches.shape)} and masks {list(masks.shape)}, expected (N, 1, {self.side}, {self.side}) "
                "both: crop patches of that size."
            )
