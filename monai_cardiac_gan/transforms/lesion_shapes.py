"""Lesions of a vessel in one axial slice: how each changes the image, and which pixels it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

__all__ = ["LESIONS", "LesionSlice", "VesselSlice", "source_share"]

RIM = 1.1
"""Radii within which a vessel and its wall are widened evenly."""
REACH_DIAMETERS = 1.9
"""Diameters from the vessel's middle beyond which nothing moves."""
DILATION, NARROWING, BULGE = 0.6, -0.45, 0.9
"""Changes of the diameter at full severity: 1.6 times is what guidelines call an aneurysm (1.5) and a little more; a narrowing to
half is severe; a bulge of one side by 0.9 radii makes a saccular aneurysm (Hiratzka et al. 2010, thoracic aortic disease)."""
SHIFT_MM, MOST_SLOPE = 14.0, 0.6
"""How far a vessel is displaced at full severity, about its radius and a half; and how fast the shift fades with the distance, so
that nothing folds."""
FLAP_MM, FLAP_OFFSET, FLAP_BEND = 1.8, 0.15, 0.25
"""Thickness of a dissection's flap, its distance from the middle and its bend, both in radii."""
FALSE_LUMEN = 0.2
"""Share of the contrast that the slow flow behind a flap loses."""
THROMBUS, THROMBUS_LEVEL = 0.9, 0.3
"""Thickness of a mural thrombus in radii, and its signal between tissue (0) and blood (1)."""
WALL_MM, WALL_LEVEL = 5.0, 0.3
"""A wall that is thickened by inflammation or haematoma, mm beside the normal 1 to 2; its signal is soft tissue's, unlike
that of fat and lung around it."""
MASS_MM, MASS_LEVEL, MASS_GAP_MM = 12.0, 0.5, 2.0
"""Radius of a mass beside the vessel; its signal, brighter than muscle, as tumours of long T2 are in balanced steady-state free
precession (at that of muscle, 0.35, nobody sees it beside muscle); and its distance from the lumen."""
SOFT_MM = 0.6
"""Standard deviation of the blur at a lesion's edges: about that of a scan of 1 to 1.5 mm."""
LUMEN, TISSUE = 0.6, (1.2, 2.0)
"""Radii within which blood is measured, and between which tissue is."""
TISSUE_PERCENTILE = 25
"""Of the pixels around the vessel: among them may be another vessel."""


@dataclass(frozen=True)
class VesselSlice:
    """An axial slice and the vessel in it.

    Attributes:
        image: (X, Y) brightness.
        spacing: (2,) mm.
        centre_mm: (2,) of the vessel, mm from the first pixel's centre.
        diameter_mm: of its lumen.
        noise: (X, Y) of unit standard deviation, as smooth as the scan's; what is painted gets as much of it as blood has.
    """

    image: np.ndarray
    spacing: np.ndarray
    centre_mm: np.ndarray
    diameter_mm: float
    noise: np.ndarray

    @property
    def radius_mm(self) -> float:
        """Of the lumen."""
        return self.diameter_mm / 2

    @cached_property
    def away_mm(self) -> np.ndarray:
        """(2, X, Y) from the centre, along both axes."""
        axes = (
            np.arange(side) * step - middle
            for side, step, middle in zip(self.image.shape, self.spacing, self.centre_mm, strict=True)
        )
        return np.stack(np.meshgrid(*axes, indexing="ij"))

    @cached_property
    def distance_mm(self) -> np.ndarray:
        """(X, Y) from the centre."""
        distance: np.ndarray = np.hypot(*self.away_mm)
        return distance

    @cached_property
    def blood(self) -> float:
        """Median brightness in the lumen."""
        return float(np.median(self.image[self.distance_mm <= LUMEN * self.radius_mm]))

    @cached_property
    def tissue(self) -> float:
        """Brightness of dark tissue around the vessel."""
        inside = (self.distance_mm >= TISSUE[0] * self.radius_mm) & (self.distance_mm <= TISSUE[1] * self.radius_mm)
        return float(np.percentile(self.image[inside], TISSUE_PERCENTILE))

    @cached_property
    def blood_noise(self) -> float:
        """Standard deviation of the lumen, from the median absolute deviation."""
        lumen = self.image[self.distance_mm <= LUMEN * self.radius_mm]
        return float(1.4826 * np.median(np.abs(lumen - np.median(lumen))))

    def along(self, direction: float) -> tuple[np.ndarray, np.ndarray]:
        """(X, Y) distances from the centre along a direction (radians, from the first axis to the second) and across it."""
        x, y = self.away_mm
        return x * np.cos(direction) + y * np.sin(direction), y * np.cos(direction) - x * np.sin(direction)

    def moved(self, places_mm: np.ndarray) -> np.ndarray:
        """The image that shows at each pixel what lay at a place (2, X, Y) from the centre, by linear interpolation."""
        indices = [
            (middle + place) / step for middle, place, step in zip(self.centre_mm, places_mm, self.spacing, strict=True)
        ]
        changed: np.ndarray = ndimage.map_coordinates(self.image, indices, order=1, mode="nearest")
        return changed

    def painted(self, shape: np.ndarray, level: float, opacity: float = 1.0) -> np.ndarray:
        """The image with a shape (X, Y) of one signal between tissue (0) and blood (1), with soft edges and noise."""
        soft = ndimage.gaussian_filter(shape.astype(float), SOFT_MM / self.spacing) * opacity
        value = self.tissue + level * (self.blood - self.tissue) + self.blood_noise * self.noise
        mixed: np.ndarray = self.image + soft * (value - self.image)
        return mixed


