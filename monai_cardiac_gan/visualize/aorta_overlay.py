"""Circles of measured aortas, and the two pictures that every figure of an inpainted patch begins with."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from torch import Tensor

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

__all__ = ["draw_inputs", "draw_painted", "tell_lines"]


def draw_inputs(masked: Axes, acquired: Axes, patch: InpaintedPatch) -> None:
    """The patch with its mask filled, and as it was acquired, with its aorta."""
    show_masked(masked, patch.acquired, patch.mask, "masked")
    show_patch(acquired, patch.acquired, "acquired")
    mark_directions(acquired, "R", "L", "A", "P")
    scale_bar(acquired, patch.origin.pixel_mm)
    if patch.acquired_disc is not None:
        _draw_disc(acquired, patch.acquired_disc, ACQUIRED, "--", patch.acquired.shape[1], patch.origin.pixel_mm)


def draw_painted(axes: Axes, patch: InpaintedPatch, painted: Tensor, disc: AortaDisc | None, title: str) -> None:
    """A painted patch (1, H, W) with its aorta, and the acquired one dashed."""
    show_patch(axes, painted, title)
    frame_mask(axes, patch.mask)
    pixel_mm, width = patch.origin.pixel_mm, patch.acquired.shape[1]
    _draw_disc(axes, disc, AORTA, "-", width, pixel_mm)
    if patch.acquired_disc is not None:
        _draw_circle(axes, patch.acquired_disc, ACQUIRED, "--", width, pixel_mm)


def tell_lines(figure: Figure) -> None:
    """Below all panels, what each line is."""
    lines = [("mask", MASK, "-"), ("painted aorta", AORTA, "-"), ("acquired aorta", ACQUIRED, "--")]
    handles = [Line2D([], [], color=colour, linestyle=line, label=name) for name, colour, line in lines]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)


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
