"""Figure: what several starts make of one patch, and the aorta that is found in each."""

from __future__ import annotations

from matplotlib.figure import Figure

from monai_cardiac_gan.inferers import InpaintedPatch
from monai_cardiac_gan.visualize.aorta_overlay import draw_inputs, draw_painted, tell_lines
from monai_cardiac_gan.visualize.panels import frame_mask, show_patch

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
    draw_inputs(panels[0, 0], panels[1, 0], patch)
    for start in range(starts):
        show_patch(panels[0, start + 1], patch.initial.chosen[start], f"start {start + 1}")
        frame_mask(panels[0, start + 1], patch.mask)
        best = " (best)" if start == patch.best else ""
        title = f"result {start + 1}, loss {float(patch.losses[start]):.3f}{best}"
        draw_painted(panels[1, start + 1], patch, patch.solutions[start], patch.discs[start], title)
    tell_lines(figure)
    return figure
