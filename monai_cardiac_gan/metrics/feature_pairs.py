"""The checked pair of feature matrices that every comparison of two samples starts from."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["checked_features"]


def checked_features(generated: Tensor, real: Tensor, at_least: int = 2) -> tuple[Tensor, Tensor]:
    """The two samples as plain matrices of one precision: that of the finer of the two, float32 or float64.

    Args:
        generated: features of generated samples (N, F).
        real: features of real samples (M, F).
        at_least: rows that each needs.

    Raises:
        ValueError: when one is no matrix, has too few rows or values that are not finite, or when F differs.

    Example:
        >>> halves, doubles = torch.zeros(3, 2, dtype=torch.float16), torch.zeros(4, 2, dtype=torch.float64)
        >>> [matrix.dtype for matrix in checked_features(halves, doubles)]
        [torch.float64, torch.float64]
    """
    for name, matrix in (("generated", generated), ("real", real)):
        if matrix.ndim != 2:
            raise ValueError(
                f"{name} features are {list(matrix.shape)}, expected (N, F): give one row of numbers for each sample "
                "(images have to be flattened or pass a feature network first)."
            )
        if len(matrix) < at_least:
            raise ValueError(
                f"there are {len(matrix)} {name} samples, expected at least {at_least}: give more of them."
            )
        if not torch.isfinite(matrix).all():
            raise ValueError(
                f"{name} features hold values that are not finite: look for the samples that the network fails on."
            )
    if generated.shape[1] != real.shape[1]:
        raise ValueError(
            f"generated samples have {generated.shape[1]} features and real ones {real.shape[1]}: "
            "pass both through the same feature network."
        )
    precision = torch.promote_types(torch.promote_types(generated.dtype, real.dtype), torch.float32)
    return _plain(generated, precision), _plain(real, precision)


def _plain(matrix: Tensor, precision: torch.dtype) -> Tensor:
    # a MetaTensor would copy its metadata with every product
    return matrix.detach().as_subclass(Tensor).to(precision)
