"""Figures to files."""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib.figure import Figure

__all__ = ["save_figure"]

DOTS_PER_INCH = 100
"""Fine enough for a screen; a patch of 128 pixels is never shown with fewer."""


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG, so that nobody ever sees half of it; its folder is made. Returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    figure.savefig(unfinished, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight", facecolor="white")
    os.replace(unfinished, path)
    return path
