"""Figure: what the solutions of one patch agree on, and where the acquired image lies beyond."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_cardiac_gan.visualize.display import as_array, to_display
from monai_cardiac_gan.visualize.panels import frame_hole, mark_directions, show_patch

__all__ = ["figure_of_spread"]

LARGEST_DIFFERENCE = 1.0
"""Half of the range of values; larger differences have the same colour."""


def figure_of_spread(patch: Any, mean: Any, half_width: Any, hole: Any, title: str = "standard deviation") -> Figure:
    """Acquired patch, mean of the solutions, the width of what is expected, and acquired less expected.

    Args:
        patch: (1, H, W) acquired, -1 to 1.
        mean: (1, H, W) of the solutions.
        half_width: (1, H, W) standard deviation of the solutions, or half the width of an interval.
        hole: (1, H, W) bool.
        title: what `half_width` is.
    """
    figure = Figure(figsize=(11.5, 3.1), layout="constrained")
    panels = figure.subplots(1, 4)
    show_patch(panels[0], patch, "acquired")
    mark_directions(panels[0], "R", "L", "A", "P")
    show_patch(panels[1], mean, "expected: mean of the solutions")
    _show_map(panels[2], half_width, title, "magma", 0.0)
    _show_map(panels[3], as_array(patch) - as_array(mean), "acquired - expected", "RdBu_r", -LARGEST_DIFFERENCE)
    for axes in panels:
        frame_hole(axes, hole)
    return figure


def _show_map(axes: Axes, values: Any, title: str, colours: str, lowest: float) -> None:
    shown = axes.imshow(
        to_display(as_array(values)), cmap=colours, vmin=lowest, vmax=LARGEST_DIFFERENCE, origin="lower"
    )
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()
    axes.figure.colorbar(shown, ax=axes, shrink=0.8)
