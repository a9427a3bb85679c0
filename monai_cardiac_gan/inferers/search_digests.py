"""What a search rests on, as digests: its settings and the weights of its networks."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from monai_cardiac_gan.data import settings_digest
from monai_cardiac_gan.inferers.latent_bank import digest_of
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.masks import square_mask

__all__ = ["mask_digest", "search_digests"]

PARTS = ("starts", "loss", "initializer", "optimizer", "proposal", "blending", "autocast")
"""Of a search, which change what it finds."""
OF_NO_MATTER = ("seed", "progress")
"""Attributes that change nothing but noise and what is shown."""


def search_digests(inferer: LatentInpaintingInferer, generator: nn.Module) -> dict[str, str]:
    """Parts of a search, and what stands for each: two searches that differ in a setting or a weight differ in a part.

    Args:
        inferer: the search, with its weights loaded.
        generator: whose latents are searched.

    Returns:
        ``"generator"`` and the names of the parts -> SHA-256, hexadecimal. The seed does not count.
    """
    parts = {name: getattr(inferer, name) for name in PARTS if hasattr(inferer, name)}
    return {name: settings_digest(_described(each)) for name, each in (parts | {"generator": generator}).items()}


def mask_digest(mask: Any = None) -> str:
    """SHA-256 of a mask (H, W) bool, or of a function that makes masks of batches; None is the publication's square.

    Example:
        >>> mask_digest() == mask_digest(square_mask(25)) != mask_digest(square_mask(41))
        True
    """
    mask = square_mask() if mask is None else mask
    if isinstance(mask, Tensor):
        mask = mask.detach().cpu().bool()
        mask = mask.reshape(mask.shape[-2:]) if mask.numel() == mask.shape[-2:].numel() else mask
    return settings_digest(_described(mask))


def _described(value: Any) -> Any:
    """A value as JSON, networks by their weights."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, torch.dtype):
        return str(value)
    if isinstance(value, nn.Module):
        return [_name(type(value)), bytes(digest_of(value).tolist()).hex()]
    if isinstance(value, Tensor | np.ndarray):
        array = np.ascontiguousarray(torch.as_tensor(value).detach().cpu().numpy())
        return [str(array.dtype), list(array.shape), array.tobytes().hex()]
    if isinstance(value, Mapping):
        return {str(name): _described(each) for name, each in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [_described(each) for each in (value if isinstance(value, Sequence) else sorted(value, key=repr))]
    if isinstance(value, functools.partial):
        return [_described(value.func), _described(value.args), _described(value.keywords)]
    if hasattr(value, "__qualname__"):
        return _name(value)
    public = {name: each for name, each in getattr(value, "__dict__", {}).items() if not name.startswith("_")}
    return {"class": _name(type(value)), **{n: _described(each) for n, each in public.items() if n not in OF_NO_MATTER}}


def _name(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"
