"""Ways to inpaint without a search: baselines that every search is compared with."""

from __future__ import annotations

import importlib
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from skimage.restoration import inpaint_biharmonic
from torch import Tensor, nn

from monai_cardiac_gan.inferers.amortised import AmortisedInferer
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.proposals import EncoderProposal
from monai_cardiac_gan.networks.frozen import frozen

__all__ = [
    "BiharmonicInpainter",
    "EncoderInpainter",
    "Inpainter",
    "MeanPatchInpainter",
    "NearestPatchInpainter",
    "NetworkInpainter",
    "OpenCVInpainter",
    "SearchInpainter",
]

RADIUS = 3.0
"""Of OpenCV's own example."""
GREYS = 255
OPENCV_FLAGS = {"telea": "INPAINT_TELEA", "navier-stokes": "INPAINT_NS"}


@runtime_checkable
class Inpainter(Protocol):
    """Paints what lies behind the masks of patches."""

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> Tensor:
        """Inpaint patches; all other pixels stay bit by bit.

        Args:
            patches: (N, 1, H, W), -1 to 1.
            masks: the same shape, bool, true where pixels are hidden.
            valid: the same shape, bool, true inside the field of view; None takes all.
        """
        ...


class MeanPatchInpainter:
    """The mean of the training patches in the mask.

    Args:
        train: (M, 1, H, W).

    Example:
        >>> mask = torch.tensor([[[[True, False]]]])
        >>> MeanPatchInpainter(torch.tensor([[[[0.2, 0.4]]], [[[0.4, 0.6]]]]))(torch.zeros(1, 1, 1, 2), mask)
        tensor([[[[0.3000, 0.0000]]]])
    """

    def __init__(self, train: Tensor) -> None:
        self.mean = train.float().mean(0, keepdim=True)

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Inpainter`."""
        return torch.where(masks, self.mean.to(patches), patches)


class NearestPatchInpainter:
    """The training patch of lowest mean absolute difference outside the mask, where the patch is valid.

    Args:
        train: (M, 1, H, W).

    Example:
        >>> mask = torch.tensor([[[[True, False]]]])
        >>> train = torch.tensor([[[[0.2, 0.4]]], [[[0.9, 0.1]]]])
        >>> NearestPatchInpainter(train)(torch.zeros(1, 1, 1, 2), mask)
        tensor([[[[0.9000, 0.0000]]]])
    """

    def __init__(self, train: Tensor) -> None:
        self.train = train.float()

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Inpainter`."""
        painted = patches.clone()
        unseen = masks if valid is None else masks | ~valid
        for image, mask, hidden in zip(painted, masks, unseen, strict=True):
            image[mask] = self.nearest(image, hidden)[mask]
        return painted

    def nearest(self, patch: Tensor, hidden: Tensor) -> Tensor:
        """The patch (1, H, W) that is nearest to one patch where that is not hidden."""
        train = self.train.to(patch.device)
        distances = ((train - patch).abs() * ~hidden).flatten(1).sum(1)
        return train[distances.argmin()].to(patch)


class BiharmonicInpainter:
    """The smoothest continuation of the surroundings (Damelin and Hoang 2018), by scikit-image."""

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Inpainter`."""
        painted = patches.clone()
        for image, mask in zip(painted, masks, strict=True):
            filled = inpaint_biharmonic(image[0].cpu().numpy(), mask[0].cpu().numpy())
            image[mask] = torch.from_numpy(filled).to(image)[None][mask]
        return torch.where(masks, painted.clamp(-1, 1), patches)


class OpenCVInpainter:
    """Classical inpainting by OpenCV, which has to be installed.

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
            raise ImportError("this inpainter needs OpenCV: pip install opencv-python-headless.") from error
        self.flag, self.radius = getattr(self.opencv, OPENCV_FLAGS[method]), radius

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Inpainter`."""
        painted = patches.clone()
        for image, mask in zip(painted, masks, strict=True):
            known = torch.where(mask, 0.0, image)[0].cpu().numpy().clip(-1, 1)
            grey = np.round((known + 1) / 2 * GREYS).astype(np.uint8)  # what OpenCV was written for
            mask = mask[0].cpu().numpy().astype(np.uint8)
            filled = self.opencv.inpaint(grey, mask, self.radius, self.flag) / GREYS * 2 - 1
            image[mask] = torch.from_numpy(filled).to(image)[None][mask]
        return torch.where(masks, painted.clamp(-1, 1), patches)


class NetworkInpainter:
    """A network that was trained to inpaint directly, see `InpaintingUNet`.

    Args:
        network: patches and masks to patches of the same shape.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    @torch.no_grad()
    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Inpainter`."""
        device = next(self.network.parameters()).device
        with frozen(self.network, evaluate=True):
            painted = self.network(patches.to(device), masks.to(device))
        return torch.where(masks, painted.to(patches), patches)


class SearchInpainter:
    """A latent search: the image of the best start; or the typical image of drawn answers.

    Args:
        inferer: searches or draws.
        generator: latents to images, for an `AmortisedInferer` also of patches.
    """

    def __init__(self, inferer: LatentInpaintingInferer | AmortisedInferer, generator: nn.Module) -> None:
        self.inferer, self.generator = inferer, generator

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Inpainter`; on the CPU."""
        device = next(self.generator.parameters()).device
        return self.inferer.search(patches.to(device), masks.to(device), self.generator, valid).best_inpainted()


class EncoderInpainter:
    """The generator's image of an encoder's latent, without any search.

    Args:
        encoder: patches and masks to latents, see `LatentEncoder`.
        generator: latents to images.
    """

    def __init__(self, encoder: nn.Module, generator: nn.Module) -> None:
        self.encoder, self.generator = encoder, generator

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Inpainter`."""
        device = next(self.generator.parameters()).device
        with frozen(self.encoder, self.generator, evaluate=True):
            images = EncoderProposal(self.encoder)(patches.to(device), masks.to(device), self.generator)
        return torch.where(masks, images.to(patches), patches)
