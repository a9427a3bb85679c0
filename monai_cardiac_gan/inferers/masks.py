"""What is painted: patches, and the masks that hide some of their pixels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy import ndimage
from torch import Tensor

__all__ = ["HOLE_SIDES", "checked_masks", "checked_patches", "disc_mask", "label_mask", "square_mask", "square_masks"]

HOLE_SIDES = (25, 33, 41, 49, 57)
"""Sides of the squares by which ways to inpaint are compared, pixels: the publication's, whose rim shows the aorta, to one that
hides all of a dilated aorta and what touches it."""
RANGE_TOLERANCE = 1e-4
"""Resampling and half precision leave values this far beyond -1 and 1."""


def square_mask(size: int = 25, centre: Sequence[float] | None = None, shape: Sequence[int] = (128, 128)) -> Tensor:
    """A square that hides the aorta.

    Args:
        size: side of the square, pixels; the publication uses 25.
        centre: row and column of the square's middle; the middle of the patch when it is not given. The square is moved by
            up to half a pixel so that it covers whole pixels.
        shape: rows and columns of the patch.

    Returns:
        Bool (H, W), true inside the mask.

    Raises:
        ValueError: when the square is empty, as large as the patch, or reaches over its border.

    Example:
        >>> mask = square_mask()
        >>> int(mask.sum()), mask.nonzero()[0].tolist(), mask.nonzero()[-1].tolist()
        (625, [52, 52], [76, 76])
    """
    height, width = (int(side) for side in shape)
    if not 1 <= size < min(height, width):
        raise ValueError(
            f"the mask's side is {size} pixels: expected at least 1 and less than the patch's {height} x {width}."
        )
    middle = (height / 2, width / 2) if centre is None else tuple(float(value) for value in centre)
    if len(middle) != 2:
        raise ValueError(f"the mask's centre is {middle}: expected a row and a column.")
    top, left = (round(value - size / 2) if centre is None else round(value - (size - 1) / 2) for value in middle)
    if top < 0 or left < 0 or top + size > height or left + size > width:
        raise ValueError(
            f"a mask of {size} x {size} pixels around {middle} reaches over the border of the patch {height} x {width}: "
            "move the centre inwards or make the mask smaller."
        )
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[top : top + size, left : left + size] = True
    return mask


def square_masks(sizes: Sequence[int] = HOLE_SIDES, shape: Sequence[int] = (128, 128)) -> dict[str, Tensor]:
    """Squares in the middle of a patch, by name.

    Args:
        sizes: sides, pixels.
        shape: rows and columns of the patch.

    Returns:
        "25 px" and so on to bool (H, W).

    Raises:
        ValueError: when there is none, or one is no mask (`square_mask`).

    Example:
        >>> {name: int(mask.sum()) for name, mask in square_masks([25, 41]).items()}
        {'25 px': 625, '41 px': 1681}
    """
    if not sizes:
        raise ValueError(
            f"sizes is {list(sizes)}: expected the sides of one square at least, such as {list(HOLE_SIDES)}."
        )
    return {f"{size} px": square_mask(size, shape=shape) for size in sizes}


def checked_masks(masks: Tensor, shape: Sequence[int]) -> Tensor:
    """The masks as (N, 1, H, W) or (1, 1, H, W), if they fit patches (N, 1, H, W).

    Args:
        masks: bool (N, 1, H, W), (1, 1, H, W) or (H, W).
        shape: N, 1, H, W of the patches.

    Raises:
        ValueError: when they are not bool, do not fit, hide nothing, or hide everything.
    """
    if masks.dtype != torch.bool:
        raise ValueError(
            f"the masks are {masks.dtype}: expected bool, true where a pixel is hidden; compare them first."
        )
    masks = masks[None, None] if masks.ndim == 2 else masks
    if masks.ndim != 4 or len(masks) not in (1, shape[0]) or tuple(masks.shape[1:]) != (1, *shape[2:]):
        raise ValueError(
            f"the masks have shape {tuple(masks.shape)}: expected {tuple(shape)}, or one mask (1, 1, {shape[2]}, {shape[3]}) "
            "for all patches."
        )
    hidden = masks.flatten(1).sum(1)
    if bool((hidden == 0).any()):
        raise ValueError("a mask without pixels: there is nothing to paint; leave this patch out or give it a mask.")
    if bool((hidden == masks[0].numel()).any()):
        raise ValueError("a mask covers its whole patch: the search needs known pixels around it; make it smaller.")
    return masks


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


def disc_mask(
    centre: Sequence[float], diameter: float, margin: float = 3.0, shape: Sequence[int] = (128, 128)
) -> Tensor:
    """A disc that hides a found aorta and some of what is around it.

    Args:
        centre: row and column of the aorta's centre, pixels, as `measure_disc` gives them.
        diameter: of the aorta, pixels.
        margin: by which the mask is larger on all sides, pixels.
        shape: rows and columns of the patch.

    Returns:
        Bool (H, W), true where a pixel's centre lies in the disc; what reaches over the border is cut off.

    Raises:
        ValueError: when the disc hides no pixel or the whole patch.

    Example:
        >>> mask = disc_mask((63.5, 63.5), diameter=20)
        >>> int(mask.sum()), bool(mask[63, 76]), bool(mask[63, 77])
        (540, True, False)
    """
    height, width = (int(side) for side in shape)
    radius = diameter / 2 + margin
    rows, columns = torch.arange(height)[:, None] - float(centre[0]), torch.arange(width) - float(centre[1])
    mask = rows**2 + columns**2 <= radius**2
    return _partial(mask, f"a disc of radius {radius:g} around {tuple(float(value) for value in centre)}")


def label_mask(labels: Tensor, values: Sequence[int], margin: int = 0) -> Tensor:
    """The pixels of some labels.

    Args:
        labels: (H, W) or (1, H, W) whole numbers.
        values: which of them are hidden.
        margin: by how many pixels the mask is larger, along rows and columns.

    Returns:
        Bool (H, W).

    Raises:
        ValueError: when the labels are no plane, or they hide no pixel or the whole patch.

    Example:
        >>> int(label_mask(torch.eye(4, dtype=torch.long), [1], margin=1).sum())
        10
    """
    if labels.ndim not in (2, 3) or (labels.ndim == 3 and len(labels) != 1):
        raise ValueError(f"the labels have shape {tuple(labels.shape)}: expected (H, W) or (1, H, W).")
    labels = labels.as_subclass(Tensor).reshape(labels.shape[-2:])
    mask = torch.isin(labels, torch.as_tensor(list(values), dtype=labels.dtype, device=labels.device))
    if margin:  # no iterations mean "until nothing changes" to SciPy
        mask = torch.from_numpy(ndimage.binary_dilation(mask.cpu().numpy(), iterations=margin)).to(mask.device)
    return _partial(mask, f"the labels {list(values)}")


def _partial(mask: Tensor, what: str) -> Tensor:
    hidden = int(mask.sum())
    if not 0 < hidden < mask.numel():
        raise ValueError(
            f"{what}: hides {hidden} of {mask.numel()} pixels, expected some and not all; choose another place or size."
        )
    return mask
