"""Images out of the batches of any data loader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from torch import Tensor

from monai_cardiac_gan.keys import Field

__all__ = ["prepare_images"]


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
