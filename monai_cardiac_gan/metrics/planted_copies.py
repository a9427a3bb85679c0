"""Copies of patches as a generator might make them: what a detector of copies has to find."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["moved", "planted_copies"]

MOST_SHIFT = 4.0
"""Pixels, along either axis and to either side."""
MOST_RESIZED = 0.05
"""Share by which a copy is larger or smaller."""
MOST_GAIN, MOST_OFFSET = 0.2, 0.1
"""By how much contrast (as a share) and brightness (of a range of 2) are off."""
NOISE = 0.1
"""Standard deviation, of a range of 2."""


def planted_copies(train: Tensor, count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Some training patches, each shifted, resized, of another contrast and brightness, and noisy.

    Args:
        train: (M, 1, H, W) in [-1, 1].
        count: how many copies; a patch is copied twice only where there are more copies than patches.
        seed: of the choice and of all changes, which are uniform: shifts to 4 pixels, sizes of 0.95 to 1.05, contrast of 0.8 to
            1.2, brightness to 0.1; the noise is normal, of standard deviation 0.1.

    Returns:
        Copies (count, 1, H, W) in [-1, 1], and which patch each is a copy of (count,).

    Raises:
        ValueError: when there is no patch, or no copy is asked for.

    Example:
        >>> copies, originals = planted_copies(torch.zeros(5, 1, 32, 32), 3)
        >>> copies.shape, len(set(originals.tolist()))
        (torch.Size([3, 1, 32, 32]), 3)
    """
    if len(train) == 0 or count < 1:
        raise ValueError(f"{count} copies of {len(train)} patches are asked for, expected at least 1 of at least 1.")
    random = torch.Generator().manual_seed(seed)
    rounds = [torch.randperm(len(train), generator=random) for _ in range(-(-count // len(train)))]
    originals = torch.cat(rounds)[:count]

    def off(most: float, *shape: int) -> Tensor:
        return most * (2 * torch.rand(count, *shape, generator=random) - 1)

    copies = moved(train[originals].float(), 1 + off(MOST_RESIZED), off(MOST_SHIFT, 2))
    copies = copies * (1 + off(MOST_GAIN))[:, None, None, None] + off(MOST_OFFSET)[:, None, None, None]
    return (copies + NOISE * torch.randn(copies.shape, generator=random)).clamp(-1, 1), originals


def moved(images: Tensor, sizes: Tensor, shifts: Tensor) -> Tensor:
    """Images resized around their middle and then shifted; the border goes on where nothing is known.

    Args:
        images: (N, C, H, W).
        sizes: (N,) factors, above 1 enlarges.
        shifts: (N, 2) pixels along rows and columns.

    Returns:
        The same shape, interpolated linearly.

    Example:
        >>> image = torch.zeros(1, 1, 5, 5)
        >>> image[0, 0, 2, 2] = 1
        >>> moved(image, torch.ones(1), torch.tensor([[1.0, 0.0]]))[0, 0, 3, 2]
        tensor(1.)
    """
    sides = torch.tensor(images.shape[2:], dtype=images.dtype)
    # a pixel of the result looks up where it came from, in halves of a side, columns first
    back = -(2 * shifts / sides).flip(1) / sizes[:, None]
    scale = torch.diag_embed((1 / sizes)[:, None].expand(-1, 2))
    grid = F.affine_grid(torch.cat([scale, back[:, :, None]], 2), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
