"""What the lower slices show: liver, spleen, stomach, kidneys and bowel."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from monai_cardiac_gan.phantom import tissues
from monai_cardiac_gan.phantom.anatomy import Anatomy
from monai_cardiac_gan.phantom.canvas import Canvas, Tissue
from monai_cardiac_gan.phantom.grid import Box
from monai_cardiac_gan.phantom.labels import PhantomLabel
from monai_cardiac_gan.phantom.shapes import axis_frame, ellipsoid, tube, wandering_path
from monai_cardiac_gan.phantom.thorax import diaphragm_mm, gutter_mm

__all__ = ["paint_abdomen"]

WALL_MM = 24.0  # abdominal wall inside the skin
DIAPHRAGM_MM = 3.0
LIVER_LEFT_MM, LIVER_FRONT_SLOPE, LIVER_BOTTOM_MM = -8.0, 0.8, -135.0
# Centre, semi-axes and long axis, in the mean subject.
STOMACH = ((-58.0, 72.0, -74.0), (40.0, 30.0, 32.0), (0.5, -0.5, 0.7))
SPLEEN = ((-92.0, 14.0, -66.0), (44.0, 22.0, 32.0), (0.4, 0.6, 0.7))
KIDNEYS = (((-52.0, 6.0, -142.0), (46.0, 24.0, 26.0)), ((54.0, 4.0, -150.0), (46.0, 24.0, 26.0)))
KIDNEY_AXIS = (0.0, 0.2, 1.0)
STOMACH_WALL_MM, STOMACH_SIGNAL_RANGE = 4.0, (0.08, 0.55)  # air and gas, or food and drink
UPPER_ORGAN_SPREAD_MM = 7.0
BOWEL_COUNT, BOWEL_RADIUS_MM_RANGE, BOWEL_STEP_MM, BOWEL_SIGNAL_RANGE = 45, (4.0, 10.0), 14.0, (0.1, 0.7)
BOWEL_LOW_MM, BOWEL_HIGH_MM = (-85.0, 30.0, -190.0), (70.0, 90.0, -60.0)
LIVER_VEINS, LIVER_VEIN_MM_RANGE, LIVER_STEP_MM = 36, (1.0, 2.8), 12.0
LIVER_LOW_MM, LIVER_HIGH_MM = (-10.0, 20.0, -115.0), (90.0, 95.0, -25.0)
ROUGH_MM = 1.5


def paint_abdomen(canvas: Canvas, anatomy: Anatomy, rng: np.random.Generator) -> None:
    """Fill the space below the diaphragm."""
    grid = canvas.grid
    low, high = [axis[0] for axis in grid.axes_mm], [axis[-1] + grid.step_mm for axis in grid.axes_mm]
    high[2] = min(high[2], max(anatomy.trunk.right_dome_mm, anatomy.trunk.left_dome_mm))
    whole = grid.box(low, high, WALL_MM)
    if whole is None:
        return
    for box in grid.parts(whole):
        _paint_liver(canvas, anatomy, box)
    _paint_bowel(canvas, rng)
    _paint_left_organs(canvas, rng)
    _paint_liver_veins(canvas, rng)


def _paint_liver(canvas: Canvas, anatomy: Anatomy, box: Box) -> None:
    """Abdominal fat, and the liver on the right of it."""
    grid = canvas.grid
    point, trunk = grid.warped(box), anatomy.trunk
    inner = trunk.half_depth_mm - trunk.fat_mm - WALL_MM
    radius = np.hypot(point[0] / (trunk.half_width_mm - trunk.fat_mm - WALL_MM), (point[1] - trunk.middle_mm) / inner)
    space = (radius - np.float32(1)) * np.float32(inner)
    np.maximum(space, gutter_mm(point) - point[1], out=space)
    np.maximum(space, point[2] - diaphragm_mm(point, trunk) + np.float32(DIAPHRAGM_MM), out=space)
    canvas.paint(box, space, tissues.MEDIASTINUM)
    edge = LIVER_LEFT_MM - LIVER_FRONT_SLOPE * (point[1] - trunk.middle_mm) - point[0]
    edge += np.float32(ROUGH_MM) * grid.roughness(box)
    liver = np.maximum(np.maximum(space, edge), LIVER_BOTTOM_MM - point[2])
    canvas.paint(box, liver + np.float32(1), tissues.LIVER)


def _paint_left_organs(canvas: Canvas, rng: np.random.Generator) -> None:
    spleen, stomach = rng.normal((SPLEEN[0], STOMACH[0]), UPPER_ORGAN_SPREAD_MM)
    content = Tissue(PhantomLabel.STOMACH, rng.uniform(*STOMACH_SIGNAL_RANGE))
    _paint_ellipsoid(canvas, spleen, SPLEEN[1], SPLEEN[2], tissues.SPLEEN)
    _paint_ellipsoid(canvas, stomach, STOMACH[1], STOMACH[2], tissues.STOMACH_WALL)
    _paint_ellipsoid(canvas, stomach, np.asarray(STOMACH[1]) - STOMACH_WALL_MM, STOMACH[2], content)
    for centre, semi in KIDNEYS:
        _paint_ellipsoid(canvas, centre, semi, KIDNEY_AXIS, tissues.KIDNEY)


def _paint_ellipsoid(canvas: Canvas, centre: ArrayLike, semi: ArrayLike, axis: ArrayLike, tissue: Tissue) -> None:
    middle, reach = np.asarray(centre, dtype=np.float64), float(np.max(semi))
    box = canvas.grid.box(middle - reach, middle + reach, ROUGH_MM)
    if box is None:
        return
    level = ellipsoid(canvas.grid.warped(box), middle, semi, axis_frame(axis))
    level = level + np.float32(ROUGH_MM) * canvas.grid.roughness(box)
    canvas.paint(box, level, tissue, only=(PhantomLabel.FAT, PhantomLabel.STOMACH))


def _paint_bowel(canvas: Canvas, rng: np.random.Generator) -> None:
    """Loops of random signal: the clutter of an upper abdomen."""
    for _ in range(BOWEL_COUNT):
        path = wandering_path(rng, BOWEL_LOW_MM, BOWEL_HIGH_MM, BOWEL_STEP_MM)
        found = tube(canvas.grid, path, rng.uniform(*BOWEL_RADIUS_MM_RANGE, len(path)))
        if found is not None:
            canvas.paint(*found, Tissue(PhantomLabel.BODY, rng.uniform(*BOWEL_SIGNAL_RANGE)), only=(PhantomLabel.FAT,))


def _paint_liver_veins(canvas: Canvas, rng: np.random.Generator) -> None:
    for _ in range(LIVER_VEINS):
        path = wandering_path(rng, LIVER_LOW_MM, LIVER_HIGH_MM, LIVER_STEP_MM)
        found = tube(canvas.grid, path, rng.uniform(*LIVER_VEIN_MM_RANGE, len(path)))
        if found is not None:
            canvas.paint(*found, tissues.LIVER_VEIN, only=(PhantomLabel.LIVER,))
