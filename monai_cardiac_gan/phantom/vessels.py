"""Great vessels, lung vessels, airways and oesophagus, and last of all the descending aorta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from monai_cardiac_gan.phantom import tissues
from monai_cardiac_gan.phantom.anatomy import Anatomy
from monai_cardiac_gan.phantom.canvas import Canvas, Tissue
from monai_cardiac_gan.phantom.shapes import smooth_path, tube

__all__ = ["paint_aorta", "paint_great_vessels"]


@dataclass(frozen=True)
class Vessel:
    """A tube of the mean subject: points and a radius at the first and last of them, in millimetres."""

    points_mm: tuple[tuple[float, float, float], ...]
    first_radius_mm: float
    last_radius_mm: float
    tissue: Tissue
    wall_mm: float = 1.4


# Courses placed on axial slices of whole-heart volumes; radii are half the usual adult calibres (pulmonary trunk
# 25 mm, superior vena cava 18 mm, inferior vena cava 22 mm, pulmonary veins 12 mm, trachea 17 mm).
LUNG_SIDE = (
    Vessel(((6, 36, 170), (4, 36, 110), (2, 33, 76)), 8.0, 7.5, tissues.AIRWAY),
    Vessel(((2, 33, 76), (-22, 30, 62), (-48, 26, 46)), 6.0, 4.0, tissues.AIRWAY),
    Vessel(((2, 33, 76), (22, 30, 62), (46, 26, 40)), 6.5, 4.0, tissues.AIRWAY),
)
HEART_SIDE = (
    Vessel(((-40, 50, 34), (-60, 50, 42), (-82, 54, 52)), 7.5, 4.0, tissues.PULMONARY_VESSEL),
    Vessel(((-42, 52, 18), (-62, 42, 12), (-80, 24, 0)), 7.0, 4.0, tissues.PULMONARY_VESSEL),
    Vessel(((4, 53, 30), (34, 56, 36), (62, 68, 48)), 7.5, 4.0, tissues.PULMONARY_VESSEL),
    Vessel(((4, 51, 14), (34, 40, 8), (60, 20, -4)), 7.5, 4.0, tissues.PULMONARY_VESSEL),
    Vessel(((-24, 64, 68), (-2, 47, 66), (26, 43, 62), (54, 40, 52)), 11.0, 7.0, tissues.PULMONARY_VESSEL),
    Vessel(((-28, 66, 68), (-44, 50, 74), (-60, 34, 70), (-72, 24, 52)), 11.0, 7.0, tissues.PULMONARY_VESSEL),
    Vessel(((-30, 94, 14), (-37, 95, 36), (-36, 84, 54), (-26, 66, 68)), 13.0, 12.0, tissues.PULMONARY_VESSEL),
    Vessel(((16, 54, -8), (20, 46, -38), (21, 40, -80), (20, 38, -180)), 11.5, 10.5, tissues.VENA_CAVA),
    Vessel(((19, 62, 18), (22, 58, 50), (23, 55, 85), (22, 58, 112)), 9.5, 8.0, tissues.VENA_CAVA),
    Vessel(((22, 58, 112), (36, 54, 130), (70, 52, 150)), 7.5, 6.5, tissues.VENA_CAVA),
    Vessel(((22, 58, 112), (-8, 76, 122), (-44, 64, 136), (-90, 58, 150)), 7.0, 6.0, tissues.VENA_CAVA),
)
AZYGOS = Vessel(((9, 38, 96), (8, 37, 40), (7, 38, -40), (6, 38, -150)), 3.2, 2.4, tissues.VEIN, 0.8)
MAMMARY = (
    Vessel(((-16, 116, 140), (-20, 114, 40), (-22, 112, -60)), 1.6, 1.2, tissues.VEIN, 0.0),
    Vessel(((16, 116, 140), (20, 114, 40), (22, 112, -60)), 1.6, 1.2, tissues.VEIN, 0.0),
)
OESOPHAGUS_POINTS_MM = ((-3, 40, 170), (-5, 40, 70), (-8, 41, 20), (-11, 46, -30), (-28, 60, -62))
OESOPHAGUS_RADIUS_MM, OESOPHAGUS_LINING_MM = 5.5, 2.2
BLOOD_LIKE = 0.7  # signal above this is blood
PATH_SEGMENT_MM = 7.0  # short enough that a bend looks round

# Ascending aorta and arch, from the end of the descending aorta back to the left ventricle.
ARCH_TOP_RISE_MM = 25.0
ARCH_ASCENDING_MM = ((-4.0, 69.0, 86.0), (-3.0, 72.0, 60.0), (-12.0, 75.0, 38.0), (-27.0, 69.0, 18.0))
ASCENDING_EXTRA_MM = 2.5  # the ascending aorta's radius exceeds the descending one's (Erbel et al. 2014)
ARCH_STEPS = 28
AORTIC_WALL_MM = 1.6
BRANCH_ENDS_MM = (
    ((4, 50, 142), (16, 44, 170), 6.0),
    ((-14, 44, 140), (-16, 42, 172), 4.2),
    ((-28, 34, 142), (-52, 34, 166), 5.0),
)
BRANCH_PLACES = (0.42, 0.33, 0.24)  # along the arch, from the descending end


def paint_great_vessels(canvas: Canvas, anatomy: Anatomy) -> None:
    """Airways, oesophagus, pulmonary vessels and caval veins, which follow the heart's pose."""
    for vessel in (*LUNG_SIDE, *HEART_SIDE, AZYGOS):
        _paint_vessel(canvas, vessel, anatomy.heart.place(vessel.points_mm))
    for vessel in MAMMARY:
        _paint_vessel(canvas, vessel, np.asarray(vessel.points_mm))
    course = np.asarray(OESOPHAGUS_POINTS_MM, dtype=np.float64)
    course[:, :2] += anatomy.spine.offset_mm(course[:, 2])
    path = _smooth(course)
    for radius, tissue in (
        (OESOPHAGUS_RADIUS_MM, tissues.OESOPHAGUS),
        (OESOPHAGUS_LINING_MM, tissues.OESOPHAGUS_LINING),
    ):
        _paint_tube(canvas, path, np.full(len(path), radius), tissue)


