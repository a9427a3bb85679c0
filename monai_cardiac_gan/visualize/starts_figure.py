"""Figure: a masked patch beside the images among which the start of its descent was chosen."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from monai_cardiac_gan.inferers import InpaintingResult
from monai_cardiac_gan.visualize.display import as_array, tiled, to_display
from monai_cardiac_gan.visualize.panels import HOLE, frame_hole, mark_directions, show_masked, show_patch

__all__ = ["figure_of_starts"]

GAP = 4
"""Pixels between two images of the batch; room for the frame."""


def figure_of_starts(result: InpaintingResult, index: int) -> Figure:
    """The masked patch and the start that was chosen, beside images that were tried, the best of them framed.

    The chosen start is the best of all that were tried; it is the framed one only when it is among those shown.

    Args:
        result: of a search.
        index: which of its patches.
    """
    starts = result.start_images
    figure = Figure(figsize=(11, 7.4), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[1, 2])
    masked = figure.add_subplot(grid[0, 0])
    show_masked(masked, result.patches[index], result.holes[index], "masked patch")
    mark_directions(masked, "R", "L", "A", "P")
    chosen = figure.add_subplot(grid[1, 0])
    loss = float(starts.chosen_losses[index, 0])
    show_patch(chosen, starts.chosen[index, 0], f"start: best of {starts.candidates}, L1 {loss:.3f}")
    frame_hole(chosen, result.holes[index])
    shown = starts.shown[index if len(starts.shown) > 1 else 0]
    batch = as_array(shown).reshape(-1, *shown.shape[2:])  # also when it is one image
    columns = int(np.ceil(np.sqrt(len(batch))))
    axes = figure.add_subplot(grid[:, 1])
    axes.imshow(tiled(to_display(batch), columns, GAP), cmap="gray", vmin=-1, vmax=1, origin="lower")
    losses = starts.shown_losses[index].numpy()
    best = int(losses.argmin())
    axes.add_patch(_frame(best, len(batch), columns, (batch.shape[2], batch.shape[1])))
    axes.set_title(f"tried first, L1 {losses.min():.3f} (framed) to {losses.max():.3f}", fontsize=9)
    axes.set_axis_off()
    return figure


def _frame(place: int, count: int, columns: int, shape: tuple[int, int]) -> Rectangle:
    """A frame around one image of a sheet of displayed images (H, W)."""
    height, width = shape
    rows = -(-count // columns)
    left = place % columns * (width + GAP) - GAP / 2 - 0.5
    low = (rows - 1 - place // columns) * (height + GAP) - GAP / 2 - 0.5
    return Rectangle((left, low), width + GAP, height + GAP, fill=False, edgecolor=HOLE, linewidth=2.5, clip_on=False)
