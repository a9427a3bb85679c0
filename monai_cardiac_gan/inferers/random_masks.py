"""Masks of random size and place, from which networks learn to see what is hidden."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["LARGEST_SHIFT", "MASK_SIDES", "random_rectangles", "within_valid"]

MASK_SIDES = (15, 45)
"""Least and greatest side of the random_rectangles that hide something, pixels; the publication's is 25."""
LARGEST_SHIFT = 10
"""Pixels that the mask's middle is off the patch's middle, along each axis, at most."""


def random_rectangles(
    count: int, shape: tuple[int, ...], random: torch.Generator, sides: tuple[int, int] = MASK_SIDES
) -> Tensor:
    """Masks (count, 1, H, W) bool: a rectangle each near the middle, of random sides from the least to the greatest, pixels."""
    drawn = torch.randint(sides[0], sides[1] + 1, (count, 2), generator=random)
    shifts = torch.randint(-LARGEST_SHIFT, LARGEST_SHIFT + 1, (count, 2), generator=random)
    spans = []
    for axis, length in enumerate(shape):
        starts = length // 2 + shifts[:, axis] - drawn[:, axis] // 2
        positions = torch.arange(length)
        spans.append((positions >= starts[:, None]) & (positions < (starts + drawn[:, axis])[:, None]))
    return (spans[0][:, :, None] & spans[1][:, None, :])[:, None]


def within_valid(pixels: Tensor, valid: Tensor) -> Tensor:
    """Those of some pixels (N, 1, H, W) that lie inside the field of view; all of them in a patch where none does.

    Example:
        >>> pixels = torch.tensor([[[[True, True, False]]], [[[False, True, True]]]])
        >>> within_valid(pixels, torch.tensor([True, False, False])).int().squeeze().tolist()
        [[1, 0, 0], [0, 1, 1]]
    """
    both = pixels & valid
    # the mean of nothing has no gradient
    return torch.where(both.flatten(1).any(1)[:, None, None, None], both, pixels)
