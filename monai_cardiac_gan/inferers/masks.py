"""What is painted: patches, and the holes that hide some of their pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["checked_holes", "checked_patches", "square_hole"]

RANGE_TOLERANCE = 1e-4
"""Resampling and half precision leave values this far beyond -1 and 1."""


def square_hole(size: int = 25, centre: Sequence[float] | None = None, shape: Sequence[int] = (128, 128)) -> Tensor:
    """A square that hides the aorta.

    Args:
        size: side of the square, pixels; the publication uses 25.
        centre: row and column of the square's middle; the middle of the patch when it is not given. The square is moved by
            up to half a pixel so that it covers whole pixels.
        shape: rows and columns of the patch.

    Returns:
        Bool (H, W), true inside the hole.

    Raises:
        ValueError: when the square is empty, as large as the patch, or reaches over its border.

    Example:
        >>> hole = square_hole()
        >>> int(hole.sum()), hole.nonzero()[0].tolist(), hole.nonzero()[-1].tolist()
        (625, [52, 52], [76, 76])
    """
    height, width = (int(side) for side in shape)
    if not 1 <= size < min(height, width):
        raise ValueError(
            f"the hole's side is {size} pixels: expected at least 1 and less than the patch's {height} x {width}."
        )
    middle = (height / 2, width / 2) if centre is None else tuple(float(value) for value in centre)
    if len(middle) != 2:
        raise ValueError(f"the hole's centre is {middle}: expected a row and a column.")
    top, left = (round(value - size / 2) if centre is None else round(value - (size - 1) / 2) for value in middle)
    if top < 0 or left < 0 or top + size > height or left + size > width:
        raise ValueError(
            f"a hole of {size} x {size} pixels around {middle} reaches over the border of the patch {height} x {width}: "
            "move the centre inwards or make the hole smaller."
        )
    hole = torch.zeros(height, width, dtype=torch.bool)
    hole[top : top + size, left : left + size] = True
    return hole


def checked_holes(holes: Tensor, shape: Sequence[int]) -> Tensor:
    """The holes as (N, 1, H, W) or (1, 1, H, W), if they fit patches (N, 1, H, W).

    Args:
        holes: bool (N, 1, H, W), (1, 1, H, W) or (H, W).
        shape: N, 1, H, W of the patches.

    Raises:
        ValueError: when they are not bool, do not fit, hide nothing, or hide everything.
    """
    if holes.dtype != torch.bool:
        raise ValueError(
            f"the holes are {holes.dtype}: expected bool, true where a pixel is hidden; compare them first."
        )
    holes = holes[None, None] if holes.ndim == 2 else holes
    if holes.ndim != 4 or len(holes) not in (1, shape[0]) or tuple(holes.shape[1:]) != (1, *shape[2:]):
        raise ValueError(
            f"the holes have shape {tuple(holes.shape)}: expected {tuple(shape)}, or one hole (1, 1, {shape[2]}, {shape[3]}) "
            "for all patches."
        )
    hidden = holes.flatten(1).sum(1)
    if bool((hidden == 0).any()):
        raise ValueError("a hole without pixels: there is nothing to paint; leave this patch out or give it a hole.")
    if bool((hidden == holes[0].numel()).any()):
        raise ValueError("a hole covers its whole patch: the search needs known pixels around it; make it smaller.")
    return holes


def checked_patches(patches: Tensor) -> Tensor:
    """The patches as a plain tensor without gradient or metadata, which would slow each iteration of a search down.

    Args:
        patches: (N, 1, H, W), -1 to 1.

    Raises:
        ValueError: when the shape is another, a value is NaN or infinite, or leaves the range by more than rounding.
    """
    if patches.ndim != 4 or patches.shape[1] != 1 or not len(patches):
        raise ValueError(
            f"the patches have shape {tuple(patches.shape)}: expected (N, 1, H, W) with at least one patch and one channel."
        )
    patches = patches.detach().as_subclass(Tensor)
    if not bool(torch.isfinite(patches).all()):
        raise ValueError("a patch holds NaN or infinity: replace or leave out such patches before inpainting.")
    lowest, highest = float(patches.min()), float(patches.max())
    if lowest < -1 - RANGE_TOLERANCE or highest > 1 + RANGE_TOLERANCE:
        raise ValueError(
            f"the patches range from {lowest:g} to {highest:g}: expected -1 to 1; scale them as the training patches were."
        )
    return patches
