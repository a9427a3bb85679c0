"""Images out of the batches of any data loader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from torch import Tensor

from monai_cardiac_gan.keys import Field

__all__ = ["masked", "prepare_images", "prepare_valid"]

UNSEEN = -1.0
"""What the critic sees in place of a pixel outside the field of view: black, as patches are padded, so that a critic scores
padded patches as they are."""


def prepare_images(batch: Any, device: torch.device, non_blocking: bool = False, **to_kwargs: Any) -> Tensor:
    """Take the images out of a batch, as a plain tensor on the device.

    Args:
        batch: a dictionary with ``image``, or the images themselves; tensors or ``MetaTensor``s (N, C, H, W) of floats.
        device: where they go.
        non_blocking: whether the copy may be asynchronous.
        to_kwargs: more arguments of ``torch.Tensor.to``.

    Raises:
        ValueError: when there are no such images.
    """
    images = batch.get(Field.IMAGE) if isinstance(batch, Mapping) else batch
    if not isinstance(images, Tensor) or images.ndim != 4 or not images.is_floating_point():
        came = f"{images.dtype} {list(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(
            f"The batch holds {came}, expected '{Field.IMAGE}' or a tensor (N, C, H, W) of floats: "
            "name the images so, and scale them to the range of the generator."
        )
    plain = images.as_tensor() if isinstance(images, MetaTensor) else images
    return plain.to(device, non_blocking=non_blocking, **to_kwargs)


def prepare_valid(batch: Any, images: Tensor, non_blocking: bool = False) -> Tensor | None:
    """Take the masks of the pixels inside the field of view out of a batch.

    Args:
        batch: a dictionary that may hold ``valid``, bool (N, 1, H, W).
        images: the batch's images, on the device where the masks go.
        non_blocking: whether the copy may be asynchronous.

    Returns:
        The masks; None when the batch has none.

    Raises:
        ValueError: when they are not bool or do not fit the images.
    """
    valid = batch.get(Field.VALID) if isinstance(batch, Mapping) else None
    if valid is None:
        return None
    expected = (len(images), 1, *images.shape[2:])
    if not isinstance(valid, Tensor) or valid.dtype != torch.bool or tuple(valid.shape) != expected:
        came = f"{valid.dtype} {list(valid.shape)}" if isinstance(valid, Tensor) else type(valid).__name__
        raise ValueError(f"'{Field.VALID}' of the batch is {came}: expected bool {list(expected)}, true inside.")
    plain = valid.as_tensor() if isinstance(valid, MetaTensor) else valid
    return plain.to(images.device, non_blocking=non_blocking)


def masked(images: Tensor, valid: Tensor | None) -> Tensor:
    """Images with the pixels that are not valid black; no gradient passes there.

    Example:
        >>> masked(torch.ones(1, 1, 1, 2), torch.tensor([[[[True, False]]]])).flatten().tolist()
        [1.0, -1.0]
    """
    return images if valid is None else images.masked_fill(~valid, UNSEEN)
