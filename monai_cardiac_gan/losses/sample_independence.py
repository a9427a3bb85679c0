"""Refuse critics whose score of one image depends on the other images of the batch."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["refuse_sample_mixing"]


def refuse_sample_mixing(critic: nn.Module, images: Tensor) -> None:
    r"""Check that the score of one image does not depend on another image.

    The gradient penalty asks for :math:`\lVert \nabla_{x_n} D(x_n) \rVert = 1` of each sample alone; in a critic that
    mixes samples there is no such gradient (Gulrajani et al. 2017, section 4, "No critic batch normalization").
    What is checked is the function, not the names of its layers: the gradient of the first score with respect to all
    other images has to be exactly zero. A copy of the critic is asked, in the mode of the original, and the global
    random state is put back.

    Args:
        critic: maps images (N, C, H, W) to one score per image.
        images: a batch, at best of real images; a single one is paired with its mirror image.

    Raises:
        ValueError: when the first score depends on another image.

    Example:
        >>> refuse_sample_mixing(nn.Sequential(nn.Conv2d(1, 1, 4), nn.BatchNorm2d(1)), torch.randn(2, 1, 4, 4))
        Traceback (most recent call last):
        ValueError: The critic's score of one image depends on the other images of its batch (BatchNorm2d at 1): ...
    """
    batch = images.detach() if len(images) > 1 else torch.cat([images.detach(), images.detach().flip(-1)])
    devices = [batch.device] if batch.is_cuda else []
    with torch.random.fork_rng(devices), torch.enable_grad():  # dropout in a critic would draw from the global state
        batch = batch.clone().requires_grad_()
        first_score = deepcopy(critic)(batch)[0].sum()
        (gradient,) = torch.autograd.grad(first_score, batch)
    if gradient[1:].ne(0).any():
        raise ValueError(
            f"The critic's score of one image depends on the other images of its batch ({_suspects(critic)}): "
            "a gradient penalty needs one gradient per image. Leave the normalisation out, "
            "or use GroupNorm, LayerNorm or InstanceNorm2d instead."
        )


def _suspects(critic: nn.Module) -> str:
    """Layers that are known to use statistics of the batch, or where else to look."""
    layers = [
        f"{type(layer).__name__} at {name or 'the top'}"
        for name, layer in critic.named_modules()
        if isinstance(layer, _BatchNorm) and (layer.training or layer.running_mean is None)
    ]
    return ", ".join(layers) or "no batch normalisation found: look for statistics over the first axis"
