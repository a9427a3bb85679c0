"""What the transforms need to know of a volume's grid."""

from __future__ import annotations

import nibabel
import numpy as np
import torch
from monai.data import MetaTensor

__all__ = ["RasVolume"]


class RasVolume:
    """A `MetaTensor` (1, X, Y, Z) in RAS+ axes, seen as an array with spacing and affine.

    Args:
        image: the volume.

    Attributes:
        array: (X, Y, Z) float32.
        affine: (4, 4) from voxel indices to scanner millimetres (RAS+).
        spacing: (3,) mm.

    Raises:
        ValueError: when the image has not one channel and three axes, knows no affine, or is not in RAS+ axes.
    """

    def __init__(self, image: torch.Tensor) -> None:
        if image.ndim != 4 or image.shape[0] != 1:
            raise ValueError(
                f"the image has shape {tuple(image.shape)}: expected one channel and three axes (1, X, Y, Z)."
            )
        if not isinstance(image, MetaTensor):
            raise ValueError("the image is a plain tensor without an affine: load it as a MetaTensor (LoadVolumed).")
        self.affine = np.asarray(image.affine, dtype=np.float64)
        codes = "".join(nibabel.aff2axcodes(self.affine))
        if codes != "RAS":
            raise ValueError(
                f"the image has axes {codes}: expected RAS; put Orientationd(axcodes='RAS') before this step."
            )
        self.array = image[0].as_tensor().cpu().numpy() if isinstance(image[0], MetaTensor) else image[0].numpy()
        self.spacing = np.linalg.norm(self.affine[:3, :3], axis=0)
