"""Figure: what several starts make of one patch, and the aorta that is found in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from monai_cardiac_gan.aorta.disc import AortaDisc
from monai_cardiac_gan.inferers import InpaintingResult
from monai_cardiac_gan.visualize.display import to_display_point
from monai_cardiac_gan.visualize.panels import (
    ACQUIRED,
    AORTA,
    HOLE,
    frame_hole,
    mark_directions,
    scale_bar,
    show_masked,
    show_patch,
)

__all__ = ["figure_of_results"]


def figure_of_results(
    result: InpaintingResult,
    index: int,
    discs: Sequence[AortaDisc | None],
    acquired: AortaDisc | None = None,
    pixel_mm: float = 1.0,
) -> Figure:
    """One column per start: where it began and what it became, with position and perimeter of the painted aorta.

    Args:
        result: of a search.
        index: which of its patches.
        discs: the aorta in each of the S inpainted patches (`measure_disc`), or nothing where none was found.
        acquired: the aorta in the patch itself, drawn dashed for comparison.
        pixel_mm: side of a pixel, mm.

    Raises:
        ValueError: when there is not one disc, or none, for each start.
    """
    starts, width = result.inpainted.shape[1], result.patches.shape[2]
    if len(discs) != starts:
        raise ValueError(f"{len(discs)} discs for {starts} starts: give one, or None, for each.")
    figure = Figure(figsize=(2.4 * (starts + 1), 6.0), layout="constrained")
    panels = figure.subplots(2, starts + 1, squeeze=False)
    _draw_inputs(panels[:, 0], result, index, acquired, pixel_mm)
    best = int(result.best()[index])
    for start, disc in enumerate(discs):
        show_patch(panels[0, start + 1], result.start_images.chosen[index, start], f"start {start + 1}")
        loss = float(result.losses[index, start])
        name = f"result {start + 1}, loss {loss:.3f}" + (" (best)" if start == best else "")
        show_patch(panels[1, start + 1], result.inpainted[index, start], name)
        for axes in panels[:, start + 1]:
            frame_hole(axes, result.holes[index])
        _draw_disc(panels[1, start + 1], disc, AORTA, "-", width, pixel_mm)
        if acquired is not None:
            _draw_circle(panels[1, start + 1], acquired, ACQUIRED, "--", width, pixel_mm)
    lines = [("hole", HOLE, "-"), ("painted aorta", AORTA, "-"), ("acquired aorta", ACQUIRED, "--")]
    handles = [Line2D([], [], color=colour, linestyle=line, label=name) for name, colour, line in lines]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def _draw_inputs(
    panels: np.ndarray, result: InpaintingResult, index: int, acquired: AortaDisc | None, pixel_mm: float
) -> None:
    show_masked(panels[0], result.patches[index], result.holes[index], "masked")
    show_patch(panels[1], result.patches[index], "acquired")
    mark_directions(panels[1], "R", "L", "A", "P")
    scale_bar(panels[1], pixel_mm)
    if acquired is not None:
        _draw_disc(panels[1], acquired, ACQUIRED, "--", result.patches.shape[2], pixel_mm)


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
