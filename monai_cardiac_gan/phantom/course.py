"""The descending aorta's centre line and width, the one part of the phantom whose geometry is known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

__all__ = [
    "AORTA_MAXIMUM_MM",
    "AORTA_MEAN_MM",
    "AORTA_MINIMUM_MM",
    "AORTA_STD_MM",
    "AortaCourse",
    "Dilation",
    "SpineCurve",
    "draw_aorta_course",
    "draw_aorta_diameter",
]

# Diameter of the descending thoracic aorta in adults: 24 to 26 mm on average, normal up to about 30 mm (Erbel et al.
# 2014, ESC guidelines on aortic diseases). Narrower ones are adolescents', wider ones are dilated.
AORTA_MEAN_MM, AORTA_STD_MM = 24.0, 3.5
AORTA_MINIMUM_MM, AORTA_MAXIMUM_MM = 16.0, 38.0
# The aorta loses 3 to 5 mm between the arch and the diaphragm, about 200 mm below (same source).
TAPER_PER_MM_RANGE = (0.0005, 0.0010)
# The arch leaves the straight course near the fourth thoracic vertebra, two vertebrae above the valves.
ARCH_HEIGHT_MM, ARCH_HEIGHT_STD_MM = 88.0, 5.0

VERTEBRA_DEPTH_MM = 20.0  # centre of the vertebral body in front of the middle of the canal
VERTEBRA_SEMI_MM = (17.5, 15.0)  # half width and half depth of a mid-thoracic vertebral body
# Where the aorta lies around the vertebral body: 0 degrees is straight left, 90 degrees straight in front. It comes off
# the arch on the left and reaches the midline at the aortic hiatus.
ANGLE_HEIGHTS_MM = (-170.0, -90.0, 0.0, 80.0, 130.0)
ANGLES_DEGREE = (74.0, 52.0, 27.0, 14.0, 10.0)
ANGLE_SHIFT_STD_DEGREE, ANGLE_STEP_STD_DEGREE = 8.0, 3.0
GAP_MM_RANGE = (1.0, 4.0)  # wall and connective tissue between lumen and bone


@dataclass(frozen=True)
class SpineCurve:
    """Kyphosis and a slight scoliosis: how far the spine departs from a straight line, to the right and forwards.

    Attributes:
        kyphosis_per_mm: forward bend, half the curvature.
        apex_mm: height of the hindmost vertebra.
        sway_mm: sideways amplitude.
        sway_phase: place of the sway along the spine in radians.
    """

    kyphosis_per_mm: float
    apex_mm: float
    sway_mm: float
    sway_phase: float

    def offset_mm(self, height_mm: np.ndarray) -> np.ndarray:
        """Departure at each height (n,), (n, 2)."""
        sideways = self.sway_mm * np.sin(height_mm / SWAY_LENGTH_MM + self.sway_phase)
        return np.stack([sideways, self.kyphosis_per_mm * np.square(height_mm - self.apex_mm)], axis=-1)


SWAY_LENGTH_MM = 60.0  # one full swing over the length of the thoracic spine


FULL_WIDTH_STD = 2 * np.sqrt(2 * np.log(2))  # of a Gaussian, at half of its height: 2.355 standard deviations


@dataclass(frozen=True)
class Dilation:
    """A stretch that is wider than the rest of the vessel, or narrower, with smooth ends (a Gaussian along the vessel).

    Attributes:
        factor: of the diameter, in the stretch's middle.
        height_mm: of the middle, in the frame's millimetres.
        length_mm: over which at least half of the widening is seen.
    """

    factor: float
    height_mm: float
    length_mm: float

    def factors(self, height_mm: np.ndarray) -> np.ndarray:
        """Factor of the diameter at each height (n,).

        Example:
            >>> Dilation(1.5, height_mm=10.0, length_mm=40.0).factors(np.array([10.0, 30.0])).round(6).tolist()
            [1.5, 1.25]
        """
        away = (height_mm - self.height_mm) * FULL_WIDTH_STD / self.length_mm
        return 1 + (self.factor - 1) * np.exp(-np.square(away) / 2)


@dataclass(frozen=True)
class AortaCourse:
    """Centre and diameter of the descending aorta at any height, a circle in every axial plane.

    The vessel keeps its distance from the vertebral body, so that where it is wider its centre lies farther from the bone.

    Attributes:
        diameter_mm: at the level of the four chambers.
        taper_per_mm: share of the diameter lost per millimetre downwards.
        top_mm: height at which the arch takes over.
        angles_degree: place around the vertebral body at `ANGLE_HEIGHTS_MM`.
        gap_mm: between lumen and vertebral body.
        spine: the spine that it follows.
        dilation: a stretch of another width; None without one.
    """

    diameter_mm: float
    taper_per_mm: float
    top_mm: float
    angles_degree: tuple[float, ...]
    gap_mm: float
    spine: SpineCurve
    dilation: Dilation | None = None

    def diameters_mm(self, height_mm: np.ndarray) -> np.ndarray:
        """Diameter at each height (n,), in the frame's millimetres."""
        usual = self.diameter_mm * (1 + self.taper_per_mm * height_mm)
        return usual if self.dilation is None else usual * self.dilation.factors(height_mm)

    def centres_mm(self, height_mm: np.ndarray) -> np.ndarray:
        """Centre at each height (n,), (n, 2): to the right (negative: it lies left) and forwards."""
        angle = np.deg2rad(PchipInterpolator(ANGLE_HEIGHTS_MM, self.angles_degree, extrapolate=True)(height_mm))
        left, front = np.cos(angle), np.sin(angle)
        bone = 1 / np.hypot(left / VERTEBRA_SEMI_MM[0], front / VERTEBRA_SEMI_MM[1])
        away = bone + self.gap_mm + self.diameters_mm(height_mm) / 2
        around = np.stack([-left * away, VERTEBRA_DEPTH_MM + front * away], axis=-1)
        return around + self.spine.offset_mm(height_mm)


def draw_aorta_diameter(rng: np.random.Generator) -> float:
    """Diameter in millimetres, normal with mean 24 and standard deviation 3.5, clipped to 16 to 38."""
    return float(np.clip(rng.normal(AORTA_MEAN_MM, AORTA_STD_MM), AORTA_MINIMUM_MM, AORTA_MAXIMUM_MM))


def draw_aorta_course(rng: np.random.Generator, spine: SpineCurve, diameter_mm: float) -> AortaCourse:
    """A course along the spine; the diameter is in the frame's millimetres."""
    shift = rng.normal(0, ANGLE_SHIFT_STD_DEGREE)
    steps = rng.normal(0, ANGLE_STEP_STD_DEGREE, len(ANGLES_DEGREE))
    return AortaCourse(
        diameter_mm=diameter_mm,
        taper_per_mm=rng.uniform(*TAPER_PER_MM_RANGE),
        top_mm=rng.normal(ARCH_HEIGHT_MM, ARCH_HEIGHT_STD_MM),
        angles_degree=tuple(float(angle) for angle in np.asarray(ANGLES_DEGREE) + shift + steps),
        gap_mm=rng.uniform(*GAP_MM_RANGE),
        spine=spine,
    )
