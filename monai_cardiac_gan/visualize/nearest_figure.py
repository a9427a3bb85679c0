"""Figure: generated patches above the training patches that are nearest to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from monai_cardiac_gan.visualize.display import as_array, to_display

__all__ = ["figure_of_nearest"]


def figure_of_nearest(fakes: Any, nearest: Any) -> Figure:
    """Two rows: generated patches, and below each its nearest training patch.

    Args:
        fakes: (N, H, W) or (N, 1, H, W), -1 to 1.
        nearest: as many, in the same order.

    Raises:
        ValueError: when there are not as many of both.
    """
    above, below = as_array(fakes), as_array(nearest)
    if above.shape != below.shape or above.ndim != 3:
        raise ValueError(
            f"the sets have shapes {above.shape} and {below.shape}: give a nearest patch for each, two or more."
        )
    figure = Figure(figsize=(1.2 * len(above), 2.8), layout="constrained")
    for row, (images, title) in enumerate(zip((above, below), ("generated", "nearest training patch"), strict=True)):
        sheet = np.concatenate(list(to_display(images)), axis=1)
        axes = figure.add_subplot(2, 1, row + 1)
        axes.imshow(sheet, cmap="gray", vmin=-1, vmax=1, origin="lower")
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    return figure
