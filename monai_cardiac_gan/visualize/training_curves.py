"""Figure: all numbers of a training over its epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from monai_cardiac_gan.engines import TrainingOutput

__all__ = ["SCORE", "figure_of_training_curves"]

EPOCH, ITERATIONS = "epoch", "iterations"
"""Columns of a row that are no curves."""
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000")
"""Told apart by colour-blind readers (Okabe and Ito 2008)."""
COLUMNS = 3
WIDE = 50.0
"""A range of more than this factor is drawn on a logarithmic scale."""
FEW = 30
"""So few points are marked one by one."""
SCORE = "critic's score"
"""Unit of all that is made of scores; it means nothing outside one training."""
RATE = "_per_second"
"""End of the names of speeds."""


@dataclass(frozen=True)
class Panel:
    """One axes: its title, its unit, and name -> label of its curves."""

    title: str
    unit: str
    curves: Mapping[str, str]


def figure_of_training_curves(rows: Sequence[Mapping[str, Any]], units: Mapping[str, str] | None = None) -> Figure:
    """Losses, Wasserstein estimates, penalty, gradient norm, metrics and speed, each kind in a panel of its own.

    Parts of one metric (``name/part``) share a panel. A number that not every row has, because it is computed every few
    epochs, is drawn through those rows that have it. Numbers whose range is wide are drawn on a logarithmic scale, or on one
    that is linear around 0 where they have both signs. All panels show the same epochs.

    Args:
        rows: what `TrainingHistory` keeps: ``epoch`` and numbers by name; None where one was not finite.
        units: name of a metric, without its part -> unit, for metrics that have one.

    Raises:
        ValueError: when there are no rows, or none has a number.
    """
    names = list(dict.fromkeys(name for row in rows for name in row if name not in (EPOCH, ITERATIONS)))
    if not names:
        raise ValueError(f"{len(rows)} rows hold no numbers: give the rows of a training of at least one epoch.")
    panels = _panels(names, units or {})
    columns = min(COLUMNS, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.0 * lines), layout="constrained")
    places = figure.subplots(lines, columns, squeeze=False, sharex="all").ravel()
    for axes, panel in zip(places, panels, strict=False):
        _draw(axes, panel, rows)
    for axes in places[len(panels) :]:
        axes.remove()
    return figure


def _panels(names: Sequence[str], units: Mapping[str, str]) -> list[Panel]:
    """Which curves share an axes: the training's own numbers first, speeds last."""
    out = TrainingOutput
    estimates = [name for name in names if name.startswith(out.WASSERSTEIN)]
    wasserstein = {name: _words(name.removeprefix(out.WASSERSTEIN)).strip() or "while training" for name in estimates}
    known = [
        Panel("losses", SCORE, {out.LOSS: "critic, with penalty", out.GENERATOR_LOSS: "generator"}),
        Panel("Wasserstein estimate", SCORE, wasserstein),
        Panel("penalty, weighted", SCORE, {out.PENALTY: out.PENALTY}),
        Panel("critic's gradient", "norm, score per unit of image", {out.GRADIENT_NORM: "mean norm"}),
    ]
    taken = {name for panel in known for name in panel.curves}
    speeds = [name for name in names if name.endswith(RATE) and name not in taken]
    others: dict[str, dict[str, str]] = {}
    for name in (name for name in names if name not in taken and name not in speeds):
        title, _, part = name.partition("/")
        others.setdefault(title, {})[name] = part or title
    metrics = [Panel(_words(title), units.get(title, ""), curves) for title, curves in others.items()]
    speed = [Panel("speed", _words(name.removesuffix(RATE)) + " / s", {name: _words(name)}) for name in speeds]
    return [panel for panel in known + metrics + speed if any(name in names for name in panel.curves)]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _draw(axes: Axes, panel: Panel, rows: Sequence[Mapping[str, Any]]) -> None:
    drawn = []
    for colour, (name, label) in zip(COLOURS * len(panel.curves), panel.curves.items(), strict=False):
        points = [(row[EPOCH], row[name]) for row in rows if row.get(name) is not None]
        if points:
            epochs, values = np.array(points, dtype=float).T
            axes.plot(epochs, values, "o-"[len(epochs) > FEW :], color=colour, label=label, linewidth=1.2, markersize=3)
            drawn.append(values)
    _scale(axes, np.concatenate([*drawn, np.empty(0)]))
    axes.set_title(panel.title, fontsize=10)
    axes.set_xlabel(EPOCH, fontsize=8)
    axes.set_ylabel(panel.unit, fontsize=8)
    axes.tick_params(labelsize=7, labelbottom=True)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.grid(alpha=0.25)
    if len(drawn) > 1:
        axes.legend(fontsize=7, frameon=False)


def _scale(axes: Axes, values: np.ndarray) -> None:
    sizes = np.abs(values[values != 0])
    if not len(sizes) or sizes.max() < WIDE * np.median(sizes):
        return
    if values.min() > 0:
        axes.set_yscale("log")
    else:
        axes.set_yscale("symlog", linthresh=10 ** np.ceil(np.log10(np.median(sizes))))  # so that decades are the ticks
