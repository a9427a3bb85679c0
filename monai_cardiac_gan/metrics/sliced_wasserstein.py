"""Sliced Wasserstein distance between small neighbourhoods of generated and real images, one size of structure at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from monai_cardiac_gan.metrics.image_pairs import SMALLEST_SIDE, canonical_order, checked_image_pair, checked_images
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = [
    "SlicedWassersteinMetric",
    "distance_of_neighbourhoods",
    "laplacian_pyramid",
    "local_neighbourhoods",
    "sliced_wasserstein",
    "sliced_wasserstein_distance",
]

NEIGHBOURHOOD = 7
"""Pixels on each side of a neighbourhood, and NEIGHBOURHOODS of them per image and level (Karras et al. 2018, section 5)."""
NEIGHBOURHOODS = 128
DIRECTIONS = 512
"""Random projections (the same place)."""
SCALE = 1e3
"""Distances are given in thousandths, as in the tables of the paper."""
BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
"""The smoothing filter of Burt and Adelson 1983, "The Laplacian pyramid as a compact image code", with a = 3/8."""
DIRECTIONS_AT_ONCE = 32
"""Bounds the memory: 32 projections of 5000 images are 80 MB."""
IMAGES_AT_ONCE = 256
MEAN = "sliced_wasserstein_mean"


def sliced_wasserstein_distance(
    generated: Tensor,
    real: Tensor,
    seed: int = 0,
    neighbourhoods: int = NEIGHBOURHOODS,
    directions: int = DIRECTIONS,
) -> dict[str, float]:
    r"""How different the local structure of generated and real images is, from fine to coarse.

    Each image becomes a Laplacian pyramid down to a side of 16 pixels or just above. On every level, 7 x 7 neighbourhoods
    around random pixels are vectors of 49 numbers; each sample's are scaled to mean 0 and standard deviation 1. Between the
    two clouds of vectors lies the sliced distance

    .. math:: 10^3 \, \frac{1}{K} \sum_k \int_0^1 \left| Q_{g \cdot \theta_k}(u) - Q_{r \cdot \theta_k}(u) \right| du

    over random unit directions :math:`\theta_k`, with quantile functions Q; samples may differ in size. The scaling
    hides brightness and contrast of a level: that a level is too weak as a whole shows in the power spectrum.

    Neighbourhoods and directions are the same for both samples and whatever the order of the images, so the distance of
    a sample to itself is 0. It falls with the size of the samples: compare distances of equally large ones.

    Args:
        generated: (N, 1, H, W); sides are halved while both halves are whole and at least 16 pixels.
        real: (M, 1, H, W).
        seed: of the pixels and directions.
        neighbourhoods: per image and level.
        directions: K.

    Returns:
        The distance of each level, named by the shorter side of its images (``sliced_wasserstein_128`` holds the finest
        structure of 128 x 128 patches), and their mean, ``sliced_wasserstein_mean``; in thousandths of a standard
        deviation.

    Raises:
        ValueError: when the images are not (N, 1, H, W) of one size of at least 16 pixels, hold a value that is not
            finite, or a count is not positive.

    Example:
        Contrast does not count, structure does:

        >>> noise = torch.randn(20, 1, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> ramp = torch.linspace(-1, 1, 32).expand(20, 1, 32, 32)
        >>> {name: round(distance) for name, distance in sliced_wasserstein_distance(2 * noise, noise).items()}
        {'sliced_wasserstein_32': 0, 'sliced_wasserstein_16': 0, 'sliced_wasserstein_mean': 0}
        >>> sliced_wasserstein_distance(ramp, noise)["sliced_wasserstein_mean"] > 100
        True

    Source: Karras et al. 2018, "Progressive growing of GANs for improved quality, stability, and variation", section 5.
    """
    if min(neighbourhoods, directions) < 1:
        raise ValueError(f"neighbourhoods {neighbourhoods} and directions {directions}: expected 1 or more of each.")
    pair = [canonical_order(images) for images in checked_image_pair(generated, real)]
    clouds = [local_neighbourhoods(images, seed, neighbourhoods) for images in pair]
    return distance_of_neighbourhoods(clouds[0], clouds[1], min(pair[0].shape[2:]), seed, directions)


def local_neighbourhoods(images: Tensor, seed: int = 0, neighbourhoods: int = NEIGHBOURHOODS) -> Tensor:
    """Neighbourhoods around random pixels of each image, on each level of its Laplacian pyramid.

    What is kept of an image for several comparisons: `distance_of_neighbourhoods` of any two selections is the sliced
    Wasserstein distance of their images, with pixels that are the same in every comparison.

    Args:
        images: (N, 1, H, W).
        seed: of the pixels, which differ between images.
        neighbourhoods: C, per image and level.

    Returns:
        (N, L, C, 49), levels from fine to coarse.

    Raises:
        ValueError: when the images are refused by `checked_images`.

    Example:
        >>> local_neighbourhoods(torch.zeros(3, 1, 64, 64), neighbourhoods=8).shape
        torch.Size([3, 3, 8, 49])
    """
    levels = [
        _neighbourhoods_of(level, neighbourhoods, (seed, number)).unflatten(0, (len(images), neighbourhoods))
        for number, level in enumerate(laplacian_pyramid(checked_images(images)))
    ]
    return torch.stack(levels, 1)


def distance_of_neighbourhoods(
    first: Tensor, second: Tensor, side: int, seed: int = 0, directions: int = DIRECTIONS
) -> dict[str, float]:
    """The distance of `sliced_wasserstein_distance` from what `local_neighbourhoods` gave of either sample.

    Args:
        first: (N, L, C, 49).
        second: (M, L, C, 49).
        side: shorter side of the images, which names the levels.
        seed: of the directions.
        directions: random projections.

    Returns:
        The distance of each level and their mean.

    Example:
        >>> clouds = local_neighbourhoods(torch.rand(4, 1, 32, 32))
        >>> distance_of_neighbourhoods(clouds, clouds, side=32)["sliced_wasserstein_mean"]
        0.0
    """
    distances = {}
    for level in range(first.shape[1]):
        clouds = [_scaled(sample[:, level].flatten(0, 1)) for sample in (first, second)]
        name = f"sliced_wasserstein_{side >> level}"
        distances[name] = SCALE * sliced_wasserstein(clouds[0], clouds[1], directions, seed)
    return distances | {MEAN: float(np.mean(list(distances.values())))}


class SlicedWassersteinMetric(TwoSampleMetric):
    """`sliced_wasserstein_distance` between all generated and all real images of the batches since the last reset.

    Args:
        part: the level to give as one number, for example ``"sliced_wasserstein_mean"``; all levels when not given.
        seed: of the pixels and directions.
        neighbourhoods: per image and level.
        directions: random projections.

    Example:
        >>> metric = SlicedWassersteinMetric(part="sliced_wasserstein_mean")
        >>> images = torch.randn(20, 1, 32, 32)
        >>> _ = metric(y_pred=images, y=images.flip(0))
        >>> metric.aggregate()
        0.0
    """

    function = staticmethod(sliced_wasserstein_distance)

    def __init__(
        self,
        part: str | None = None,
        seed: int = 0,
        neighbourhoods: int = NEIGHBOURHOODS,
        directions: int = DIRECTIONS,
    ) -> None:
        super().__init__(checked_images, part, seed=seed, neighbourhoods=neighbourhoods, directions=directions)


def laplacian_pyramid(images: Tensor) -> list[Tensor]:
    """Detail of each size of structure, from fine to coarse; the last level is the smoothed image that is left.

    Args:
        images: (N, 1, H, W); sides are halved while the halves are whole and at least 16 pixels.

    Example:
        >>> [tuple(level.shape[2:]) for level in laplacian_pyramid(torch.zeros(1, 1, 128, 128))]
        [(128, 128), (64, 64), (32, 32), (16, 16)]
    """
    levels = []
    while all(side % 2 == 0 and side // 2 >= SMALLEST_SIDE for side in images.shape[2:]):
        half = _smoothed(images)[..., ::2, ::2]
        levels.append(images - enlarged(half))
        images = half
    return [*levels, images]


def enlarged(images: Tensor) -> Tensor:
    """Images (N, 1, H, W) at twice the size, smooth between their pixels."""
    sparse = images.new_zeros(*images.shape[:2], 2 * images.shape[2], 2 * images.shape[3])
    sparse[..., ::2, ::2] = images
    return 4 * _smoothed(sparse)  # three of four pixels were zero


def sliced_wasserstein(first: Tensor, second: Tensor, directions: int = DIRECTIONS, seed: int = 0) -> float:
    """Mean Wasserstein-1 distance of two clouds of vectors, seen along random directions.

    Args:
        first: (N, F).
        second: (M, F).
        directions: how many.
        seed: of the directions.

    Example:
        Along any direction, moved points lie as far apart as the move is long on it; in one dimension that is all:

        >>> points = torch.tensor([[0.0], [1.0], [5.0]])
        >>> sliced_wasserstein(points + 3, points)
        3.0
    """
    rng = np.random.default_rng(seed)
    axes = torch.from_numpy(rng.standard_normal((first.shape[1], directions))).to(first)
    axes = axes / axes.norm(dim=0)
    pieces = (torch.from_numpy(part).to(first.device) for part in _common_quantiles(len(first), len(second)))
    ranks_first, ranks_second, widths = pieces
    total = 0.0
    for some in axes.split(DIRECTIONS_AT_ONCE, dim=1):
        along_first, along_second = (_sorted_rows(some.T @ cloud.T) for cloud in (first, second))
        gaps = (along_first.index_select(1, ranks_first) - along_second.index_select(1, ranks_second)).abs()
        total += (gaps.double() @ widths).sum().item()
    return total / directions


def _common_quantiles(n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where two empirical quantile functions are both constant: the rank in either sample, and how wide each piece is."""
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)  # in parts of n * m, which are exact
    starts = np.concatenate([[0], ends[:-1]])
    return starts // m, starts // n, (ends - starts) / (n * m)


