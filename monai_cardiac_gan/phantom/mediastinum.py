"""The soft tissue between the lungs, in which heart and great vessels lie."""

from __future__ import annotations

import numpy as np

from monai_cardiac_gan.phantom import tissues
from monai_cardiac_gan.phantom.canvas import Canvas
from monai_cardiac_gan.phantom.grid import Box
from monai_cardiac_gan.phantom.labels import PhantomLabel

__all__ = ["paint_mediastinum"]

MIDDLE_MM, LOW_MM, HIGH_MM = -4.0, (-60.0, 14.0, -60.0), (60.0, 135.0, 200.0)
# Half widths: broad in front of the spine, narrow behind the sternum, where the lungs nearly meet.
BACK_HALF_WIDTH_MM, FRONT_HALF_WIDTH_MM = 30.0, 9.0
FRONT_MM, BACK_MM = 104.0, 70.0
ROUGH_MM = 3.0


def paint_mediastinum(canvas: Canvas) -> None:
    """Suppressed fat in a column between the lungs."""
    whole = canvas.grid.box(LOW_MM, HIGH_MM)
    for box in canvas.grid.parts(whole) if whole else ():
        _paint_part(canvas, box)


def _paint_part(canvas: Canvas, box: Box) -> None:
    grid = canvas.grid
    x, y, _ = grid.warped(box)
    forwards = np.clip((y - BACK_MM) / (FRONT_MM - BACK_MM), 0, 1)
    level = np.abs(x - MIDDLE_MM) - (BACK_HALF_WIDTH_MM + (FRONT_HALF_WIDTH_MM - BACK_HALF_WIDTH_MM) * forwards)
    level += ROUGH_MM * grid.roughness(box)
    canvas.paint(box, level, tissues.MEDIASTINUM, only=(PhantomLabel.LUNG,))
