"""Figure: what the solutions of one patch agree on, and where the acquired image lies beyond."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monai_cardiac_gan.inferers import InpaintedPatch
from monai_cardiac_gan.visualize.display import as_array, to_display
from monai_cardiac_gan.visualize.panels import frame_mask, mark_directions, scale_bar, show_patch

__all__ = ["figure_of_uncertainty"]

MARGIN = 8
"""Pixels around the mask that the two maps show."""
SMALLEST_RANGE = 0.02
"""Half of the range of colours where nearly nothing differs: a hundredth of the range of values, below which is noise."""
UNIT = "patch value (range -1 to 1)"


def figure_of_uncertainty(patch: InpaintedPatch, half_width: Any = None, title: str = "standard deviation") -> Figure:
    """Acquired patch, what is expected, how sure that is, and acquired less expected.

    Expected is the mean of a search's solutions, or the typical image where answers were drawn.

    The two maps are zoomed to the mask and a margin, and their colours reach as far as what is there; the colour bars tell
    how far that is.

    Args:
        patch: of a search from several starts, or with several answers.
        half_width: (1, H, W) half the width of an interval; the standard deviation of the solutions by default.
        title: what `half_width` is.
    """
    figure = Figure(figsize=(12.5, 3.1), layout="constrained")
    panels = figure.subplots(1, 4)
    show_patch(panels[0], patch.acquired, "acquired")
    mark_directions(panels[0], "R", "L", "A", "P")
    expected, name = (patch.mean, "mean of the solutions") if patch.is_searched else (patch.expected, "typical answer")
    show_patch(panels[1], expected, f"expected: {name}")
    scale_bar(panels[0], patch.origin.pixel_mm)
    window = _window(as_array(patch.mask))
    _show_map(panels[2], patch.std if half_width is None else half_width, title, "magma", window)
    difference = as_array(patch.acquired) - as_array(expected)
    _show_map(panels[3], difference, "acquired - expected", "RdBu_r", window, signed=True)
    for axes in panels:
        frame_mask(axes, patch.mask)
    scale_bar(panels[2], patch.origin.pixel_mm)
    return figure


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns, as displayed, of the mask and a margin, within the patch."""
    shown = to_display(mask)
    places = [np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))]
    first, second = (
        slice(max(0, place[0] - MARGIN), min(length, place[-1] + MARGIN + 1))
        for place, length in zip(places, shown.shape, strict=True)
    )
    return first, second


def _show_map(
    axes: Axes, values: Any, title: str, colours: str, window: tuple[slice, slice], signed: bool = False
) -> None:
    image = to_display(as_array(values))
    largest = max(float(np.abs(image[window]).max()), SMALLEST_RANGE)
    shown = axes.imshow(image, cmap=colours, vmin=-largest if signed else 0.0, vmax=largest, origin="lower")
    rows, columns = window
    axes.set_xlim(columns.start - 0.5, columns.stop - 0.5)
    axes.set_ylim(rows.start - 0.5, rows.stop - 0.5)
    axes.set_title(f"{title}\n(zoomed to the mask)", fontsize=9)
    axes.set_axis_off()
    axes.figure.colorbar(shown, ax=axes, shrink=0.8).set_label(UNIT, fontsize=7)
