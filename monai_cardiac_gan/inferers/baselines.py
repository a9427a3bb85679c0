"""Simple ways to fill a hole, to hold a latent search against."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import torch
from skimage.restoration import inpaint_biharmonic
from torch import Tensor, nn

__all__ = ["BiharmonicFilling", "Filling", "MeanPatch", "NearestPatch", "NetworkFilling", "OpenCVFilling"]

Filling = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Patches (N, 1, H, W), holes of the same shape, bool, and which pixels lie inside the field of view, the same, to patches
with the holes filled. The third may be left out where a filling has a default for it."""

RADIUS = 3.0
"""Of OpenCV's own example."""
GREYS = 255
OPENCV_FLAGS = {"telea": "INPAINT_TELEA", "navier-stokes": "INPAINT_NS"}


class MeanPatch:
    """The mean of the training patches in the hole.

    Args:
        train: (M, 1, H, W).

    Example:
        >>> hole = torch.tensor([[[[True, False]]]])
        >>> MeanPatch(torch.tensor([[[[0.2, 0.4]]], [[[0.4, 0.6]]]]))(torch.zeros(1, 1, 1, 2), hole)
        tensor([[[[0.3000, 0.0000]]]])
    """

    def __init__(self, train: Tensor) -> None:
        self.mean = train.float().mean(0, keepdim=True)

    def __call__(self, patches: Tensor, holes: Tensor, valid: Tensor | None = None) -> Tensor:
        """Fill the holes."""
        return torch.where(holes, self.mean.to(patches), patches)


class NearestPatch:
    """The training patch of lowest mean absolute difference outside the hole, where the patch is valid.

    Args:
        train: (M, 1, H, W).

    Example:
        >>> hole = torch.tensor([[[[True, False]]]])
        >>> train = torch.tensor([[[[0.2, 0.4]]], [[[0.9, 0.1]]]])
        >>> NearestPatch(train)(torch.zeros(1, 1, 1, 2), hole)
        tensor([[[[0.9000, 0.0000]]]])
    """

    def __init__(self, train: Tensor) -> None:
        self.train = train.float()

    def __call__(self, patches: Tensor, holes: Tensor, valid: Tensor | None = None) -> Tensor:
        """Fill the holes."""
        painted = patches.clone()
        unseen = holes if valid is None else holes | ~valid
        for image, hole, hidden in zip(painted, holes, unseen, strict=True):
            image[hole] = self.nearest(image, hidden)[hole]
        return painted

    def nearest(self, patch: Tensor, hidden: Tensor) -> Tensor:
        """The patch (1, H, W) that is nearest to one patch where that is not hidden."""
        train = self.train.to(patch.device)
        distances = ((train - patch).abs() * ~hidden).flatten(1).sum(1)
        return train[distances.argmin()].to(patch)


class BiharmonicFilling:
    """The smoothest continuation of the surroundings (Damelin and Hoang 2018), by scikit-image."""

    def __call__(self, patches: Tensor, holes: Tensor, valid: Tensor | None = None) -> Tensor:
        """Fill the holes."""
        painted = patches.clone()
        for image, hole in zip(painted, holes, strict=True):
            filled = inpaint_biharmonic(image[0].cpu().numpy(), hole[0].cpu().numpy())
            image[hole] = torch.from_numpy(filled).to(image)[None][hole]
        return torch.where(holes, painted.clamp(-1, 1), patches)


class OpenCVFilling:
    """Classical filling by OpenCV, which has to be installed.

    Args:
        method: ``"telea"`` (Telea 2004, fast marching) or ``"navier-stokes"`` (Bertalmio et al. 2001).
        radius: of the neighbourhood of each pixel, pixels.

    Raises:
        ValueError: when there is no such method.
        ImportError: when OpenCV is missing.
    """

    def __init__(self, method: str = "telea", radius: float = RADIUS) -> None:
        if method not in OPENCV_FLAGS:
            raise ValueError(f"the method is '{method}': expected one of {', '.join(OPENCV_FLAGS)}.")
        try:
            self.opencv = importlib.import_module("cv2")
        except ImportError as error:
            raise ImportError("this filling needs OpenCV: pip install opencv-python-headless.") from error
        self.flag, self.radius = getattr(self.opencv, OPENCV_FLAGS[method]), radius

    def __call__(self, patches: Tensor, holes: Tensor, valid: Tensor | None = None) -> Tensor:
        """Fill the holes."""
        painted = patches.clone()
        for image, hole in zip(painted, holes, strict=True):
            known = torch.where(hole, 0.0, image)[0].cpu().numpy().clip(-1, 1)
            grey = np.round((known + 1) / 2 * GREYS).astype(np.uint8)  # what OpenCV was written for
            mask = hole[0].cpu().numpy().astype(np.uint8)
            filled = self.opencv.inpaint(grey, mask, self.radius, self.flag) / GREYS * 2 - 1
            image[hole] = torch.from_numpy(filled).to(image)[None][hole]
        return torch.where(holes, painted.clamp(-1, 1), patches)


class NetworkFilling:
    """A network that was trained to paint holes directly, see `FillingUNet`.

    Args:
        network: patches and holes to patches of the same shape.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    @torch.no_grad()
    def __call__(self, patches: Tensor, holes: Tensor, valid: Tensor | None = None) -> Tensor:
        """Fill the holes."""
        device = next(self.network.parameters()).device
        painted = self.network.eval()(patches.to(device), holes.to(device))
        return torch.where(holes, painted.to(patches), patches)
