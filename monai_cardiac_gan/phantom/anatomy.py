"""The numbers that make one subject: size, pose and proportions, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from monai_cardiac_gan.phantom.course import AortaCourse, SpineCurve, draw_aorta_course, draw_aorta_diameter

__all__ = ["Anatomy", "HeartPose", "Trunk", "draw_anatomy"]

# Adults differ in size by about 6 % (standard deviation of stature); more than three deviations would be a child.
SCALE_STD, SCALE_RANGE = 0.06, (0.85, 1.15)
KYPHOSIS_PER_MM_RANGE = (0.0004, 0.0011)
SPINE_APEX_MM_RANGE = (10.0, 60.0)
SWAY_STD_MM = 2.0
HEART_PIVOT_MM = (-25.0, 68.0, 0.0)
HEART_TURN_STD_DEGREE = (4.0, 4.0, 8.0)
HEART_SHIFT_STD_MM = (3.5, 2.5, 4.0)
HEART_SIZE_STD, HEART_SIZE_RANGE = 0.06, (0.85, 1.15)
WALL_MM_RANGE = (8.0, 12.0)  # left-ventricular wall in diastole
# Outer chest of a lying adult, estimated by eye from axial slices of real volumes; heights are those of expiration,
# when gated scans are taken.
HALF_WIDTH_MM_RANGE, HALF_DEPTH_MM_RANGE, MIDDLE_MM_RANGE = (158.0, 185.0), (93.0, 110.0), (36.0, 44.0)
FAT_MM_RANGE, CHEST_WALL_MM_RANGE, STERNUM_DENT_MM_RANGE = (5.0, 18.0), (20.0, 27.0), (2.0, 14.0)
RIGHT_DOME_MM_RANGE, LEFT_DOME_MM_RANGE = (-14.0, 6.0), (-34.0, -14.0)


@dataclass(frozen=True)
class HeartPose:
    """How the subject's heart departs from the mean heart.

    Attributes:
        rotation: (3, 3) turn about `HEART_PIVOT_MM`.
        shift_mm: (3,) shift.
        size: factor on all lengths.
    """

    rotation: np.ndarray
    shift_mm: np.ndarray
    size: float

    def place(self, points_mm: ArrayLike) -> np.ndarray:
        """Carry points (n, 3) of the mean heart to the subject's."""
        offset = np.asarray(points_mm, dtype=np.float64) - HEART_PIVOT_MM
        return self.size * offset @ self.rotation.T + HEART_PIVOT_MM + self.shift_mm


@dataclass(frozen=True)
class Trunk:
    """Outer shape of the chest and the height of the diaphragm, in millimetres of the anatomical frame."""

    half_width_mm: float
    half_depth_mm: float
    middle_mm: float
    fat_mm: float
    wall_mm: float
    sternum_dent_mm: float
    right_dome_mm: float
    left_dome_mm: float


@dataclass(frozen=True)
class Anatomy:
    """One subject.

    Lengths are in the anatomical frame, which is `scale` times smaller or larger than the patient.

    Attributes:
        scale: patient millimetres per frame millimetre.
        spine: the spine's curve.
        aorta: the descending aorta.
        heart: the heart's pose.
        heart_wall_mm: thickness of the left-ventricular wall.
        trunk: chest and diaphragm.
    """

    scale: float
    spine: SpineCurve
    aorta: AortaCourse
    heart: HeartPose
    heart_wall_mm: float
    trunk: Trunk


def draw_anatomy(rng: np.random.Generator, aorta_diameter_mm: float | None = None) -> Anatomy:
    """A subject; the aorta's diameter is in patient millimetres at the level of the four chambers.

    Example:
        >>> anatomy = draw_anatomy(np.random.default_rng(0), aorta_diameter_mm=24.0)
        >>> round(anatomy.aorta.diameter_mm * anatomy.scale, 6)
        24.0
    """
    diameter = draw_aorta_diameter(rng) if aorta_diameter_mm is None else aorta_diameter_mm
    scale = float(np.clip(rng.normal(1, SCALE_STD), *SCALE_RANGE))
    spine = SpineCurve(
        kyphosis_per_mm=rng.uniform(*KYPHOSIS_PER_MM_RANGE),
        apex_mm=rng.uniform(*SPINE_APEX_MM_RANGE),
        sway_mm=rng.normal(0, SWAY_STD_MM),
        sway_phase=rng.uniform(0, 2 * np.pi),
    )
    return Anatomy(
        scale=scale,
        spine=spine,
        aorta=draw_aorta_course(rng, spine, diameter / scale),
        heart=_draw_heart_pose(rng),
        heart_wall_mm=rng.uniform(*WALL_MM_RANGE),
        trunk=_draw_trunk(rng),
    )


def _draw_heart_pose(rng: np.random.Generator) -> HeartPose:
    turn = Rotation.from_euler("xyz", rng.normal(0, HEART_TURN_STD_DEGREE), degrees=True)
    size = float(np.clip(rng.normal(1, HEART_SIZE_STD), *HEART_SIZE_RANGE))
    return HeartPose(turn.as_matrix(), rng.normal(0, HEART_SHIFT_STD_MM), size)


def _draw_trunk(rng: np.random.Generator) -> Trunk:
    return Trunk(
        half_width_mm=rng.uniform(*HALF_WIDTH_MM_RANGE),
        half_depth_mm=rng.uniform(*HALF_DEPTH_MM_RANGE),
        middle_mm=rng.uniform(*MIDDLE_MM_RANGE),
        fat_mm=rng.uniform(*FAT_MM_RANGE),
        wall_mm=rng.uniform(*CHEST_WALL_MM_RANGE),
        sternum_dent_mm=rng.uniform(*STERNUM_DENT_MM_RANGE),
        right_dome_mm=rng.uniform(*RIGHT_DOME_MM_RANGE),
        left_dome_mm=rng.uniform(*LEFT_DOME_MM_RANGE),
    )
