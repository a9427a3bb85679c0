"""Shapes that all networks share: sides and channels of the layers of a pyramid, latents."""

from __future__ import annotations

from torch import Tensor

__all__ = ["channels_at", "check_latents", "resolutions_up_to"]

SMALLEST = 4
"""Side of the smallest layer, pixels."""
FULL = 128
"""Side of a patch, pixels: where a network's width is counted."""


def resolutions_up_to(size: int) -> list[int]:
    """Sides of the layers, each twice the one before.

    Raises:
        ValueError: when the size is no power of two from 8 to 128.

    Example:
        >>> resolutions_up_to(32)
        [4, 8, 16, 32]
    """
    sides = [SMALLEST]
    while sides[-1] < FULL:
        sides.append(2 * sides[-1])
    if size not in sides[1:]:
        raise ValueError(f"size is {size}, expected one of {sides[1:]}: choose the side of the patches in pixels.")
    return sides[: sides.index(size) + 1]


def channels_at(side: int, width: int, max_channels: int) -> int:
    """Channels of a layer: twice as many at half the side, up to a most.

    Raises:
        ValueError: when width or max_channels is below 1.

    Example:
        >>> channels_at(32, width=16, max_channels=256)
        64
    """
    if min(width, max_channels) < 1:
        raise ValueError(
            f"width {width} and max_channels {max_channels} must be at least 1: give positive whole numbers."
        )
    return min(width * FULL // side, max_channels)


def check_latents(latents: Tensor, latent_size: int) -> None:
    """Refuse what is not one row of numbers for each patch.

    Args:
        latents: (N, latent_size) or (N, latent_size, 1, 1).
        latent_size: numbers in a latent vector.

    Raises:
        ValueError: when the latents have another shape.
    """
    shape = latents.shape
    if list(shape[1:]) != [latent_size] and list(shape[1:]) != [latent_size, 1, 1]:
        raise ValueError(
            f"latents are {list(shape)}, expected (N, {latent_size}) or (N, {latent_size}, 1, 1): "
            "give one row of numbers for each patch."
        )
