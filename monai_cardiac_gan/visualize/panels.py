"""Parts that several figures draw into an axes: a patch, the frame of its mask, letters of direction, a scale bar."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from monai_cardiac_gan.visualize.display import as_array, to_display

__all__ = ["ACQUIRED", "AORTA", "MASK", "frame_mask", "mark_directions", "scale_bar", "show_masked", "show_patch"]

AORTA = "#ffb000"
"""Colour of all that was found of the aorta; with the next two told apart by colour-blind readers, and from any grey."""
MASK = "#40c4ff"
"""Colour of masks and of what was chosen."""
ACQUIRED = "#ff5fa2"
"""Colour of what was measured in the acquired image, beside what was painted."""
SCALE_BAR_MM = 20.0
"""About the diameter of the aorta."""
OUTLINE = [withStroke(linewidth=1.8, foreground="black")]
"""Makes light letters legible on bright blood."""


def show_patch(axes: Axes, patch: object, title: str = "", window: tuple[float, float] = (-1.0, 1.0)) -> None:
    """One patch in radiological convention, without axes."""
    axes.imshow(to_display(as_array(patch)), cmap="gray", vmin=window[0], vmax=window[1], origin="lower")
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


def show_masked(axes: Axes, patch: object, mask: object, title: str = "") -> None:
    """One patch whose mask is filled with one colour."""
    show_patch(axes, patch, title)
    layer = np.ma.masked_equal(to_display(as_array(mask)), 0.0)
    axes.imshow(layer, cmap="gray", vmin=0.0, vmax=2.0, origin="lower")
    frame_mask(axes, mask)


def frame_mask(axes: Axes, mask: object) -> None:
    """A frame around the mask of a displayed patch, along its rim where it is no rectangle."""
    shown = to_display(as_array(mask))
    rows, columns = np.nonzero(shown)
    corner = (columns.min() - 0.5, rows.min() - 0.5)
    width, height = int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1
    if len(rows) == width * height:
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=MASK, linewidth=1.2))
    else:
        axes.contour(shown, [0.5], colors=MASK, linewidths=1.2)


def mark_directions(axes: Axes, left: str, right: str, top: str, bottom: str) -> None:
    """Letters of the body's directions at the four edges of an image."""
    for letter, x, y in ((left, 0.04, 0.5), (right, 0.96, 0.5), (top, 0.5, 0.96), (bottom, 0.5, 0.04)):
        axes.text(
            x, y, letter, transform=axes.transAxes, ha="center", va="center", color="white", fontsize=9,
            fontweight="bold", path_effects=OUTLINE,
        )  # fmt: skip


def scale_bar(axes: Axes, unit_mm: float = 1.0) -> None:
    """A bar of 20 mm in the lower left corner.

    Args:
        axes: an axes whose limits are set.
        unit_mm: millimetres in one unit of its horizontal axis.
    """
    length = SCALE_BAR_MM / unit_mm
    first, last = axes.get_xlim()
    low, high = axes.get_ylim()
    start = first + 0.05 * (last - first)
    level = low + 0.06 * (high - low)
    end = start + np.copysign(length, last - first)
    axes.plot([start, end], [level, level], color="white", linewidth=2, path_effects=OUTLINE)
    axes.text(
        start, level + 0.015 * (high - low), f"{SCALE_BAR_MM:g} mm", color="white", fontsize=7,
        ha="left", va="bottom", path_effects=OUTLINE,
    )  # fmt: skip
