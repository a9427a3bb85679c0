"""Figure: how the losses fell."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from monai_cardiac_gan.inferers import InpaintingResult
from monai_cardiac_gan.visualize.panels import AORTA

__all__ = ["figure_of_traces"]

OTHERS = "#607080"


def figure_of_traces(result: InpaintingResult, index: int | None = None) -> Figure:
    """Contextual, perceptual and total loss over the iterations, one thin line per descent.

    Args:
        result: of a search.
        index: one of its patches, whose best descent is drawn thick; all patches, with the median thick, by default.
    """
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    panels = figure.subplots(1, 3)
    terms = (
        (result.traces.contextual, "contextual: mean |G(z) - y|"),
        (result.traces.perceptual, "perceptual: -D(G(z))"),
        (result.traces.total, "total"),
    )
    for axes, (values, title) in zip(panels, terms, strict=True):
        lines = values.numpy() if index is None else values.numpy()[:, index : index + 1]
        lines = lines.reshape(len(lines), -1)
        thick = np.median(lines, 1) if index is None else lines[:, int(result.best()[index])]
        axes.plot(lines, color=OTHERS, linewidth=0.5, alpha=0.6)
        axes.plot(thick, color=AORTA, linewidth=1.8, label="median" if index is None else "best start")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("iteration", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.25)
    panels[-1].legend(fontsize=8, frameon=False)
    return figure
