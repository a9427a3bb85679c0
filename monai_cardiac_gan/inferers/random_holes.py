"""Holes of random kind, size and place, for networks that shall fill any."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["HOLE_SIDES", "RandomHoles"]

HOLE_SIDES = (15, 65)
"""Least and greatest side of a hole, pixels: from below the publication's 25 to above the largest that is evaluated, 57."""
SHIFT = 12
"""Most pixels from the middle of a patch to that of its hole, along each axis: the aorta stays inside larger holes."""
KINDS = 3
"""Squares, rectangles and ellipses, a third of each."""


class RandomHoles:
    """Draw a hole for each of some patches: a square, a rectangle or an ellipse near the middle.

    Args:
        sides: least and greatest side, pixels; a shape's two sides are drawn apart, but a square's.
        shift: most pixels from the middle of the patch to the middle of the hole, along each axis.
        device: where the masks are made, from numbers that are drawn on the CPU.

    Raises:
        ValueError: when the sides are not 1 <= least <= greatest.

    Example:
        >>> holes = RandomHoles((9, 9), shift=0)(300, (32, 32), torch.Generator().manual_seed(0))
        >>> sorted({int(hole.sum()) for hole in holes})  # squares of 9 x 9, and discs of that diameter
        [69, 81]
    """

    def __init__(
        self, sides: tuple[int, int] = HOLE_SIDES, shift: int = SHIFT, device: torch.device | str = "cpu"
    ) -> None:
        if not 1 <= sides[0] <= sides[1]:
            raise ValueError(f"sides are {tuple(sides)}, expected 1 <= least <= greatest: give both in pixels.")
        self.sides, self.shift, self.device = (int(sides[0]), int(sides[1])), shift, device

    def __call__(self, count: int, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
        """Masks (count, 1, H, W) bool, true in the holes.

        Args:
            count: how many.
            shape: H and W of the patches.
            random: where all numbers come from, on the CPU.
        """
        least, greatest = self.sides
        kinds = torch.randint(KINDS, (count,), generator=random)
        sides = torch.randint(least, greatest + 1, (count, 2), generator=random)
        sides[:, 1] = torch.where(kinds == 0, sides[:, 0], sides[:, 1])
        shifts = torch.randint(-self.shift, self.shift + 1, (count, 2), generator=random)
        kinds, sides, shifts = (each.to(self.device, non_blocking=True) for each in (kinds, sides, shifts))
        offsets = []
        for axis, length in enumerate(shape):
            middle = length // 2 + shifts[:, axis] - sides[:, axis] // 2 + (sides[:, axis] - 1) / 2
            offsets.append((torch.arange(length, device=self.device) - middle[:, None]) / (sides[:, axis, None] / 2))
        rows, columns = offsets[0].abs()[:, :, None], offsets[1].abs()[:, None, :]
        rectangle = (rows < 1) & (columns < 1)
        ellipse = rows.square() + columns.square() < 1
        return torch.where((kinds == 2)[:, None, None], ellipse, rectangle)[:, None]
