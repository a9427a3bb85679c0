"""Contextual term of inpainting by latent search (Yeh et al. 2017, equation 2, without weights)."""

from __future__ import annotations

from torch import Tensor

__all__ = ["masked_l1"]


def masked_l1(images: Tensor, targets: Tensor, where: Tensor) -> Tensor:
    r"""How far each image is from its target where it counts.

    .. math:: \ell_n = \frac{1}{K_n} \lVert M_n \circ x_n - M_n \circ y_n \rVert_1, \quad K_n = \sum_p M_{n,p}

    The publication sums where this takes the mean, so that the value neither depends on the size of the patch nor on that
    of the mask: its sum is :math:`K_n` times larger (15759 pixels outside a mask of 25 x 25 in 128 x 128). A weight
    :math:`\lambda` beside the sum is a weight :math:`\lambda / K_n` beside this mean, and a step along the gradient of the
    sum is :math:`K_n` times this step.

    Args:
        images: (N, C, H, W).
        targets: (N, C, H, W), or (1, C, H, W) for one target of all images.
        where: (N, 1, H, W) or (1, 1, H, W) bool, true where pixels count; outside the mask for the publication's M.

    Returns:
        Mean absolute difference over these pixels, one value per sample (N,), in the unit of the images; NaN for a
        sample without such a pixel, as the mean of nothing is (finding out would make a GPU wait at every call).

    Raises:
        ValueError: when the shapes do not fit.

    Example:
        Of four pixels three count; they differ by 0.5, 1 and 0:

        >>> import torch
        >>> images, targets = torch.tensor([[[[0.5, 1.0], [0.0, 9.0]]]]), torch.zeros(1, 1, 2, 2)
        >>> masked_l1(images, targets, torch.tensor([[[[True, True], [True, False]]]]))
        tensor([0.5000])
    """
    if images.ndim != 4 or targets.shape[1:] != images.shape[1:] or len(targets) not in (1, len(images)):
        raise ValueError(
            f"images {tuple(images.shape)} and targets {tuple(targets.shape)} do not fit: expected (N, C, H, W) both, "
            "or one target (1, C, H, W) for all images."
        )
    if where.shape[1:] != (1, *images.shape[2:]) or len(where) not in (1, len(images)):
        raise ValueError(
            f"the pixels that count have shape {tuple(where.shape)}: expected ({len(images)}, 1, H, W) or (1, 1, H, W) with the "
            f"images' H, W = {tuple(images.shape[2:])}."
        )
    weights = where.to(images.dtype)
    count = weights.flatten(1).sum(1) * images.shape[1]
    return ((images - targets).abs() * weights).flatten(1).sum(1) / count
