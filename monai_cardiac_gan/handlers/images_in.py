"""How many images a batch holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monai_cardiac_gan.keys import Field

__all__ = ["images_in"]


def images_in(batch: Any) -> int:
    """Images in a batch that a trainer takes: a dictionary with ``image``, or the images themselves.

    Example:
        >>> import torch
        >>> images_in({"image": torch.zeros(3, 1, 8, 8)}), images_in(torch.zeros(2, 1, 8, 8))
        (3, 2)
    """
    return len(batch[Field.IMAGE] if isinstance(batch, Mapping) else batch)
