"""Figures to files."""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from monai_cardiac_gan.atomic import atomic_path

__all__ = ["DOTS_PER_INCH", "FORMATS", "save_figure"]

DOTS_PER_INCH = 100
"""Fine enough for a screen; a patch of 128 pixels is never shown with fewer."""
FORMATS = ("png", "pdf", "svg")
EDITABLE_TEXT = {"pdf.fonttype": 42, "svg.fonttype": "none"}
"""Letters stay letters in vector files, which journals and drawing programs ask for."""


def save_figure(figure: Figure, path: str | os.PathLike[str], dpi: float = DOTS_PER_INCH) -> Path:
    """Write a figure in the format that the file's suffix names, so that nobody ever sees half of it; its folder is made.

    Args:
        figure: what is drawn.
        path: the file: ``.png``, ``.pdf`` or ``.svg``. In the latter two lines and letters are vectors, images as they are.
        dpi: dots per inch of a PNG; 300 is what journals ask for.

    Returns:
        The path.

    Raises:
        ValueError: when the suffix is another one, or the resolution is not positive.
    """
    path = Path(path)
    kind = path.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise ValueError(f"{path}: figures are written as {', '.join(FORMATS)}: give the file one of these suffixes.")
    if not dpi > 0:
        raise ValueError(f"dpi is {dpi}: expected more than 0, such as {DOTS_PER_INCH} for screens and 300 for print.")
    with atomic_path(path) as unfinished, rc_context(EDITABLE_TEXT):
        figure.savefig(unfinished, format=kind, dpi=dpi, bbox_inches="tight", facecolor="white")
    return path
