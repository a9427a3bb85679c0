"""Whether a scan is of the kind of some others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["KindOfScan", "learn_kind"]

FEWEST = 3
"""Scans that tell a kind."""
LEAST = 1e-6
"""Standard deviation, and limit, of scans that are all alike."""
FLOOR = 0.2
"""Share of the mean standard deviation that each direction has at least: a few scans agree by chance in some."""


@dataclass(frozen=True)
class KindOfScan:
    r"""The mean textures of some people's scans.

    .. math:: d = \sqrt{\frac{1}{D} \sum_i \frac{(t_i - \mu_i)^2}{\sigma_i^2}}

    Attributes:
        mean: (D,) :math:`\mu`.
        std: (D,) :math:`\sigma`.
        limit: the largest distance of one of them from all the others.
    """

    mean: np.ndarray
    std: np.ndarray
    limit: float

    def distance(self, texture: np.ndarray) -> float:
        """How far a scan's texture (D,) lies from them, in limits: up to 1 it is of their kind.

        Raises:
            ValueError: when it has another length.
        """
        texture = np.asarray(texture, float)
        if texture.shape != self.mean.shape:
            raise ValueError(
                f"the texture is {texture.shape}: expected {self.mean.shape}, of the network that the kind was learnt with."
            )
        return float(np.sqrt(np.mean(((texture - self.mean) / self.std) ** 2))) / self.limit


def learn_kind(textures: Mapping[str, np.ndarray]) -> KindOfScan:
    """The kind of some scans.

    A further scan of their kind lies beyond the limit with a probability of at most 1 / (n + 1), if all are exchangeable.

    Args:
        textures: name -> (D,) mean texture of a scan (`inferers.textures_of`).

    Raises:
        ValueError: when there are fewer than three.

    Example:
        >>> kind = learn_kind({"a": np.array([0.0, 1.0]), "b": np.array([1.0, 0.0]), "c": np.array([1.0, 1.0])})
        >>> kind.distance(np.array([0.5, 0.5])) <= 1, kind.distance(np.array([9.0, 9.0])) <= 1
        (True, False)
    """
    if len(textures) < FEWEST:
        raise ValueError(
            f"{len(textures)} scans: expected at least {FEWEST}, which tell how much scans of a kind differ."
        )
    rows = np.array(list(textures.values()), float)
    distances = [_kind(np.delete(rows, index, 0), 1.0).distance(rows[index]) for index in range(len(rows))]
    return _kind(rows, max(distances))


def _kind(rows: np.ndarray, limit: float) -> KindOfScan:
    stds = rows.std(0, ddof=1)
    return KindOfScan(rows.mean(0), np.maximum(np.hypot(stds, FLOOR * stds.mean()), LEAST), max(limit, LEAST))
