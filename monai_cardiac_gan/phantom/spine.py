"""Vertebral bodies, discs, arches and the spinal canal with its cord."""

from __future__ import annotations

import numpy as np

from monai_cardiac_gan.phantom import tissues
from monai_cardiac_gan.phantom.anatomy import Anatomy
from monai_cardiac_gan.phantom.canvas import Canvas
from monai_cardiac_gan.phantom.course import VERTEBRA_DEPTH_MM, VERTEBRA_SEMI_MM
from monai_cardiac_gan.phantom.grid import Box, Point
from monai_cardiac_gan.phantom.labels import PhantomLabel

__all__ = ["paint_spine"]

# Mid-thoracic vertebrae repeat every 24 mm, of which the disc takes 5 mm.
VERTEBRA_PITCH_MM, DISC_HALF_MM = 24.0, 2.6
WAIST_MM = 1.6  # vertebral bodies are narrower in the middle
CANAL_SEMI_MM, CORD_SEMI_MM = (7.8, 6.6), (4.6, 3.6)
ARCH_MM = 4.5  # bone around the canal
SPINOUS_HALF_WIDTH_MM, SPINOUS_END_MM, SPINOUS_SLOPE = 2.8, -42.0, 0.7
TRANSVERSE_END_MM, TRANSVERSE_SLOPE, TRANSVERSE_HALF_MM = 36.0, 0.45, 4.5
VEIN_RADIUS_MM = 2.2  # basivertebral vein, at mid-height behind
SPINE_LOW_MM, SPINE_HIGH_MM = (-48.0, -56.0), (48.0, 42.0)
KYPHOSIS_MARGIN_MM = 16.0


def paint_spine(canvas: Canvas, anatomy: Anatomy) -> None:
    """The spine, undeformed so that the aorta keeps its distance from it."""
    z = canvas.grid.axes_mm[2]
    box = canvas.grid.box((*SPINE_LOW_MM, z[0]), (*SPINE_HIGH_MM, z[-1] + canvas.grid.step_mm), KYPHOSIS_MARGIN_MM)
    for part in canvas.grid.parts(box) if box else ():
        _paint_part(canvas, anatomy, part)


def _paint_part(canvas: Canvas, anatomy: Anatomy, box: Box) -> None:
    z = canvas.grid.axes_mm[2]
    offset = anatomy.spine.offset_mm(z[box[2]]).astype(np.float32)
    x, y, z = canvas.grid.straight(box)
    point = (x - offset[None, None, :, 0], y - offset[None, None, :, 1], z)
    phase = z / VERTEBRA_PITCH_MM - np.floor(z / VERTEBRA_PITCH_MM) - np.float32(0.5)
    from_middle = np.abs(phase) * VERTEBRA_PITCH_MM
    _paint_processes(canvas, box, point, from_middle)
    _paint_bodies(canvas, box, point, from_middle)
    ring = _cylinder(point, (0.0, 0.0), CANAL_SEMI_MM)
    rough = canvas.grid.roughness(box)
    canvas.paint(box, np.where(from_middle < VERTEBRA_PITCH_MM / 3, ring - ARCH_MM, ring - ARCH_MM / 3), tissues.CORTEX)
    canvas.paint(box, ring + np.float32(0.6) * rough, tissues.FLUID)
    canvas.paint(box, _cylinder(point, (0.0, 0.5), CORD_SEMI_MM), tissues.CORD)


def _cylinder(point: Point, centre_mm: tuple[float, float], semi_mm: tuple[float, float]) -> np.ndarray:
    radius = np.hypot((point[0] - centre_mm[0]) / semi_mm[0], (point[1] - centre_mm[1]) / semi_mm[1])
    return (radius - np.float32(1)) * np.float32(min(semi_mm))


def _paint_bodies(canvas: Canvas, box: Box, point: Point, from_middle: np.ndarray) -> None:
    body = _cylinder(point, (0.0, VERTEBRA_DEPTH_MM), VERTEBRA_SEMI_MM)
    waist = WAIST_MM * np.square(1 - 2 * from_middle / VERTEBRA_PITCH_MM)
    body = body + waist + np.float32(0.5) * canvas.grid.roughness(box)
    to_disc = VERTEBRA_PITCH_MM / 2 - DISC_HALF_MM - from_middle
    canvas.paint(box, body - 1, tissues.CORTEX)
    canvas.paint(box, body + 1, tissues.VERTEBRA)
    canvas.paint(box, np.maximum(body, np.abs(to_disc) - 1), tissues.CORTEX)
    canvas.paint(box, np.maximum(body, to_disc), tissues.DISC)
    behind = VERTEBRA_DEPTH_MM - VERTEBRA_SEMI_MM[1] / 2
    vein = np.hypot(np.hypot(point[0] / 2, point[1] - behind), from_middle) - np.float32(VEIN_RADIUS_MM)
    canvas.paint(box, vein, tissues.BONE_VEIN)


def _paint_processes(canvas: Canvas, box: Box, point: Point, from_middle: np.ndarray) -> None:
    """Spinous process along the midline backwards and down, transverse processes to both sides backwards."""
    x, y, z = point
    shifted = (z - SPINOUS_SLOPE * y) / VERTEBRA_PITCH_MM
    down = np.abs(shifted - np.floor(shifted) - np.float32(0.5)) * VERTEBRA_PITCH_MM
    spinous = np.maximum(np.abs(x) - SPINOUS_HALF_WIDTH_MM, np.maximum(SPINOUS_END_MM - y, y + CANAL_SEMI_MM[1]))
    spinous = np.maximum(spinous, down - VERTEBRA_PITCH_MM / 3)
    canvas.paint(box, spinous, tissues.CORTEX, only=(PhantomLabel.BODY,))
    across = np.abs(y + CANAL_SEMI_MM[1] / 2 + TRANSVERSE_SLOPE * (np.abs(x) - CANAL_SEMI_MM[0]))
    transverse = np.maximum(np.hypot(across, from_middle) - TRANSVERSE_HALF_MM, np.abs(x) - TRANSVERSE_END_MM)
    canvas.paint(box, transverse, tissues.CORTEX, only=(PhantomLabel.BODY,))
