"""Holes of random size and place, from which networks learn to see what is hidden."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["HOLE_SIDES", "LARGEST_SHIFT", "inside", "rectangles"]

HOLE_SIDES = (15, 45)
"""Least and greatest side of the rectangles that hide something, pixels; the publication's is 25."""
LARGEST_SHIFT = 10
"""Pixels that the hole's middle is off the patch's middle, along each axis, at most."""


def rectangles(count: int, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
    """Holes (count, 1, H, W) bool: a rectangle each, of random sides, near the middle."""
    sides = torch.randint(HOLE_SIDES[0], HOLE_SIDES[1] + 1, (count, 2), generator=random)
    shifts = torch.randint(-LARGEST_SHIFT, LARGEST_SHIFT + 1, (count, 2), generator=random)
    spans = []
    for axis, length in enumerate(shape):
        starts = length // 2 + shifts[:, axis] - sides[:, axis] // 2
        positions = torch.arange(length)
        spans.append((positions >= starts[:, None]) & (positions < (starts + sides[:, axis])[:, None]))
    return (spans[0][:, :, None] & spans[1][:, None, :])[:, None]


def inside(pixels: Tensor, valid: Tensor) -> Tensor:
    """Those of some pixels (N, 1, H, W) that lie inside the field of view; all of them in a patch where none does.

    Example:
        >>> pixels = torch.tensor([[[[True, True, False]]], [[[False, True, True]]]])
        >>> inside(pixels, torch.tensor([True, False, False])).int().squeeze().tolist()
        [[1, 0, 0], [0, 1, 1]]
    """
    seen = pixels & valid
    # the mean of nothing has no gradient
    return torch.where(seen.flatten(1).any(1)[:, None, None, None], seen, pixels)
