"""Figure: what several starts make of one patch, and the aorta that is found in each."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from monai_cardiac_gan.aorta.disc import AortaDisc
from monai_cardiac_gan.inferers import InpaintedPatch
from monai_cardiac_gan.visualize.display import to_display_point
from monai_cardiac_gan.visualize.panels import (
    ACQUIRED,
    AORTA,
    MASK,
    frame_mask,
    mark_directions,
    scale_bar,
    show_masked,
    show_patch,
)

__all__ = ["figure_of_results"]


def figure_of_results(patch: InpaintedPatch) -> Figure:
    """One column per start: where it began and what it became, with position and perimeter of the painted aorta.

    The aorta of the acquired patch is drawn dashed for comparison.

    Args:
        patch: of a search.
    """
    starts = len(patch.solutions)
    figure = Figure(figsize=(2.4 * (starts + 1), 6.0), layout="constrained")
    panels = figure.subplots(2, starts + 1, squeeze=False)
    _draw_inputs(panels[:, 0], patch)
    pixel_mm, width = patch.origin.pixel_mm, patch.acquired.shape[1]
    for start, disc in enumerate(patch.discs):
        show_patch(panels[0, start + 1], patch.initial.chosen[start], f"start {start + 1}")
        best = " (best)" if start == patch.best else ""
        title = f"result {start + 1}, loss {float(patch.losses[start]):.3f}{best}"
        show_patch(panels[1, start + 1], patch.solutions[start], title)
        for axes in panels[:, start + 1]:
            frame_mask(axes, patch.mask)
        _draw_disc(panels[1, start + 1], disc, AORTA, "-", width, pixel_mm)
        if patch.acquired_disc is not None:
            _draw_circle(panels[1, start + 1], patch.acquired_disc, ACQUIRED, "--", width, pixel_mm)
    lines = [("mask", MASK, "-"), ("painted aorta", AORTA, "-"), ("acquired aorta", ACQUIRED, "--")]
    handles = [Line2D([], [], color=colour, linestyle=line, label=name) for name, colour, line in lines]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def _draw_inputs(panels: np.ndarray, patch: InpaintedPatch) -> None:
    show_masked(panels[0], patch.acquired, patch.mask, "masked")
    show_patch(panels[1], patch.acquired, "acquired")
    mark_directions(panels[1], "R", "L", "A", "P")
    scale_bar(panels[1], patch.origin.pixel_mm)
    if patch.acquired_disc is not None:
        _draw_disc(panels[1], patch.acquired_disc, ACQUIRED, "--", patch.acquired.shape[1], patch.origin.pixel_mm)


def _draw_disc(axes: Axes, disc: AortaDisc | None, colour: str, line: str, width: int, pixel_mm: float) -> None:
    """The disc's circle, and below the image its position in the patch as stored and its perimeter."""
    text = "no aorta found"
    if disc is not None:
        _draw_circle(axes, disc, colour, line, width, pixel_mm)
        right, front = (float(value) * pixel_mm for value in disc.centre)
        text = f"x {right:.1f}, y {front:.1f} mm\nperimeter {disc.perimeter_mm:.1f} mm"
    axes.text(0.5, -0.03, text, transform=axes.transAxes, ha="center", va="top", fontsize=8)


def _draw_circle(axes: Axes, disc: AortaDisc, colour: str, line: str, width: int, pixel_mm: float) -> None:
    centre = to_display_point(disc.centre, width)
    radius = disc.diameter_mm / 2 / pixel_mm
    axes.add_patch(Circle(centre, radius, fill=False, edgecolor=colour, linestyle=line, linewidth=1.3))