def _sorted_rows(values: Tensor) -> Tensor:
    if values.device.type != "cpu":
        return values.sort(dim=1).values
    return torch.from_numpy(np.sort(values.numpy(), axis=1))  # on a CPU ten times as fast as torch


def _smoothed(images: Tensor) -> Tensor:
    weights = images.new_tensor(BINOMIAL)
    kernel = torch.outer(weights, weights)[None, None]
    margin = [len(BINOMIAL) // 2] * 4
    parts = [F.conv2d(F.pad(some, margin, mode="reflect"), kernel) for some in images.split(IMAGES_AT_ONCE)]
    return torch.cat(parts)


def _neighbourhoods_of(images: Tensor, count: int, seed: tuple[int, ...]) -> Tensor:
    """Vectors (N * count, 49) around pixels drawn anew for each image, the same for every sample."""
    rng = np.random.default_rng(seed)
    places = [side - NEIGHBOURHOOD + 1 for side in images.shape[2:]]
    corners = torch.from_numpy(rng.integers(places, size=(len(images), count, 2))).to(images.device)
    steps = torch.arange(NEIGHBOURHOOD, device=images.device)
    rows = corners[:, :, 0, None, None] + steps[:, None]
    columns = corners[:, :, 1, None, None] + steps
    which = torch.arange(len(images), device=images.device)[:, None, None, None]
    return images[which, 0, rows, columns].flatten(0, 1).flatten(1)


def _scaled(cloud: Tensor) -> Tensor:
    spread = cloud.std(correction=0)
    return (cloud - cloud.mean()) / torch.where(spread > 0, spread, 1.0)
