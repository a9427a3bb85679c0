"""What a search rests on, as digests: its settings and the weights of its networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from monai_cardiac_gan.data import settings_digest, settings_of
from monai_cardiac_gan.inferers.amortised import AmortisedInferer
from monai_cardiac_gan.inferers.latent_bank import digest_of
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.masks import square_mask

__all__ = ["mask_digest", "search_digests"]

PARTS = ("starts", "loss", "initializer", "optimizer", "proposal", "blending", "autocast")
"""Of a search, which change what it finds."""
PARTS_OF_ANSWERS = ("starts", "latent_size", "seed", "blending")
"""Of an `AmortisedInferer`: all patches get the same latents, so that the seed decides how far apart all answers lie."""
OF_GENERATOR = ("spread", "typical_noise", "has_noise")
"""Of a generator, which its weights do not tell."""
OF_NO_MATTER = ("seed", "progress")
"""Attributes that change nothing but noise and what is shown."""
PACKAGE = "monai_cardiac_gan."
"""What this package's own objects keep under a leading underscore is made from what they were given."""


def search_digests(inferer: LatentInpaintingInferer | AmortisedInferer, generator: nn.Module) -> dict[str, str]:
    """Parts of a search, and what stands for each: two searches that differ in a setting or a weight differ in a part.

    Args:
        inferer: the search, with its weights loaded.
        generator: whose latents are searched or drawn.

    Returns:
        ``"generator"`` and the names of the parts -> SHA-256, hexadecimal. The seed of a search does not count.

    Raises:
        TypeError: when a part cannot be told, such as a lambda (`data.settings_of`).
    """
    names = PARTS_OF_ANSWERS if isinstance(inferer, AmortisedInferer) else PARTS
    parts = {name: getattr(inferer, name) for name in names if hasattr(inferer, name)}
    parts |= {name: getattr(generator, name) for name in OF_GENERATOR if hasattr(generator, name)}
    return {name: settings_digest(_described(each)) for name, each in (parts | {"generator": generator}).items()}


def mask_digest(mask: Any = None) -> str:
    """SHA-256 of a mask (H, W) bool, or of a function that makes masks of batches; None is the publication's square.

    Raises:
        TypeError: when a function cannot be told, such as a lambda (`data.settings_of`).

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
    """Settings as JSON values, networks by their weights; what a search derives from them is left out."""
    if isinstance(value, nn.Module):
        return [f"{type(value).__module__}.{type(value).__qualname__}", bytes(digest_of(value).tolist()).hex()]
    if isinstance(value, Mapping):
        return {str(name): _described(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_described(each) for each in value]
    if isinstance(value, Tensor):
        return settings_of(value.detach().cpu())
    if type(value).__module__.startswith(PACKAGE) and hasattr(value, "__dict__"):
        public = {name: each for name, each in vars(value).items() if not name.startswith("_")}
        parts = {name: each for name, each in public.items() if name not in OF_NO_MATTER}
        return {"class": type(value).__qualname__, **{name: _described(each) for name, each in parts.items()}}
    return settings_of(value)
