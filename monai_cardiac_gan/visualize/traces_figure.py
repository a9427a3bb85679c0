"""Figure: how the losses fell."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from monai_cardiac_gan.inferers import LossTraces
from monai_cardiac_gan.visualize.panels import AORTA

__all__ = ["figure_of_traces"]

OTHERS = "#607080"
TITLES = {"contextual": "contextual: mean |G(z) - y|", "perceptual": "perceptual: -D(G(z))"}


def figure_of_traces(traces: LossTraces, best: int | None = None) -> Figure:
    """Each term of the loss and their weighted sum over the iterations, one thin line per search.

    Args:
        traces: of one patch or of many.
        best: number of the start that is drawn thick, for one patch; None draws the median thick.
    """
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    terms = {**traces.terms, "total": traces.total}
    panels = figure.subplots(1, len(terms), squeeze=False)[0]
    for axes, (name, values) in zip(panels, terms.items(), strict=True):
        lines = values.numpy().reshape(len(values), -1)
        thick = np.median(lines, 1) if best is None else lines[:, best]
        axes.plot(lines, color=OTHERS, linewidth=0.5, alpha=0.6)
        axes.plot(thick, color=AORTA, linewidth=1.8, label="median" if best is None else "best start")
        axes.set_title(TITLES.get(name, name), fontsize=9)
        axes.set_xlabel("iteration", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.25)
    panels[-1].legend(fontsize=8, frameon=False)
    return figure