@dataclass(frozen=True)
class LesionSlice:
    """A slice with a lesion.

    Attributes:
        image: (X, Y).
        truth: (X, Y) bool, what the lesion takes.
    """

    image: np.ndarray
    truth: np.ndarray


def source_share(distances_mm: np.ndarray, factor: np.ndarray | float, diameter_mm: float) -> np.ndarray:
    r"""What share of its distance from the vessel's middle a pixel is taken from: 1 / factor within the widened wall, 1 beyond
    `REACH_DIAMETERS`, and a cubic step between, so that distances grow with distances and nothing folds.

    Example:
        >>> source_share(np.array([0.0, 12.0, 38.0, 60.0]), 1.25, 20.0).round(2).tolist()
        [0.8, 0.8, 1.0, 1.0]
    """
    inner, outer = RIM * np.asarray(factor) * diameter_mm / 2, REACH_DIAMETERS * diameter_mm
    way = np.clip((distances_mm - inner) / (outer - inner), 0, 1)
    share: np.ndarray = 1 / factor + (1 - 1 / factor) * way**2 * (3 - 2 * way)
    return share


def narrowed_share(distances_mm: np.ndarray, factor: float, diameter_mm: float) -> np.ndarray:
    r"""The same for a factor below 1, with distances that grow evenly between: a cubic step would smear what lies there.

    Example:
        >>> narrowed_share(np.array([0.0, 5.5, 38.0, 60.0]), 0.5, 20.0).round(2).tolist()
        [2.0, 2.0, 1.0, 1.0]
        >>> narrowed_share(np.array([21.75]), 0.5, 20.0).round(2).tolist()  # half-way: from 24.5 mm
        [1.13]
    """
    rim, outer = RIM * diameter_mm / 2, REACH_DIAMETERS * diameter_mm
    source = np.interp(distances_mm, [0, rim * factor, outer], [0, rim, outer])
    share = np.where(distances_mm < outer, source / np.maximum(distances_mm, 1e-9), 1.0)
    return np.where(distances_mm < rim * factor, 1 / factor, share)


def _scaled(vessel: VesselSlice, factor: np.ndarray | float, share: np.ndarray) -> LesionSlice:
    rims = vessel.radius_mm * np.minimum(factor, 1.0), vessel.radius_mm * np.maximum(factor, 1.0)
    truth = (vessel.distance_mm > rims[0]) & (vessel.distance_mm <= rims[1])
    return LesionSlice(vessel.moved(vessel.away_mm * share), truth)


def _widened(vessel: VesselSlice, factor: np.ndarray | float) -> LesionSlice:
    return _scaled(vessel, factor, source_share(vessel.distance_mm, factor, vessel.diameter_mm))


def dilation(vessel: VesselSlice, amount: float, direction: float) -> LesionSlice:
    """Wider on all sides; what lies around moves outwards."""
    return _widened(vessel, 1 + DILATION * amount)


