"""The checked images that a comparison of generated with real patches starts from."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["SMALLEST_SIDE", "canonical_order", "checked_image_pair", "checked_images"]

SMALLEST_SIDE = 16
"""Pixels: the coarsest level of an image pyramid (Karras et al. 2018, section 5), and the smallest patch with a disc."""


def checked_images(images: Tensor, name: str = "given") -> Tensor:
    """Images as a plain tensor of single or double precision.

    Args:
        images: (N, 1, H, W), sides of at least 16 pixels.
        name: which images these are, for the message.

    Raises:
        ValueError: when there are none, the shape is another one, or a value is not finite.

    Example:
        >>> checked_images(torch.zeros(2, 1, 32, 32, dtype=torch.float16)).dtype
        torch.float32
    """
    if images.ndim != 4 or len(images) == 0 or images.shape[1] != 1 or min(images.shape[2:]) < SMALLEST_SIDE:
        raise ValueError(
            f"the {name} images are {list(images.shape)}, expected (N, 1, H, W) with at least one image, and sides of at "
            f"least {SMALLEST_SIDE} pixels."
        )
    plain = images.detach().as_subclass(Tensor)  # a MetaTensor would copy its metadata with every step
    if not torch.isfinite(plain).all():
        raise ValueError(
            f"the {name} images hold values that are not finite: look for where the generator or the scaling fails."
        )
    return plain.to(torch.promote_types(plain.dtype, torch.float32))


def checked_image_pair(generated: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Both samples checked, and of one size.

    Args:
        generated: (N, 1, H, W).
        real: (M, 1, H, W).

    Raises:
        ValueError: when one of them is refused by `checked_images`, or H or W differs.

    Example:
        >>> [len(images) for images in checked_image_pair(torch.zeros(2, 1, 32, 32), torch.zeros(3, 1, 32, 32))]
        [2, 3]
    """
    generated, real = checked_images(generated, "generated"), checked_images(real, "real")
    if generated.shape[2:] != real.shape[2:]:
        raise ValueError(
            f"the generated images are {list(generated.shape[2:])} pixels and the real ones {list(real.shape[2:])}, "
            "expected one size: crop or resize them first."
        )
    return generated, real


def canonical_order(images: Tensor) -> Tensor:
    """The same images in an order that depends on nothing but their values.

    What is drawn at random for each image then does not depend on how a loader or several processes ordered them.

    Args:
        images: (N, ...) in any order.

    Example:
        >>> images = torch.tensor([[0.5, 0.0], [0.25, 1.0], [0.5, 1.0]])
        >>> torch.equal(canonical_order(images), canonical_order(images[[2, 0, 1]]))
        True
    """
    contents = [image.tobytes() for image in images.cpu().numpy()]
    return images[sorted(range(len(contents)), key=contents.__getitem__)]
