"""Nearest neighbours by brute force, a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = ["distances_by_rows", "kth_neighbour_distances", "nearest"]

BLOCK = 2**23
"""Distances held at once: 64 MB in float64, small beside 10 000 x 1000 features."""


def distances_by_rows(queries: Tensor, points: Tensor) -> Iterator[tuple[slice, Tensor]]:
    r"""Euclidean distances of some queries at a time to all points.

    They come from :math:`\lVert q \rVert^2 - 2 q \cdot p + \lVert p \rVert^2` of centred vectors, whose rounding is about
    the vectors' length times the root of the precision (1.5e-8 in float64).

    Args:
        queries: (N, F).
        points: (M, F), same precision.

    Yields:
        Which queries, and their distances (n, M).

    Example:
        >>> [(rows, block)] = distances_by_rows(torch.zeros(1, 2), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
        >>> block
        tensor([[5., 1.]])
    """
    centre = points.mean(0)
    points = points - centre
    squares = points.square().sum(1)
    height = max(1, BLOCK // len(points))
    for start in range(0, len(queries), height):
        rows = slice(start, min(start + height, len(queries)))
        some = queries[rows] - centre
        block = torch.addmm(squares, some, points.T, alpha=-2).add_(some.square().sum(1, keepdim=True))
        yield rows, block.clamp_(min=0).sqrt_()


def kth_neighbour_distances(points: Tensor, k: int) -> Tensor:
    """Distance (N,) of each point to its k-th nearest other point.

    Raises:
        ValueError: when there are not more than k points, or k is below 1.

    Example:
        >>> kth_neighbour_distances(torch.tensor([[0.0], [1.0], [3.0]]), k=2)
        tensor([3., 2., 3.])
    """
    if not 1 <= k < len(points):
        raise ValueError(
            f"k is {k} for {len(points)} samples, expected 1 to {len(points) - 1}: a sample has that many other ones."
        )
    radii = points.new_empty(len(points))
    for rows, block in distances_by_rows(points, points):
        without_self(block, rows)
        radii[rows] = block.topk(k, largest=False).values[:, -1]
    return radii


def nearest(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Distance (N,) of each query to the nearest point, and that point's index (N,).

    Example:
        >>> nearest(torch.tensor([[2.0]]), torch.tensor([[0.0], [1.0], [5.0]]))
        (tensor([1.]), tensor([1]))
    """
    distances, indices = queries.new_empty(len(queries)), torch.empty(len(queries), dtype=torch.long)
    indices = indices.to(queries.device)
    for rows, block in distances_by_rows(queries, points):
        distances[rows], indices[rows] = block.min(1)
    return distances, indices


def without_self(block: Tensor, rows: slice) -> Tensor:
    """Put the distances of points to themselves, in a block of rows of a square matrix, out of reach (in place)."""
    block.diagonal(rows.start).fill_(torch.inf)
    return block
