"""Figure: what the solutions of one patch agree on, and where the acquired image lies beyond."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_cardiac_gan.inferers import InpaintedPatch
from monai_cardiac_gan.visualize.display import as_array, to_display
from monai_cardiac_gan.visualize.panels import frame_mask, mark_directions, show_patch

__all__ = ["figure_of_uncertainty"]

LARGEST_DIFFERENCE = 1.0
"""Half of the range of values; larger differences have the same colour."""


def figure_of_uncertainty(patch: InpaintedPatch, half_width: Any = None, title: str = "standard deviation") -> Figure:
    """Acquired patch, mean of the solutions, how sure they are, and acquired less expected.

    Args:
        patch: of a search from several starts.
        half_width: (1, H, W) half the width of an interval; the standard deviation of the solutions by default.
        title: what `half_width` is.
    """
    figure = Figure(figsize=(11.5, 3.1), layout="constrained")
    panels = figure.subplots(1, 4)
    show_patch(panels[0], patch.acquired, "acquired")
    mark_directions(panels[0], "R", "L", "A", "P")
    show_patch(panels[1], patch.mean, "expected: mean of the solutions")
    _show_map(panels[2], patch.std if half_width is None else half_width, title, "magma", 0.0)
    difference = as_array(patch.acquired) - as_array(patch.mean)
    _show_map(panels[3], difference, "acquired - expected", "RdBu_r", -LARGEST_DIFFERENCE)
    for axes in panels:
        frame_mask(axes, patch.mask)
    return figure


def _show_map(axes: Axes, values: Any, title: str, colours: str, lowest: float) -> None:
    shown = axes.imshow(
        to_display(as_array(values)), cmap=colours, vmin=lowest, vmax=LARGEST_DIFFERENCE, origin="lower"
    )
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()
    axes.figure.colorbar(shown, ax=axes, shrink=0.8)
