"""Term of the inpainting loss that keeps latents where the generator was trained."""

from __future__ import annotations

from torch import Tensor

__all__ = ["LatentNormPrior"]


class LatentNormPrior:
    r"""Gaussian-shell prior: squared relative distance of a latent's norm from that of standard normal ones.

    .. math:: \ell = \left( \frac{\lVert z \rVert_2}{\sqrt{L}} - 1 \right)^2

    The norm of L standard normal numbers is :math:`\sqrt L` with a standard deviation of about :math:`1 / \sqrt 2`,
    whatever L is: at L = 100 nearly all latents that the generator has seen have a norm of 8.5 to 11.5, and none lies near
    zero, where the density is greatest.

    Example:
        Twice as long as it should be:

        >>> import torch
        >>> LatentNormPrior()(None, torch.full((1, 100), 2.0), None, None)
        tensor([1.])
    """

    def __call__(self, images: Tensor, latents: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """See `InpaintingTerm`."""
        return (latents.norm(dim=1) / latents.shape[1] ** 0.5 - 1).square()
