"""A small symmetric kernel that gives images the power spectrum of others."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import least_squares
from torch import Tensor

from monai_cardiac_gan.metrics import frequency_rings, mean_power

__all__ = ["spectral_kernel"]

DECIBEL = 10.0


def spectral_kernel(images: Tensor, decibels: np.ndarray, side: int) -> Tensor:
    r"""Kernel of sum 1 that changes the power of images by so many decibels in each ring of spatial frequency.

    .. math:: \min_h \sum_k \left(10 \log_{10} \frac{\sum_{f \in R_k} |H(f)|^2 P(f)}{\sum_{f \in R_k} P(f)} - d_k\right)^2

    with P the images' mean power, H the transform of the kernel h, and h the same for all eight ways to turn or mirror it, so
    that H is real. A kernel of few taps comes as near as it can.

    Args:
        images: (N, 1, S, S).
        decibels: d of each ring of `radial_power_spectrum` (K,).
        side: of the kernel, odd.

    Returns:
        (1, 1, side, side).

    Example:
        Nothing shall change:

        >>> spectral_kernel(torch.rand(2, 1, 16, 16), np.zeros(11), 3).round(decimals=3)[0, 0].tolist()
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    size = images.shape[-1]
    rings = frequency_rings(size, size).flatten().numpy()
    power = mean_power(images).flatten().cpu().numpy()
    inside = rings > 0  # ring 0 is the mean
    orbits = _orbits(side // 2)
    waves = np.stack([_wave(orbit, size).ravel()[inside] for orbit in orbits], -1)
    rings, power = rings[inside] - 1, power[inside]
    whole = np.bincount(rings, power, len(decibels))

    def misfit(taps: np.ndarray) -> np.ndarray:
        passed = np.bincount(rings, np.square(waves @ _sum_one(taps, orbits)) * power, len(decibels))
        return DECIBEL * np.log10(np.maximum(passed, np.finfo(float).tiny) / whole) - decibels

    # decibels have local minima: begin with the linear problem, each gain as well met as the others
    gains = 10 ** (decibels / 20)[rings]
    counts = np.array([len(orbit) for orbit in orbits])
    first = np.linalg.lstsq((waves[:, 1:] - counts[1:]) / gains[:, None], (gains - 1) / gains)[0]
    taps = _sum_one(least_squares(misfit, first).x, orbits)
    kernel = torch.zeros(1, 1, side, side)
    for orbit, value in zip(orbits, taps, strict=True):
        for row, column in orbit:
            kernel[0, 0, side // 2 + row, side // 2 + column] = value
    return kernel


def _orbits(margin: int) -> list[list[tuple[int, int]]]:
    """Places around the middle that turning and mirroring exchange, the middle first."""
    corners = [(row, column) for row in range(margin + 1) for column in range(row, margin + 1)]
    return [
        sorted({(s * a, t * b) for a, b in (corner, corner[::-1]) for s in (1, -1) for t in (1, -1)})
        for corner in corners
    ]


def _wave(orbit: list[tuple[int, int]], size: int) -> np.ndarray:
    """Transform (size, size) of ones at these places; real, because they are symmetric."""
    places = np.zeros((size, size))
    for row, column in orbit:
        places[row, column] += 1
    return np.fft.fft2(places).real


def _sum_one(taps: np.ndarray, orbits: list[list[tuple[int, int]]]) -> np.ndarray:
    """Values of all orbits from those behind the first: the middle has what is left of 1."""
    others = sum(len(orbit) * value for orbit, value in zip(orbits[1:], taps, strict=True))
    return np.concatenate([[1 - others], taps])
