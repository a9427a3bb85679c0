"""The four chambers with their walls, and the fat and pericardium that wrap them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.phantom import tissues
from monai_cardiac_gan.phantom.anatomy import Anatomy, HeartPose
from monai_cardiac_gan.phantom.canvas import Canvas, Tissue
from monai_cardiac_gan.phantom.course import VERTEBRA_DEPTH_MM, VERTEBRA_SEMI_MM
from monai_cardiac_gan.phantom.grid import Box, Grid
from monai_cardiac_gan.phantom.labels import PhantomLabel
from monai_cardiac_gan.phantom.shapes import axis_frame, ellipsoid

__all__ = ["paint_heart"]


@dataclass(frozen=True)
class Chamber:
    """An ellipsoid of the mean heart: centre, semi-axes and direction of the first one, in millimetres."""

    centre_mm: tuple[float, float, float]
    semi_mm: tuple[float, float, float]
    axis: tuple[float, float, float]


# Placed on four-chamber, two-chamber and short-axis sections of whole-heart volumes; sizes are those of a diastolic
# adult heart (cavity of the left ventricle about 90 mm long and 46 mm wide: Kawel-Boehm et al. 2015).
VENTRICLE_AXIS = (-0.80, 0.33, -0.50)
LEFT_VENTRICLE = Chamber((-58.0, 70.0, -5.0), (43.0, 23.0, 23.0), VENTRICLE_AXIS)
RIGHT_VENTRICLE = Chamber((-22.0, 90.0, -10.0), (46.0, 22.0, 32.0), (-0.86, 0.30, -0.38))
RIGHT_ATRIUM = Chamber((18.0, 71.0, 2.0), (33.0, 24.0, 26.0), (0.15, -0.10, 1.0))
LEFT_ATRIUM = Chamber((-17.0, 54.0, 17.0), (36.0, 17.0, 29.0), (1.0, 0.12, 0.05))
LEFT_APPENDAGE = Chamber((-52.0, 68.0, 32.0), (17.0, 9.0, 8.0), (-0.4, 0.9, 0.2))
RIGHT_APPENDAGE = Chamber((6.0, 92.0, 24.0), (20.0, 10.0, 13.0), (-0.7, 0.6, 0.4))
PAPILLARY = (
    Chamber((-74.0, 88.0, -4.0), (15.0, 4.5, 5.0), VENTRICLE_AXIS),
    Chamber((-76.0, 64.0, -20.0), (15.0, 5.0, 4.5), VENTRICLE_AXIS),
    Chamber((-48.0, 96.0, -20.0), (14.0, 3.0, 3.0), VENTRICLE_AXIS),
)

HEART_LOW_MM, HEART_HIGH_MM = (-125.0, 18.0, -62.0), (62.0, 122.0, 66.0)
THIN_WALL_MM = 1.8  # atria and right ventricle
FAT_MM = 5.0  # epicardial fat
PERICARDIUM_MM = 1.3
TRABECULA_MM, SMOOTH_MM = 1.9, 0.8  # roughness of ventricular and atrial surfaces
CLEARANCE_MM = 1.0  # the heart yields to aorta and spine, not the other way round


def paint_heart(canvas: Canvas, anatomy: Anatomy) -> None:
    """Pericardium, fat, walls and lumens, in the order in which they cover each other."""
    whole = canvas.grid.box(HEART_LOW_MM, HEART_HIGH_MM)
    for box in canvas.grid.parts(whole) if whole else ():
        _paint_part(canvas, anatomy, box)


def _paint_part(canvas: Canvas, anatomy: Anatomy, box: Box) -> None:
    clear = _clearance(canvas.grid, box, anatomy)
    rough = canvas.grid.roughness(box)

    def level(chamber: Chamber, uneven_mm: float = SMOOTH_MM) -> np.ndarray:
        return np.maximum(_distance(canvas.grid, box, chamber, anatomy.heart) + np.float32(uneven_mm) * rough, clear)

    left, right = level(LEFT_VENTRICLE, TRABECULA_MM), level(RIGHT_VENTRICLE, TRABECULA_MM)
    muscle = np.maximum(level(LEFT_VENTRICLE) - np.float32(anatomy.heart_wall_mm), clear)
    right_atrium = np.minimum(level(RIGHT_ATRIUM), level(RIGHT_APPENDAGE, TRABECULA_MM))
    left_atrium = np.minimum(level(LEFT_ATRIUM), level(LEFT_APPENDAGE, TRABECULA_MM))
    heart = np.minimum(np.minimum(muscle, right), np.minimum(right_atrium, left_atrium))
    canvas.paint(box, np.maximum(heart - FAT_MM - PERICARDIUM_MM, clear), tissues.PERICARDIUM)
    canvas.paint(box, np.maximum(heart - FAT_MM, clear), tissues.MEDIASTINUM)
    _paint_lumen(canvas, box, right, clear, tissues.RIGHT_VENTRICLE)
    canvas.paint(box, muscle, tissues.MYOCARDIUM)
    # The valves are open to the eye: an atrium has no wall towards its ventricle.
    _paint_lumen(canvas, box, right_atrium, clear, tissues.RIGHT_ATRIUM, open_to=PhantomLabel.RIGHT_VENTRICLE)
    _paint_lumen(canvas, box, left_atrium, clear, tissues.LEFT_ATRIUM)
    canvas.paint(box, left, tissues.LEFT_VENTRICLE)
    for papillary in PAPILLARY:
        canvas.paint(box, level(papillary, TRABECULA_MM), tissues.MYOCARDIUM)


def _paint_lumen(
    canvas: Canvas,
    box: Box,
    lumen: np.ndarray,
    clear: np.ndarray,
    tissue: Tissue,
    open_to: PhantomLabel | None = None,
) -> None:
    wall = np.maximum(lumen - np.float32(THIN_WALL_MM), clear)
    if open_to is not None:
        wall = np.where(canvas.labels[box] == open_to, np.maximum(wall, lumen), wall)
    canvas.paint(box, wall, tissues.THIN_WALL)
    canvas.paint(box, lumen, tissue)


def _distance(grid: Grid, box: Box, chamber: Chamber, pose: HeartPose) -> np.ndarray:
    frame = axis_frame(chamber.axis) @ pose.rotation.T
    semi = pose.size * np.asarray(chamber.semi_mm)
    return ellipsoid(grid.warped(box), pose.place(chamber.centre_mm), semi, frame)


def _clearance(grid: Grid, box: Box, anatomy: Anatomy) -> np.ndarray:
    """Positive, in millimetres, where the descending aorta, the spine and all behind them leave the heart no room."""
    x, y, z = grid.straight(box)
    heights = z.ravel()
    centre = anatomy.aorta.centres_mm(heights).astype(np.float32)
    radius = anatomy.aorta.diameters_mm(heights).astype(np.float32) / 2 + np.float32(CLEARANCE_MM)
    aorta = radius - np.hypot(x - centre[:, 0], y - centre[:, 1])
    middle = anatomy.spine.offset_mm(heights).astype(np.float32)
    across = (x - middle[:, 0]) / np.float32(VERTEBRA_SEMI_MM[0] + CLEARANCE_MM)
    along = (y - middle[:, 1] - VERTEBRA_DEPTH_MM) / np.float32(VERTEBRA_SEMI_MM[1] + CLEARANCE_MM)
    spine = (1 - np.hypot(across, along)) * np.float32(VERTEBRA_SEMI_MM[1])
    # Behind the aorta there is lung; farther to the side the ventricle may reach back again.
    behind = centre[:, 1] - y - np.maximum(np.abs(x - centre[:, 0]) - radius, 0)
    return np.maximum(np.maximum(aorta, spine), behind)
