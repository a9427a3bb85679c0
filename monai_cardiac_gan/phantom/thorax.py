"""Body outline, chest wall, ribs and lungs."""

from __future__ import annotations

import numpy as np

from monai_cardiac_gan.phantom import tissues
from monai_cardiac_gan.phantom.anatomy import Anatomy, Trunk
from monai_cardiac_gan.phantom.canvas import Canvas
from monai_cardiac_gan.phantom.grid import Box, Point
from monai_cardiac_gan.phantom.labels import PhantomLabel

__all__ = ["diaphragm_mm", "gutter_mm", "paint_thorax"]

SKIN_MM = 2.0
SQUARENESS = 2.6  # exponent of the outline: 2 is an ellipse, infinity a rectangle; a lying chest is in between
LATERAL_WALL_EXTRA_MM = 12.0  # latissimus and serratus widen the wall at the sides
# The shoulders widen the outline above the arch and the lungs narrow to their tops.
SHOULDER_MM, APEX_LENGTH_MM = 90.0, 75.0
SHOULDER_GROWTH = 0.0012
NARROWEST = 0.95  # the lungs never close entirely: the neck begins there
# The chest wall's inner face beside the spine: it falls back from the front of the vertebra, steeply and then flat.
GUTTER_BOTTOM_MM, GUTTER_DEPTH_MM, GUTTER_HALF_WIDTH_MM, GUTTER_LENGTH_MM = -24.0, 61.0, 13.0, 22.0
GUTTER_STEEPNESS = 1.6  # millimetres backwards for one of distance, where it matters: beside the vertebra
PLEURA_MM = 0.7
# A rib runs downwards to the front, 26 mm above the next one, in the inner half of the wall.
RIB_PITCH_MM, RIB_SLOPE, RIB_HALF_HEIGHT_MM, RIB_HALF_THICKNESS_MM, RIB_DEPTH_MM = 26.0, 0.5, 6.0, 3.5, 6.0
INTERCOSTAL_MM = 1.3
LOWEST_RIB_MM = -110.0
# Domes of the diaphragm: centre, and fall of its surface per squared millimetre from there.
RIGHT_DOME_CENTRE_MM, LEFT_DOME_CENTRE_MM = (62.0, 45.0), (-68.0, 40.0)
DOME_FALL_PER_MM = 0.0065
CENTRAL_TENDON_MM = -38.0  # the heart rests on it
DENT_WIDTH_MM = 40.0  # the sternum's dent between the pectoral muscles


def paint_thorax(canvas: Canvas, anatomy: Anatomy) -> None:
    """Skin, fat, muscle, ribs and lungs over empty air; what is below the diaphragm is left as muscle."""
    for box in canvas.grid.parts(canvas.grid.everywhere):
        _paint_part(canvas, anatomy, box)


def _paint_part(canvas: Canvas, anatomy: Anatomy, box: Box) -> None:
    point, trunk = canvas.grid.warped(box), anatomy.trunk
    outline = _outline(point, trunk)
    canvas.paint(box, outline, tissues.SKIN)
    canvas.paint(box, outline + SKIN_MM, tissues.FAT)
    outline += SKIN_MM + trunk.fat_mm
    outline += canvas.grid.roughness(box)
    canvas.paint(box, outline, tissues.MUSCLE)
    cavity = _cavity(point, trunk, anatomy)
    _paint_ribs(canvas, box, point, cavity)
    np.maximum(cavity, diaphragm_mm(point, trunk) - point[2], out=cavity)
    canvas.paint(box, cavity - np.float32(PLEURA_MM), tissues.PLEURA)
    canvas.paint(box, cavity + np.float32(PLEURA_MM), tissues.LUNG)


def gutter_mm(point: Point) -> np.ndarray:
    """How far forwards spine and back muscles reach, at each position."""
    beside = np.clip(np.abs(point[0]) - GUTTER_HALF_WIDTH_MM, 0, None)
    return GUTTER_BOTTOM_MM + GUTTER_DEPTH_MM * np.exp(-beside / np.float32(GUTTER_LENGTH_MM))


def diaphragm_mm(point: Point, trunk: Trunk) -> np.ndarray:
    """Height of the diaphragm above each position."""
    domes = [
        top - DOME_FALL_PER_MM * (np.square(point[0] - x) + np.square(point[1] - y))
        for top, (x, y) in (
            (trunk.right_dome_mm, RIGHT_DOME_CENTRE_MM),
            (trunk.left_dome_mm, LEFT_DOME_CENTRE_MM),
        )
    ]
    middle = CENTRAL_TENDON_MM - DOME_FALL_PER_MM * np.square(point[1] - LEFT_DOME_CENTRE_MM[1])
    return np.maximum(np.maximum(*domes), middle)


def _superellipse(
    point: Point, half_width_mm: np.ndarray | float, half_depth_mm: float, middle_mm: float
) -> np.ndarray:
    across, along = np.abs(point[0] / half_width_mm), np.abs((point[1] - middle_mm) / half_depth_mm)
    radius = (across**SQUARENESS + along**SQUARENESS) ** np.float32(1 / SQUARENESS)
    return (radius - np.float32(1)) * np.float32(half_depth_mm)


def _outline(point: Point, trunk: Trunk) -> np.ndarray:
    widening = 1 + SHOULDER_GROWTH * np.clip(point[2], 0, SHOULDER_MM)
    level = _superellipse(point, trunk.half_width_mm * widening, trunk.half_depth_mm, trunk.middle_mm)
    dent = trunk.sternum_dent_mm * np.exp(-np.square(point[0] / DENT_WIDTH_MM))
    level += dent * (point[1] > trunk.middle_mm)
    return level


def _cavity(point: Point, trunk: Trunk, anatomy: Anatomy) -> np.ndarray:
    """Distance to the space inside the ribs, the spine and what lies behind it left out."""
    above = np.clip((point[2] - SHOULDER_MM) / APEX_LENGTH_MM, 0, NARROWEST)
    half_width = (trunk.half_width_mm - trunk.wall_mm - trunk.fat_mm - LATERAL_WALL_EXTRA_MM) * np.sqrt(1 - above**2)
    level = _superellipse(point, half_width, trunk.half_depth_mm - trunk.wall_mm - trunk.fat_mm, trunk.middle_mm)
    gutter = gutter_mm(point) - point[1]
    gutter += anatomy.spine.kyphosis_per_mm * np.square(point[2] - anatomy.spine.apex_mm)
    return np.maximum(level, gutter / np.float32(GUTTER_STEEPNESS), out=level)


def _paint_ribs(canvas: Canvas, box: Box, point: Point, cavity: np.ndarray) -> None:
    turn = (point[2] + RIB_SLOPE * point[1]) / RIB_PITCH_MM
    height = np.abs(turn - np.floor(turn) - np.float32(0.5)) * RIB_PITCH_MM
    depth = np.abs(cavity - RIB_DEPTH_MM)
    level = np.hypot(height / RIB_HALF_HEIGHT_MM, depth / RIB_HALF_THICKNESS_MM) - np.float32(1)
    level *= RIB_HALF_THICKNESS_MM
    level[point[2] < LOWEST_RIB_MM] = RIB_PITCH_MM
    canvas.paint(box, level, tissues.RIB, only=(PhantomLabel.BODY,))
    vessel = np.hypot(height - RIB_HALF_HEIGHT_MM, depth + INTERCOSTAL_MM) - np.float32(INTERCOSTAL_MM)
    canvas.paint(box, vessel, tissues.INTERCOSTAL, only=(PhantomLabel.BODY,))
