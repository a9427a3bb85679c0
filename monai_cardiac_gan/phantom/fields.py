"""Smooth random fields, the raw material of deformation, rough surfaces and texture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["SmoothField"]

KNOTS_PER_WAVELENGTH = 2.0  # a cubic B-spline needs two knots to swing up and down once
SPLINE_REACH_KNOTS = 2  # a cubic B-spline vanishes two knots from its centre


class SmoothField:
    """Gaussian random field with zero mean and unit variance at every voxel, evaluated where it is needed.

    White noise on a coarse grid is spread by cubic B-splines. They are separable, so the field costs three matrix
    products; their weights are scaled to unit length, which is what keeps the variance at one between the knots too.

    Args:
        rng: source of the noise.
        axes_mm: positions of the voxels along each of the three axes, (X,), (Y,) and (Z,).
        wavelength_mm: length over which the field swings once.

    Example:
        >>> axes = [np.arange(0.0, 200.0, 2.0)] * 3
        >>> field = SmoothField(np.random.default_rng(0), axes, wavelength_mm=10.0)
        >>> part = field[10:60, 0:100, 0:100]
        >>> part.shape, part.dtype.name, round(float(part.std()), 1)
        ((50, 100, 100), 'float32', 1.0)
    """

    def __init__(self, rng: np.random.Generator, axes_mm: Sequence[np.ndarray], wavelength_mm: float) -> None:
        along_x, self._along_y, self._along_z = (
            _spline_weights(axis, wavelength_mm / KNOTS_PER_WAVELENGTH) for axis in axes_mm
        )
        knots = (along_x.shape[1], self._along_y.shape[1], self._along_z.shape[1])
        noise = rng.standard_normal(knots, dtype=np.float32)
        self._spread = (along_x @ noise.reshape(knots[0], -1)).reshape(-1, *knots[1:])

    def __getitem__(self, box: tuple[slice, slice, slice]) -> np.ndarray:
        """The field in a box of voxels, (x, y, z) float32."""
        across, along, up = box
        return np.matmul(np.matmul(self._along_y[along], self._spread[across]), self._along_z[up].T)


def _spline_weights(axis_mm: np.ndarray, knot_mm: float) -> np.ndarray:
    """Weight of every knot at every position, (positions, knots) float32; each row has unit length."""
    place = (np.asarray(axis_mm, dtype=np.float64) - axis_mm[0]) / knot_mm
    knots = np.arange(-SPLINE_REACH_KNOTS + 1, int(place[-1]) + SPLINE_REACH_KNOTS + 1)
    away = np.abs(place[:, None] - knots[None])
    near, far = 2 / 3 - away**2 + away**3 / 2, np.clip(2 - away, 0, None) ** 3 / 6
    weights = np.where(away < 1, near, far)
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)
