"""Figure: real beside generated patches."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from monai_cardiac_gan.visualize.display import as_array, tiled, to_display

__all__ = ["figure_of_samples"]

MOST = 25
"""Patches in each grid; more are too small to judge."""


def figure_of_samples(reals: Any, fakes: Any) -> Figure:
    """Two grids of the same size, real patches at the left and generated ones at the right.

    Args:
        reals: (N, H, W) or (N, 1, H, W), -1 to 1; the first 25 are shown.
        fakes: the same, generated.

    Raises:
        ValueError: when a set is no set of images or is empty.
    """
    sets = [_as_set(as_array(images)) for images in (reals, fakes)]
    count = min(MOST, *(len(images) for images in sets))
    if not count:
        raise ValueError("one of the sets has no images: give at least one real and one generated patch.")
    columns = int(np.ceil(np.sqrt(count)))
    figure = Figure(figsize=(11, 5.5 * np.ceil(count / columns) / columns + 0.3), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, images, title in zip(panels, sets, ("real", "generated"), strict=True):
        sheet = tiled(to_display(images[:count]), columns)
        axes.imshow(sheet, cmap="gray", vmin=-1, vmax=1, origin="lower")
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    return figure


def _as_set(images: np.ndarray) -> np.ndarray:
    return images[None] if images.ndim == 2 else images