def narrowing(vessel: VesselSlice, amount: float, direction: float) -> LesionSlice:
    """Narrower on all sides, as in coarctation."""
    factor = 1 + NARROWING * amount
    return _scaled(vessel, factor, narrowed_share(vessel.distance_mm, factor, vessel.diameter_mm))


def aneurysm(vessel: VesselSlice, amount: float, direction: float) -> LesionSlice:
    """A bulge to one side."""
    along, _ = vessel.along(direction)
    towards = np.maximum(along / np.maximum(vessel.distance_mm, 1e-9), 0) ** 2
    return _widened(vessel, 1 + BULGE * amount * towards)


def displacement(vessel: VesselSlice, amount: float, direction: float) -> LesionSlice:
    """The vessel lies elsewhere; the shift fades with the distance from it."""
    shift = SHIFT_MM * amount
    inner = RIM * vessel.radius_mm + shift
    outer = inner + 1.5 * max(shift, 1e-9) / MOST_SLOPE  # a cubic step's greatest slope is 1.5
    way = np.clip((vessel.distance_mm - inner) / (outer - inner), 0, 1)
    fading = 1 - way**2 * (3 - 2 * way)
    offset = shift * np.array([np.cos(direction), np.sin(direction)])[:, None, None]
    places = vessel.away_mm - offset * fading
    truth = (np.hypot(*places) <= vessel.radius_mm) ^ (vessel.distance_mm <= vessel.radius_mm)
    return LesionSlice(vessel.moved(places), truth)


def flap(vessel: VesselSlice, amount: float, direction: float) -> LesionSlice:
    """A dissection's flap across the lumen, dark, and blood that flows slower behind it."""
    along, across = vessel.along(direction)
    radius = vessel.radius_mm
    beyond = along - radius * (FLAP_OFFSET + FLAP_BEND * (across / radius) ** 2)
    lumen = vessel.distance_mm <= radius
    truth = lumen & (np.abs(beyond) <= FLAP_MM / 2)
    slow = vessel.painted(lumen & (beyond > 0), 1 - FALSE_LUMEN, amount)
    behind = VesselSlice(slow, vessel.spacing, vessel.centre_mm, vessel.diameter_mm, vessel.noise)
    return LesionSlice(_levels_of(vessel, behind).painted(truth, 0.0, amount), truth)


def thrombus(vessel: VesselSlice, amount: float, direction: float) -> LesionSlice:
    """A crescent on the wall inside the lumen, thickest in one direction; the outer wall stays where it is."""
    along, _ = vessel.along(direction)
    towards = np.maximum(along / np.maximum(vessel.distance_mm, 1e-9), 0)
    depth = THROMBUS * amount * vessel.radius_mm * towards
    truth = (vessel.distance_mm <= vessel.radius_mm) & (vessel.distance_mm > vessel.radius_mm - depth)
    return LesionSlice(vessel.painted(truth, THROMBUS_LEVEL), truth)


def wall(vessel: VesselSlice, amount: float, direction: float) -> LesionSlice:
    """A thicker wall all around; the lumen stays as it is."""
    outer = vessel.radius_mm + WALL_MM * amount
    truth = (vessel.distance_mm > vessel.radius_mm) & (vessel.distance_mm <= outer)
    return LesionSlice(vessel.painted(truth, WALL_LEVEL), truth)


def mass(vessel: VesselSlice, amount: float, direction: float) -> LesionSlice:
    """A round mass beside the vessel, that covers what lies there."""
    size = MASS_MM * amount
    along, across = vessel.along(direction)
    truth = np.hypot(along - vessel.radius_mm - MASS_GAP_MM - size, across) <= size
    return LesionSlice(vessel.painted(truth, MASS_LEVEL), truth)


def _levels_of(known: VesselSlice, other: VesselSlice) -> VesselSlice:
    """The other slice, with blood and tissue as bright as in the known one."""
    other.__dict__.update(blood=known.blood, tissue=known.tissue, blood_noise=known.blood_noise)
    return other


LESIONS: dict[str, Callable[[VesselSlice, float, float], LesionSlice]] = {
    each.__name__: each for each in (dilation, aneurysm, narrowing, flap, thrombus, wall, displacement, mass)
}
"""Kind of a lesion -> what it does to a slice, by its amount, 0 (nothing) to 1, and its direction (radians)."""
