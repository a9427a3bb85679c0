"""Latents as all generators take them."""

from __future__ import annotations

from torch import Tensor

__all__ = ["checked_latents"]


def checked_latents(latents: Tensor, latent_size: int) -> Tensor:
    """One row of numbers for each patch, (N, latent_size).

    Args:
        latents: (N, latent_size) or (N, latent_size, 1, 1).
        latent_size: numbers in a latent vector.

    Raises:
        ValueError: when the latents have another shape.
    """
    shape = latents.shape
    if shape[1:] != (latent_size,) and shape[1:] != (latent_size, 1, 1):
        raise ValueError(
            f"latents are {list(shape)}, expected (N, {latent_size}) or (N, {latent_size}, 1, 1): "
            "give one row of numbers for each patch."
        )
    return latents.reshape(shape[0], latent_size)
