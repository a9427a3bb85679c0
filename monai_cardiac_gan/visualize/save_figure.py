"""Figures to files."""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib.figure import Figure

from monai_cardiac_gan.atomic import atomic_path

__all__ = ["save_figure"]

DOTS_PER_INCH = 100
"""Fine enough for a screen; a patch of 128 pixels is never shown with fewer."""


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG, so that nobody ever sees half of it; its folder is made. Returns the path."""
    with atomic_path(path) as unfinished:
        figure.savefig(unfinished, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight", facecolor="white")
    return Path(path)
