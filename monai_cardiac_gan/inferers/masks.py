"""What is painted: patches, and the holes that hide some of their pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy import ndimage
from torch import Tensor

__all__ = ["checked_holes", "checked_patches", "disc_hole", "label_hole", "square_hole"]

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


def disc_hole(
    centre: Sequence[float], diameter: float, margin: float = 3.0, shape: Sequence[int] = (128, 128)
) -> Tensor:
    """A disc that hides a found aorta and some of what is around it.

    Args:
        centre: row and column of the aorta's centre, pixels, as `measure_disc` gives them.
        diameter: of the aorta, pixels.
        margin: by which the hole is larger on all sides, pixels.
        shape: rows and columns of the patch.

    Returns:
        Bool (H, W), true where a pixel's centre lies in the disc; what reaches over the border is cut off.

    Raises:
        ValueError: when the disc hides no pixel or the whole patch.

    Example:
        >>> hole = disc_hole((63.5, 63.5), diameter=20)
        >>> int(hole.sum()), bool(hole[63, 76]), bool(hole[63, 77])
        (540, True, False)
    """
    height, width = (int(side) for side in shape)
    radius = diameter / 2 + margin
    rows, columns = torch.arange(height)[:, None] - float(centre[0]), torch.arange(width) - float(centre[1])
    hole = rows**2 + columns**2 <= radius**2
    return _partial(hole, f"a disc of radius {radius:g} around {tuple(float(value) for value in centre)}")


def label_hole(labels: Tensor, values: Sequence[int], margin: int = 0) -> Tensor:
    """The pixels of some labels.

    Args:
        labels: (H, W) or (1, H, W) whole numbers.
        values: which of them are hidden.
        margin: by how many pixels the hole is larger, along rows and columns.

    Returns:
        Bool (H, W).

    Raises:
        ValueError: when the labels are no plane, or they hide no pixel or the whole patch.

    Example:
        >>> int(label_hole(torch.eye(4, dtype=torch.long), [1], margin=1).sum())
        10
    """
    if labels.ndim not in (2, 3) or (labels.ndim == 3 and len(labels) != 1):
        raise ValueError(f"the labels have shape {tuple(labels.shape)}: expected (H, W) or (1, H, W).")
    labels = labels.as_subclass(Tensor).reshape(labels.shape[-2:])
    hole = torch.isin(labels, torch.as_tensor(list(values), dtype=labels.dtype, device=labels.device))
    if margin:  # no iterations mean "until nothing changes" to SciPy
        hole = torch.from_numpy(ndimage.binary_dilation(hole.cpu().numpy(), iterations=margin)).to(hole.device)
    return _partial(hole, f"the labels {list(values)}")


def _partial(hole: Tensor, what: str) -> Tensor:
    hidden = int(hole.sum())
    if not 0 < hidden < hole.numel():
        raise ValueError(
            f"{what}: hides {hidden} of {hole.numel()} pixels, expected some and not all; choose another place or size."
        )
    return hole
