"""Figure: diameter along the vessel, acquired and expected, beside published normals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["figure_of_diameters"]

ACQUIRED_LINE, EXPECTED_LINE, NORMAL_LINE, DIFFERENT = "#b3005e", "#0b5fa5", "#6b5d00", "#f6c9a8"
"""Dark enough for white paper, and told apart by colour-blind readers; the lines differ in style, too."""
STYLES = ("--", ":")
"""Of the normals of the first and of the second sex."""


def figure_of_diameters(
    mm_from_top: np.ndarray,
    acquired: np.ndarray,
    expected: np.ndarray,
    interval: tuple[np.ndarray, np.ndarray],
    compared: np.ndarray,
    normals: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
    stretches: Sequence[tuple[float, float, str]] = (),
    title: str = "",
) -> Figure:
    """Acquired diameters over the expected ones with their interval; levels that were not compared are hollow.

    Args:
        mm_from_top: (N,) heights, mm below the top of the vessel.
        acquired: (N,) mm; NaN makes a gap, as in all others.
        expected: (N,) mm.
        interval: (N,) lower and upper ends, mm.
        compared: (N,) whether acquired and expected are compared there.
        normals: name such as ``"male"`` -> (N,) lower and upper ends of the published range, mm.
        stretches: upper and lower end (mm) and name of what differs.
        title: written above.

    Raises:
        ValueError: when the arrays are not of one length.
    """
    _refuse_lengths(mm_from_top, acquired, expected, *interval, compared)
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots()
    _draw_stretches(axes, stretches)
    axes.fill_between(mm_from_top, *interval, color=EXPECTED_LINE, alpha=0.18, linewidth=0, label="expected, interval")
    axes.plot(mm_from_top, expected, "--", color=EXPECTED_LINE, linewidth=1.4, label="expected")
    for (name, ends), style in zip((normals or {}).items(), STYLES, strict=False):
        for end, label in zip(ends, (f"healthy, {name}", None), strict=True):
            axes.plot(mm_from_top, end, style, color=NORMAL_LINE, linewidth=1.0, label=label)
    _draw_acquired(axes, mm_from_top, acquired, np.asarray(compared, dtype=bool))
    axes.set_xlabel("mm from the top of the vessel")
    axes.set_ylabel("area-equivalent diameter, mm")
    axes.set_title(title, fontsize=10, parse_math=False, wrap=True)
    axes.grid(alpha=0.25)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _refuse_lengths(*arrays: np.ndarray) -> None:
    if len({len(values) for values in arrays}) != 1:
        lengths = ", ".join(str(len(values)) for values in arrays)
        raise ValueError(f"the levels are {lengths} values long: expected one length for all.")


def _draw_stretches(axes: Axes, stretches: Sequence[tuple[float, float, str]]) -> None:
    """Each name once in the legend."""
    named: set[str] = set()
    for first, last, name in stretches:
        axes.axvspan(first, last, color=DIFFERENT, label=None if name in named else name, linewidth=0)
        named.add(name)


def _draw_acquired(axes: Axes, mm_from_top: np.ndarray, acquired: np.ndarray, compared: np.ndarray) -> None:
    axes.plot(mm_from_top, acquired, color=ACQUIRED_LINE, linewidth=1.6, label="acquired")
    axes.plot(mm_from_top[compared], acquired[compared], "o", color=ACQUIRED_LINE, markersize=5)
    axes.plot(
        mm_from_top[~compared], acquired[~compared], "o", color="grey", markerfacecolor="white", markersize=5,
        label=None if compared.all() else "not compared",
    )  # fmt: skip
