"""From patches as they are stored to pictures as they are read."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_array", "tiled", "to_display", "to_display_point"]


def as_array(values: Any) -> np.ndarray:
    """A tensor or an array as float32, axes of length one in front of the last three dropped: (H, W) or (N, H, W)."""
    array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float32)
    if array.ndim == 4 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim not in (2, 3):
        raise ValueError(f"the image has shape {array.shape}: expected (H, W), (N, H, W) or (N, 1, H, W).")
    return array


def to_display(patch: np.ndarray) -> np.ndarray:
    """An axial patch in radiological convention: rows run to the front, columns to the patient's left.

    Show it with ``origin="lower"``, and the front is up, the patient's left at the right.

    Args:
        patch: (..., X, Y), its first axis towards the patient's right, its second towards the front, as patches are stored.

    Returns:
        (..., Y, X).

    Example:
        A spot at the patient's right in the back comes to the lower left:

        >>> patch = np.zeros((3, 2))
        >>> patch[2, 0] = 1.0
        >>> to_display(patch).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return np.swapaxes(patch[..., ::-1, :], -1, -2)


def to_display_point(point: Any, width: int) -> tuple[float, float]:
    """Column and row of a point of a patch in `to_display` of it.

    Args:
        point: (2,) along the patch's first and second axis, pixels.
        width: length of its first axis, pixels.

    Example:
        >>> to_display_point((2, 0), width=3)
        (0.0, 0.0)
    """
    return width - 1 - float(point[0]), float(point[1])


def tiled(images: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Displayed images side by side, the first at the upper left, for ``origin="lower"``; gaps are NaN.

    Args:
        images: (N, H, W) in display orientation.
        columns: images in a row.
        gap: pixels between two images.

    Returns:
        (rows * (H + gap) - gap, columns * (W + gap) - gap).
    """
    count, height, width = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan, dtype=np.float32)
    for place, image in enumerate(images):
        low = (rows - 1 - place // columns) * (height + gap)
        left = place % columns * (width + gap)
        sheet[low : low + height, left : left + width] = image
    return sheet
