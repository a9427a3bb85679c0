"""Which pixels of a patch lie inside the field of view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from monai_cardiac_gan.keys import PatchColumn

__all__ = ["VALID_COLUMNS", "valid_bounds", "valid_region"]

VALID_COLUMNS = (
    PatchColumn.VALID_X_START,
    PatchColumn.VALID_X_STOP,
    PatchColumn.VALID_Y_START,
    PatchColumn.VALID_Y_STOP,
)


def valid_bounds(columns: Mapping[str, Any]) -> list[int]:
    """The four bounds of a patch, in the order of `VALID_COLUMNS`, out of its metadata."""
    return [int(columns[name]) for name in VALID_COLUMNS]


def valid_region(bounds: Tensor | Sequence[Sequence[int]], size: int, reduced: int | None = None) -> Tensor:
    """Masks of the pixels inside the field of view, which is a rectangle in each patch.

    Args:
        bounds: (N, 4) start and stop along the first axis, start and stop along the second, pixels.
        size: side of the patches, pixels.
        reduced: side of patches that were reduced by means over blocks; a block counts where all its pixels do.

    Returns:
        Bool (N, 1, size, size), or (N, 1, reduced, reduced), on the device of the bounds.

    Raises:
        ValueError: when the bounds are not four a patch, or the reduced side does not divide the side.

    Example:
        >>> valid_region([[1, 4, 0, 2]], size=4).int()[0, 0].tolist()
        [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]]
    """
    bounds = torch.as_tensor(bounds)
    if bounds.ndim != 2 or bounds.shape[1] != len(VALID_COLUMNS):
        raise ValueError(f"the bounds have shape {tuple(bounds.shape)}: expected four for each patch, (N, 4).")
    side = size if reduced is None else reduced
    if side < 1 or size % side:
        raise ValueError(f"the reduced side is {reduced}: expected a divisor of the patches' side {size}.")
    block = size // side
    firsts = torch.arange(side, device=bounds.device) * block
    inside = [
        (firsts >= start[:, None]) & (firsts + block <= stop[:, None])
        for start, stop in ((bounds[:, 0], bounds[:, 1]), (bounds[:, 2], bounds[:, 3]))
    ]
    return (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
