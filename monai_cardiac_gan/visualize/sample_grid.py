"""Figure: a sheet of generated patches."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from monai_cardiac_gan.visualize.display import as_array, tiled, to_display

__all__ = ["figure_of_sample_grid"]

INCHES = 1.3
"""Side of one patch; at 100 dots per inch one pixel of 128 is one dot."""


def figure_of_sample_grid(images: Any, title: str = "") -> Figure:
    """Patches side by side in radiological convention, the first at the upper left.

    Args:
        images: (N, H, W) or (N, 1, H, W), -1 to 1.
        title: above the sheet.

    Raises:
        ValueError: when there are no images.
    """
    array = as_array(images)
    sheet = to_display(array[None] if array.ndim == 2 else array)
    if not len(sheet):
        raise ValueError("there are no images: give at least one patch.")
    columns = int(np.ceil(np.sqrt(len(sheet))))
    rows = -(-len(sheet) // columns)
    figure = Figure(figsize=(INCHES * columns, INCHES * rows + 0.3), layout="constrained")
    axes = figure.subplots()
    axes.imshow(tiled(sheet, columns), cmap="gray", vmin=-1, vmax=1, origin="lower")
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()
    return figure