def paint_aorta(canvas: Canvas, anatomy: Anatomy) -> None:
    """Arch with its branches, then the descending aorta over everything else, slice by slice and undeformed."""
    arch = arch_path_mm(anatomy)
    radius = anatomy.aorta.diameters_mm(np.array([anatomy.aorta.top_mm]))[0] / 2
    radii = radius + ASCENDING_EXTRA_MM * np.linspace(0, 1, len(arch))
    for place, (middle, end, branch) in zip(BRANCH_PLACES, BRANCH_ENDS_MM, strict=True):
        path = _smooth([arch[int(place * len(arch))], middle, end])
        _paint_tube(canvas, path, np.full(len(path), branch), tissues.ASCENDING_AORTA, AORTIC_WALL_MM / 2, warped=False)
    _paint_tube(canvas, arch, radii, tissues.ASCENDING_AORTA, AORTIC_WALL_MM, warped=False)
    _paint_descending(canvas, anatomy)


def arch_path_mm(anatomy: Anatomy) -> np.ndarray:
    """Centre line of arch and ascending aorta (n, 3); it starts where the descending aorta ends, straight up."""
    top = np.array([anatomy.aorta.top_mm])
    start = np.append(anatomy.aorta.centres_mm(top)[0], top)
    ascending = np.asarray(ARCH_ASCENDING_MM)
    ascending[1:] = anatomy.heart.place(ascending[1:])
    crest = (start + ascending[0]) / 2
    crest[2] = max(start[2], ascending[0, 2]) + ARCH_TOP_RISE_MM
    return smooth_path(np.stack([start, crest, *ascending]), ARCH_STEPS, start_direction=np.array([0.0, 0.0, 1.0]))


def _paint_descending(canvas: Canvas, anatomy: Anatomy) -> None:
    aorta, grid = anatomy.aorta, canvas.grid
    heights = grid.axes_mm[2][grid.axes_mm[2] <= aorta.top_mm].astype(np.float64)
    if not len(heights):
        return
    reach = aorta.diameters_mm(np.append(heights, aorta.top_mm)).max() + AORTIC_WALL_MM
    centres = aorta.centres_mm(heights)
    low, high = centres.min(0) - reach, centres.max(0) + reach
    box = grid.box((*low, heights[0]), (*high, heights[-1] + grid.step_mm / 2))
    if box is None:
        return
    box = (box[0], box[1], slice(0, len(heights)))
    x, y, _ = grid.straight(box)
    away = np.hypot(x - centres[None, None, :, 0], y - centres[None, None, :, 1]).astype(np.float32)
    level = away - (aorta.diameters_mm(heights) / 2).astype(np.float32)
    canvas.paint(box, level - np.float32(AORTIC_WALL_MM), tissues.VESSEL_WALL)
    canvas.paint(box, level, tissues.DESCENDING_AORTA)


def _paint_vessel(canvas: Canvas, vessel: Vessel, points_mm: np.ndarray) -> None:
    path = _smooth(points_mm)
    radii = np.linspace(vessel.first_radius_mm, vessel.last_radius_mm, len(path))
    _paint_tube(canvas, path, radii, vessel.tissue, vessel.wall_mm)


def _smooth(points_mm: ArrayLike) -> np.ndarray:
    length = np.linalg.norm(np.diff(np.asarray(points_mm, dtype=np.float64), axis=0), axis=1).sum()
    return smooth_path(points_mm, max(2, round(length / PATH_SEGMENT_MM)))


def _paint_tube(
    canvas: Canvas, path: np.ndarray, radii: np.ndarray, tissue: Tissue, wall_mm: float = 0.0, *, warped: bool = True
) -> None:
    found = tube(canvas.grid, path, radii, wall_mm=wall_mm, warped=warped)
    if found is None:
        return
    box, level = found
    if wall_mm:
        # Where a vessel opens into a chamber of blood there is no wall to paint.
        bright = canvas.signal[box] > BLOOD_LIKE
        canvas.paint(box, np.where(bright, level, level - np.float32(wall_mm)), tissues.VESSEL_WALL)
    canvas.paint(box, level, tissue)
