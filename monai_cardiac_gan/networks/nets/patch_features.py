"""Features of aorta patches, to compare generated with real ones by."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_cardiac_gan.networks.nets.init import scaled_init

__all__ = ["PatchFeatures"]

SIDE = 128
"""Side that images are brought to, pixels."""
FOLD = 2
"""Neighbouring pixels along each axis that become channels: a quarter of the work, and no detail is lost."""
GROWTH = (1, 2, 4, 5)
"""Channels of each stage, in widths."""
LAYOUT_CHANNELS = 8
SLOPE = 0.2


class PatchFeatures(nn.Module):
    r"""Give a patch some 100 numbers that change with its anatomy and with the defects that generators have.

    ======  ===================================================  =================  ==========
    stage   what                                                 output             parameters
    ======  ===================================================  =================  ==========
    fold    2 x 2 pixels become channels                         (N, 4, 64, 64)
    1       Conv2d(k3, p1), BatchNorm, LeakyReLU                 (N, 24, 64, 64)           912
    2       Conv2d(k3, s2, p1), BatchNorm, LeakyReLU             (N, 48, 32, 32)        10 464
    3       ...                                                  (N, 96, 16, 16)        41 664
    4       ...                                                  (N, 120, 8, 8)        103 920
    pool    mean of each channel of each stage: the texture      (N, 288)
    layout  Conv2d(k1) of stage 4, all positions: the anatomy    (N, 512)                  968
    output  Linear, BatchNorm without parameters                 (N, 96)                76 896
    ======  ===================================================  =================  ==========

    Nothing is averaged before the first convolution, so a pattern of single pixels, as transposed convolutions leave it,
    is seen. The last normalisation gives each feature unit variance over the patches trained on, which the kernel of
    `kernel_distance` needs. In evaluation mode a patch's features do not depend on the batch.

    Trained by `TrainPatchFeatures`; untrained ones compare patches as well, only less to the point.

    Args:
        size: how many features.
        width: channels of the first stage.

    Raises:
        ValueError: when a size is below 1.

    Example:
        >>> PatchFeatures().eval()(torch.zeros(3, 1, 128, 128)).shape
        torch.Size([3, 96])
    """

    def __init__(self, size: int = 96, width: int = 24) -> None:
        super().__init__()
        if min(size, width) < 1:
            raise ValueError(f"size {size} and width {width} must be at least 1: give positive whole numbers.")
        self.size, self.side, self.fold = size, SIDE, FOLD  # TorchScript sees no globals
        channels = [FOLD**2, *(times * width for times in GROWTH)]
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, 1 if depth == 0 else 2, 1, bias=False),  # the next layer has one
                nn.BatchNorm2d(after),
                nn.LeakyReLU(SLOPE, inplace=True),
            )
            for depth, (before, after) in enumerate(itertools.pairwise(channels))
        )
        self.layout = nn.Conv2d(channels[-1], LAYOUT_CHANNELS, 1)
        positions = (SIDE // FOLD // 2 ** (len(GROWTH) - 1)) ** 2
        self.output = nn.Linear(sum(channels[1:]) + LAYOUT_CHANNELS * positions, size)
        self.standard = nn.BatchNorm1d(size, affine=False)
        self.apply(scaled_init(SLOPE))

    def forward(self, images: Tensor) -> Tensor:
        """
        Args:
            images: patches (N, 1, H, W) with values in [-1, 1]; another size than 128 x 128 is resized, so compare only
                images of one size.

        Returns:
            Features (N, size).

        Raises:
            ValueError: when the images have another shape.
        """
        stages = self.feature_maps(images)
        found = [stage.mean((2, 3)) for stage in stages]
        found.append(self.layout(stages[-1]).flatten(1))
        return self.standard(self.output(torch.cat(found, 1)))

    def texture(self, images: Tensor, valid: Tensor) -> Tensor:
        """Mean of each channel of each stage inside the field of view: what a patch looks like, wherever its parts lie.

        Args:
            images: as in `forward`.
            valid: (N, 1, H, W) bool, which pixels lie inside the field of view; at least one of each image.

        Returns:
            (N, 288) at the default width.
        """
        found: list[Tensor] = []
        for stage in self.feature_maps(images):
            weight = F.adaptive_avg_pool2d(valid.to(stage), (stage.shape[2], stage.shape[3]))
            found.append((weight * stage).sum((2, 3)) / weight.sum((2, 3)))
        return torch.cat(found, 1)

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """Output of each stage, (N, 24, 64, 64) to (N, 120, 8, 8) at the default width; images as in `forward`."""
        self._check(images)
        if images.shape[2] != self.side or images.shape[3] != self.side:
            images = F.interpolate(images, [self.side, self.side], mode="bilinear", antialias=True)
        hidden = F.pixel_unshuffle(images, self.fold)
        found: list[Tensor] = []
        for stage in self.stages:
            hidden = stage(hidden)
            found.append(hidden)
        return found

    def _check(self, images: Tensor) -> None:
        if images.ndim != 4 or images.shape[1] != 1:
            raise ValueError(
                f"images are {list(images.shape)}, expected (N, 1, H, W): add the axes of batch and channel."
            )
