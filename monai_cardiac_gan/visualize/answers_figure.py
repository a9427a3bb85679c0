"""Figure: the answers that were drawn for one patch, and the aorta that is found in each."""

from __future__ import annotations

from matplotlib.figure import Figure

from monai_cardiac_gan.inferers import InpaintedPatch
from monai_cardiac_gan.visualize.aorta_overlay import draw_inputs, draw_painted, tell_lines

__all__ = ["figure_of_answers"]

FIRST, COLUMNS = 3, 5
"""Of the sheet: sixteen answers and the three panels before them take four rows."""


def figure_of_answers(patch: InpaintedPatch) -> Figure:
    """Masked, acquired and expected patch, then each answer, row by row, with position and perimeter of the aorta.

    The aorta of the acquired patch is drawn dashed for comparison.

    Args:
        patch: whose answers were drawn, as `AmortisedInferer` does.
    """
    count = len(patch.solutions) + FIRST
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(2.4 * columns, 2.9 * rows + 0.2), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    draw_inputs(panels[0], panels[1], patch)
    draw_painted(panels[2], patch, patch.expected, patch.expected_disc, "expected: typical answer")
    for number, axes in enumerate(panels[FIRST:count]):
        draw_painted(axes, patch, patch.solutions[number], patch.discs[number], f"answer {number + 1}")
    for axes in panels[count:]:
        axes.set_axis_off()
    tell_lines(figure)
    return figure
