"""Slices numbered as in the file that a volume was read from, whatever its axes are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from monai.data import MetaTensor
from monai.utils import MetaKeys

__all__ = ["FileSlices"]


@dataclass(frozen=True)
class FileSlices:
    """The file's grid.

    Attributes:
        affine: (4, 4) from the file's indices to scanner millimetres (RAS+).
        shape: (3,) voxels along the file's axes.
        spacing_mm: (3,).
        axis: the file's axis that runs along the body, the volume's third one, whose index numbers the slices.
    """

    affine: np.ndarray
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    axis: int

    @classmethod
    def of(cls, image: MetaTensor) -> FileSlices:
        """The file of a volume that was loaded and turned, but not resampled.

        Args:
            image: (1, X, Y, Z).

        Example:
            A file whose slices count from head to feet, turned to RAS+ since:

            >>> import torch
            >>> from monai.transforms import Orientation
            >>> file = MetaTensor(torch.zeros(1, 4, 4, 10), affine=torch.diag(torch.tensor([1.0, 1.0, -2.0, 1.0])))
            >>> file.meta["original_affine"] = file.affine
            >>> turned = Orientation(axcodes="RAS", labels=(("L", "R"), ("P", "A"), ("I", "S")))(file)
            >>> FileSlices.of(turned).number((0.0, 0.0, -18.0))
            9
        """
        now = np.asarray(image.affine, dtype=np.float64)
        affine = np.asarray(image.meta.get(MetaKeys.ORIGINAL_AFFINE, now), dtype=np.float64)
        turn = np.abs(np.linalg.inv(affine[:3, :3]) @ now[:3, :3])  # where each of today's axes lies in the file
        shape = [int(image.shape[1 + int(turn[row].argmax())]) for row in range(3)]
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        x, y, z = shape
        # of a slanted file's axes another one may be the steepest than the one that orientation takes for the body's
        return cls(
            affine, (x, y, z), (float(spacing[0]), float(spacing[1]), float(spacing[2])), int(turn[:, 2].argmax())
        )

    def number(self, point_mm: Sequence[float] | np.ndarray) -> int:
        """Number of the slice that is nearest to a point in scanner millimetres, counted from 0."""
        index = np.linalg.inv(self.affine) @ np.append(np.asarray(point_mm, dtype=np.float64), 1.0)
        return int(np.rint(index[self.axis]))
