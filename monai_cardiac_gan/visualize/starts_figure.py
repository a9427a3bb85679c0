"""Figure: a masked patch beside the images among which the start of its search was chosen."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from monai_cardiac_gan.inferers import InpaintedPatch
from monai_cardiac_gan.visualize.display import as_array, tiled, to_display
from monai_cardiac_gan.visualize.panels import MASK, frame_mask, mark_directions, show_masked, show_patch

__all__ = ["figure_of_starts"]

GAP = 4
"""Pixels between two images of the batch; room for the frame."""


def figure_of_starts(patch: InpaintedPatch) -> Figure:
    """The masked patch and the start that was chosen, beside images that were tried, the best of them framed.

    The chosen start is the best of all that were tried; it is the framed one only when it is among those kept.

    Args:
        patch: of a search.
    """
    initial = patch.initial
    figure = Figure(figsize=(11, 7.4), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[1, 2])
    masked = figure.add_subplot(grid[0, 0])
    show_masked(masked, patch.acquired, patch.mask, "masked patch")
    mark_directions(masked, "R", "L", "A", "P")
    chosen = figure.add_subplot(grid[1, 0])
    loss = float(initial.chosen_losses[0])
    show_patch(chosen, initial.chosen[0], f"start: best of {initial.count}, L1 {loss:.3f}")
    frame_mask(chosen, patch.mask)
    tried = as_array(initial.tried).reshape(-1, *initial.tried.shape[2:])  # also when it is one image
    columns = int(np.ceil(np.sqrt(len(tried))))
    axes = figure.add_subplot(grid[:, 1])
    axes.imshow(tiled(to_display(tried), columns, GAP), cmap="gray", vmin=-1, vmax=1, origin="lower")
    losses = initial.tried_losses.numpy()
    axes.add_patch(_frame(int(losses.argmin()), len(tried), columns, (tried.shape[2], tried.shape[1])))
    axes.set_title(f"tried first, L1 {losses.min():.3f} (framed) to {losses.max():.3f}", fontsize=9)
    axes.set_axis_off()
    return figure


def _frame(index: int, count: int, columns: int, shape: tuple[int, int]) -> Rectangle:
    """A frame around one image of a sheet of displayed images (H, W)."""
    height, width = shape
    rows = -(-count // columns)
    left = index % columns * (width + GAP) - GAP / 2 - 0.5
    low = (rows - 1 - index // columns) * (height + GAP) - GAP / 2 - 0.5
    return Rectangle((left, low), width + GAP, height + GAP, fill=False, edgecolor=MASK, linewidth=2.5, clip_on=False)
