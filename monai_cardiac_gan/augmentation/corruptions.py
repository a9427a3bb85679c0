"""Defects that generators have, of known kind and strength, to train a feature network by."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from monai.networks.layers import GaussianFilter
from torch import Tensor
from torch.nn import functional as F

__all__ = ["KINDS", "corrupted"]

BLUR = (0.4, 2.5)
"""Weakest and strongest, as all pairs below; standard deviation of the kernel, pixels."""
BLUR_MARGIN = math.ceil(4 * BLUR[1])
"""Four standard deviations of the strongest, where the kernel ends."""
NOISE = (0.01, 0.15)
"""Standard deviation, on the scale of [-1, 1]."""
PATTERN = (0.02, 0.2)
"""Amplitude of the pattern."""
PATTERN_BLOCKS = (1, 2, 4, 8)
"""Side of its squares, pixels: what one to four transposed convolutions of stride 2 leave (Odena et al. 2016)."""
GHOST = (0.1, 0.5)
"""Weight of the shifted copy."""
GHOST_SHIFTS = (8, 32)
"""Pixels that it is shifted by, least and most."""
SHUFFLED = (0.05, 0.6)
"""Share of the blocks that change places."""
SHUFFLED_SIDE = 16
"""Side of these blocks, pixels."""
CONTRAST = (0.2, 0.9)
"""Absolute logarithm of the exponent of the grey values on the scale of [0, 1]."""
WARP = (0.01, 0.06)
"""Standard deviation of the shifts of the control points, in half sides of the image."""
WARP_POINTS = 6
"""Control points along each axis."""


def corrupted(images: Tensor, kinds: Tensor, strengths: Tensor, generator: torch.Generator) -> Tensor:
    """Images with one defect each.

    Args:
        images: (N, 1, H, W) in [-1, 1]; H and W multiples of 16.
        kinds: index in `KINDS` of each image's defect (N,); 0 leaves the image as it is.
        strengths: 0 (weakest) to 1 (strongest) of each (N,).
        generator: source of the random parts.

    Returns:
        Images of the same shape; noise, patterns and gain may leave [-1, 1].

    Example:
        >>> images = torch.zeros(2, 1, 16, 16)
        >>> kinds = torch.tensor([KINDS.index("none"), KINDS.index("pattern")])
        >>> corrupted(images, kinds, torch.ones(2), torch.Generator()).abs().amax((1, 2, 3))
        tensor([0.0000, 0.2000])
    """
    images = images.clone()
    for kind in kinds.unique().tolist():
        chosen = kinds == kind
        images[chosen] = DEFECTS[KINDS[kind]](images[chosen], strengths[chosen], generator)
    return images


def _blurred(images: Tensor, strengths: Tensor, generator: torch.Generator) -> Tensor:
    wide = F.pad(images, [BLUR_MARGIN] * 4, mode="replicate")  # the filter itself takes what lies outside for grey
    sigmas = _between(BLUR, strengths).tolist()
    blurred = [GaussianFilter(2, sigma)(image) for image, sigma in zip(wide.split(1), sigmas, strict=True)]
    return torch.cat(blurred)[..., BLUR_MARGIN:-BLUR_MARGIN, BLUR_MARGIN:-BLUR_MARGIN]


def _noisy(images: Tensor, strengths: Tensor, generator: torch.Generator) -> Tensor:
    return images + _per_image(_between(NOISE, strengths)) * torch.randn(images.shape, generator=generator)


def _patterned(images: Tensor, strengths: Tensor, generator: torch.Generator) -> Tensor:
    """Add a chequerboard of squares."""
    sides = torch.tensor(PATTERN_BLOCKS)[torch.randint(len(PATTERN_BLOCKS), (len(images), 1), generator=generator)]
    rows, columns = (torch.arange(size) // sides % 2 for size in images.shape[2:])
    squares = 1 - 2 * ((rows[:, :, None] + columns[:, None, :]) % 2)
    return images + _per_image(_between(PATTERN, strengths)) * squares[:, None]


def _ghosted(images: Tensor, strengths: Tensor, generator: torch.Generator) -> Tensor:
    """Mix in a copy that is shifted along one axis, and comes in again on the other side."""
    shifts = torch.randint(GHOST_SHIFTS[0], GHOST_SHIFTS[1] + 1, (len(images),), generator=generator).tolist()
    axes = torch.randint(1, 3, (len(images),), generator=generator).tolist()
    ghosts = [image.roll(shift, axis) for image, shift, axis in zip(images, shifts, axes, strict=True)]
    return torch.lerp(images, torch.stack(ghosts), _per_image(_between(GHOST, strengths)))


def _shuffled(images: Tensor, strengths: Tensor, generator: torch.Generator) -> Tensor:
    """Let some square blocks change places."""
    blocks = F.unfold(images, SHUFFLED_SIDE, stride=SHUFFLED_SIDE)  # (N, pixels, blocks)
    count = blocks.shape[2]
    for image, share in zip(blocks, _between(SHUFFLED, strengths).tolist(), strict=True):
        chosen = torch.randperm(count, generator=generator)[: max(2, round(share * count))]
        image[:, chosen] = image[:, chosen.roll(1)]
    return F.fold(blocks, images.shape[2:], SHUFFLED_SIDE, stride=SHUFFLED_SIDE)


def _contrasted(images: Tensor, strengths: Tensor, generator: torch.Generator) -> Tensor:
    """Raise the grey values to a power above or below 1."""
    signs = torch.randint(2, (len(images),), generator=generator) * 2 - 1
    powers = _per_image((signs * _between(CONTRAST, strengths)).exp())
    return images.clamp(-1, 1).add(1).div(2).pow(powers).mul(2).sub(1)


def _warped(images: Tensor, strengths: Tensor, generator: torch.Generator) -> Tensor:
    """Shift pixels by a smooth random field."""
    points = torch.randn(len(images), 2, WARP_POINTS, WARP_POINTS, generator=generator)
    field = F.interpolate(points, images.shape[2:], mode="bicubic", align_corners=True).movedim(1, -1)
    grid = F.affine_grid(torch.eye(2, 3).expand(len(images), 2, 3), list(images.shape), align_corners=False)
    grid = grid + _per_image(_between(WARP, strengths)) * field
    return F.grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=False)


def _between(ends: tuple[float, float], strengths: Tensor) -> Tensor:
    """The value of each strength: equal steps of strength are equal ratios of the value."""
    low, high = map(math.log, ends)
    return (low + (high - low) * strengths).exp()


def _per_image(values: Tensor) -> Tensor:
    return values[:, None, None, None]


DEFECTS: dict[str, Callable[[Tensor, Tensor, torch.Generator], Tensor]] = {
    "none": lambda images, strengths, generator: images,
    "blur": _blurred,
    "noise": _noisy,
    "pattern": _patterned,
    "ghost": _ghosted,
    "shuffle": _shuffled,
    "contrast": _contrasted,
    "warp": _warped,
}
KINDS = tuple(DEFECTS)
"""Names of the defects; the first is none."""
