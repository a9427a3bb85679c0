"""Branching vessels in the lungs and the small vessels and nodes between the great ones."""

from __future__ import annotations

import numpy as np

from monai_cardiac_gan.phantom import tissues
from monai_cardiac_gan.phantom.canvas import Canvas, Tissue
from monai_cardiac_gan.phantom.labels import PhantomLabel
from monai_cardiac_gan.phantom.shapes import tube, wandering_path

__all__ = ["paint_lung_vessels", "paint_mediastinal_clutter"]

HILUM_STD_MM = 11.0
HILA_MM = ((-58.0, 36.0, 45.0), (48.0, 36.0, 40.0))
TREES_PER_LUNG, GENERATIONS = 20, 5
TRUNK_RADIUS_MM, TRUNK_LENGTH_MM = 3.1, 23.0
# A branch is thinner than its parent by 2^(-1/3) (Murray 1926, equal daughters) and shorter in proportion.
MURRAY, SHORTENING = 0.79, 0.86
RADIUS_FACTORS, LENGTH_FACTORS, BEND = (0.7, 1.1), (0.7, 1.4), 0.08  # no two branches are alike
SPREAD = 0.42  # sideways part of a branch's direction
TIP_SIGNAL = 0.55  # the thinnest vessels fill a voxel only in part, and move
# The first branches still run in the fat of the hilum.
HILAR_GROUND, HILAR_GENERATIONS = (PhantomLabel.LUNG, PhantomLabel.FAT), 2
CLUTTER_COUNT, CLUTTER_LOW_MM, CLUTTER_HIGH_MM = 180, (-75.0, 24.0, -45.0), (55.0, 106.0, 120.0)
CLUTTER_RADIUS_MM_RANGE, CLUTTER_STEP_MM = (0.6, 2.4), 6.0


def paint_lung_vessels(canvas: Canvas, rng: np.random.Generator) -> None:
    """Trees that spread from both hila to the lung's surface."""
    for hilum in HILA_MM:
        outwards = np.array([np.sign(hilum[0]), 0.0, 0.0])
        for _ in range(TREES_PER_LUNG):
            direction = outwards + rng.normal(0, 1, 3)
            start = np.asarray(hilum) + rng.normal(0, HILUM_STD_MM, 3)
            _grow(canvas, rng, start, direction, TRUNK_RADIUS_MM * rng.uniform(*RADIUS_FACTORS), GENERATIONS)


def _grow(
    canvas: Canvas, rng: np.random.Generator, start: np.ndarray, direction: np.ndarray, radius: float, left: int
) -> None:
    direction = direction / np.linalg.norm(direction)
    length = TRUNK_LENGTH_MM * SHORTENING ** (GENERATIONS - left) * rng.uniform(*LENGTH_FACTORS)
    middle = start + direction * length / 2 + rng.normal(0, BEND * length, 3)
    end = start + direction * length
    signal = TIP_SIGNAL + (1 - TIP_SIGNAL) * left / GENERATIONS
    found = tube(canvas.grid, np.stack([start, middle, end]), np.array([radius, radius, radius * MURRAY]), warped=False)
    if found is not None:
        canvas.paint(
            *found,
            Tissue(PhantomLabel.PULMONARY_VESSEL, signal),
            only=HILAR_GROUND if left > GENERATIONS - HILAR_GENERATIONS else (PhantomLabel.LUNG,),
        )
    if left > 1:
        for _ in range(2):
            _grow(canvas, rng, end, direction + rng.normal(0, SPREAD, 3), radius * MURRAY, left - 1)


def paint_mediastinal_clutter(canvas: Canvas, rng: np.random.Generator) -> None:
    """Short pieces of vessels, nodes and septa of any signal in the fat around the heart."""
    for _ in range(CLUTTER_COUNT):
        path = wandering_path(rng, CLUTTER_LOW_MM, CLUTTER_HIGH_MM, CLUTTER_STEP_MM)
        found = tube(canvas.grid, path, rng.uniform(*CLUTTER_RADIUS_MM_RANGE, len(path)), warped=False)
        if found is not None:
            signal = rng.uniform(tissues.MEDIASTINUM.signal, tissues.VEIN.signal)
            canvas.paint(*found, Tissue(PhantomLabel.BODY, signal), only=(PhantomLabel.FAT,))
