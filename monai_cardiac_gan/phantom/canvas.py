"""A label map and its noise-free signal, painted together so that they cannot disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.phantom.grid import Box, Grid
from monai_cardiac_gan.phantom.labels import PhantomLabel

__all__ = ["Canvas", "Tissue"]

EDGE_STEPS = 1.2  # a voxel that a surface crosses shows both sides; oblique surfaces cross more than one


@dataclass(frozen=True)
class Tissue:
    """What is painted: its label and its signal, as a fraction of the signal of blood."""

    label: PhantomLabel
    signal: float


class Canvas:
    """Labels and signal of one volume.

    Voxels take the label of the body that holds their centre, and a signal in proportion to how much of the voxel the
    body fills (partial-volume effect).

    Attributes:
        grid: the voxels' positions.
        labels: (X, Y, Z) uint8.
        signal: (X, Y, Z) float32, blood is about 1.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.labels = np.zeros(grid.shape, dtype=np.uint8)
        self.signal = np.zeros(grid.shape, dtype=np.float32)

    def paint(self, box: Box, level: np.ndarray, tissue: Tissue, only: Sequence[PhantomLabel] = ()) -> None:
        """Lay a tissue over what is there.

        Args:
            box: the voxels concerned.
            level: signed distance to the body in millimetres, the box's shape or broadcastable to it.
            tissue: what to paint.
            only: leave voxels with any other label as they are; all labels may be painted over when empty.
        """
        soft_mm = EDGE_STEPS * self.grid.step_mm
        if level.min() >= soft_mm / 2:
            return
        labels, signal = self.labels[box], self.signal[box]
        coverage = level * np.float32(-1 / soft_mm)
        coverage += np.float32(0.5)
        np.clip(coverage, 0, 1, out=coverage)
        inside = np.broadcast_to(level < 0, labels.shape)
        if only:
            allowed = np.logical_or.reduce([labels == label for label in only])
            coverage, inside = coverage * allowed, inside & allowed
        signal += coverage * (np.float32(tissue.signal) - signal)
        np.copyto(labels, np.uint8(tissue.label), where=inside)
