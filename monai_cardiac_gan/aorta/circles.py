"""Bright or bright-walled discs of unknown radius in an image: a circular Hough transform that uses edge directions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft, ndimage
from skimage.feature import peak_local_max

__all__ = ["CircleCandidates", "find_circles", "hough_circles", "or_walled"]

EDGE_SCALE_PIXELS = 1.2
"""Standard deviation of the Gaussian whose derivative is the edge filter; about the blur of a 1.5 mm grid."""
EDGE_QUANTILE = 0.9
"""Edges stronger than this quantile of an image count fully, so that no single bright organ outvotes the others."""
RIM_SIGMA_PIXELS = 0.7
"""Softness of a rim: radii are tried one pixel apart, so each rim must reach half-way to the next."""
FILL_ANGLES = 16
"""Directions in which the filling of a disc is sampled."""
INNER_ZONE, OUTER_ZONE = (0.0, 0.15, 0.3), (0.5, 0.6, 0.7)
"""Fractions of the radius at which the inside and the surrounding of a disc's middle are sampled."""
HOLLOW, FILLED = 0.6, 0.85
"""Inner over outer brightness below which a disc is hollow (score 0) and above which it is filled (score kept); the
spinal canal of bright-blood volumes lies at 0.3 to 0.6, vessels at 0.95 to 1.1."""


@dataclass(frozen=True)
class CircleCandidates:
    """The best circles of one image, best first.

    Attributes:
        centres: (k, 2) row and column, pixels.
        radii: (k,) pixels.
        scores: (k,) share of the circle's rim that is an edge from bright (inside) to dark or a bright wall, less for
            hollow discs, 0 to 1.
    """

    centres: np.ndarray
    radii: np.ndarray
    scores: np.ndarray


def hough_circles(image: np.ndarray, radii: np.ndarray) -> np.ndarray:
    r"""Vote for bright discs: the mean outward fall of brightness along the rim of each circle.

    .. math:: H(c, r) = \frac{1}{2 \pi r} \oint_{|x - c| = r} -\hat g(x) \cdot n(x) \, \mathrm{d}x

    where :math:`\hat g` is the image gradient, its length saturated at 1, and :math:`n` the outward normal. Each edge
    votes along its own direction only (Kimme, Ballard and Sklansky 1975), so a rim of the wrong polarity counts against.

    Args:
        image: (H, W), any intensity unit.
        radii: (R,) pixels.

    Returns:
        Votes (R, H, W) between -1 and 1; 1 for a perfect bright disc.

    Example:
        >>> rows, columns = np.ogrid[:64, :64]
        >>> disc = (np.hypot(rows - 30, columns - 33) < 9).astype(np.float32)
        >>> votes = hough_circles(disc, np.arange(6, 13))
        >>> [int(i) for i in np.unravel_index(votes.max(0).argmax(), disc.shape)]
        [30, 33]
    """
    gradient = _saturated_gradient(image)
    reach = int(np.ceil(radii.max())) + 1
    # one margin is enough: what wraps around from either side falls into it
    shape = [fft.next_fast_len(size + reach, real=True) for size in image.shape]
    spectra = fft.rfft2(gradient, shape)
    rims = _rim_spectra(tuple(radii.tolist()), (shape[0], shape[1]))
    product = rims[0] * spectra[0]
    product += rims[1] * spectra[1]
    votes = fft.irfft2(product, shape, overwrite_x=True)
    return votes[:, : image.shape[0], : image.shape[1]]


def or_walled(votes: np.ndarray) -> np.ndarray:
    r"""Let discs with a bright wall count as much as bright discs: late enhancement shows grey blood in a bright wall.

    .. math:: H'(c, r) = \max(H(c, r),\; H(c, r + 1) - H(c, r - 1))

    A wall is about as thin as the edge filter is wide, so its two edges, which have opposite signs, lose about half of
    their length to each other: their difference, not half of it, is 1 where a wall is as clear as a plain rim.

    Args:
        votes: (R, H, W) of `hough_circles` at radii one pixel apart.

    Returns:
        Votes (R, H, W); the first and the last radius have no neighbours and keep theirs.

    Example:
        >>> rows, columns = np.ogrid[:64, :64]
        >>> distance = np.hypot(rows - 30, columns - 33)
        >>> grey_in_white = np.where(distance < 9, 0.4, 0.0) + 0.6 * (np.abs(distance - 9) < 1)
        >>> votes = or_walled(hough_circles(grey_in_white, np.arange(6, 13)))
        >>> [int(i) for i in np.unravel_index(votes.argmax(), votes.shape)]  # radius 6 + 2, row, column
        [2, 30, 33]
    """
    walled = votes.copy()
    np.maximum(votes[1:-1], votes[2:] - votes[:-2], out=walled[1:-1])
    return walled


def find_circles(image: np.ndarray, radii: np.ndarray, count: int, distance: int) -> CircleCandidates:
    """The best evenly filled circles of an image, bright or bright-walled.

    Args:
        image: (H, W), not negative.
        radii: (R,) radii to try, one pixel apart, pixels.
        count: how many circles to return at the most.
        distance: smallest distance of two centres, pixels.
    """
    votes = or_walled(hough_circles(image, radii))
    best = votes.max(0)
    centres = peak_local_max(best, min_distance=distance, threshold_abs=0.0, num_peaks=count, exclude_border=False)
    rows, columns = centres.T
    found = radii[votes[:, rows, columns].argmax(0)].astype(np.float64)
    scores = np.clip(best[rows, columns], 0.0, 1.0) * _evenly_filled(image, centres, found)
    order = np.argsort(-scores, kind="stable")
    return CircleCandidates(centres[order].astype(np.float64), found[order], scores[order])


def _evenly_filled(image: np.ndarray, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """1 for discs as bright inside as near the rim, falling to 0: the spinal canal is a bright ring around the cord."""
    angles = np.arange(FILL_ANGLES) * 2 * np.pi / FILL_ANGLES
    unit = np.stack([np.cos(angles), np.sin(angles)], -1)
    zones = []
    for fractions in (INNER_ZONE, OUTER_ZONE):
        steps = np.multiply.outer(np.asarray(fractions), unit).reshape(-1, 2)
        points = centres[:, None] + radii[:, None, None] * steps[None]
        zones.append(ndimage.map_coordinates(image, np.moveaxis(points, -1, 0), order=1, mode="nearest").mean(1))
    ratio = zones[0] / np.maximum(zones[1], np.finfo(np.float32).tiny)
    return np.clip((ratio - HOLLOW) / (FILLED - HOLLOW), 0.0, 1.0)


def _saturated_gradient(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image, dtype=np.float32)
    blur, slope = zip(*(_edge_filters(size) for size in image.shape), strict=True)
    gradient = np.stack([slope[0] @ image @ blur[1].T, blur[0] @ image @ slope[1].T])
    length = np.hypot(*gradient)
    full = np.quantile(length, EDGE_QUANTILE)
    return gradient / np.maximum(length, max(full, np.finfo(np.float32).tiny))


@lru_cache(maxsize=16)
def _edge_filters(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (size, size) of the Gaussian and of its derivative; as products they are twice as fast as filters."""
    unit = np.eye(size, dtype=np.float32)
    blur, slope = (ndimage.gaussian_filter1d(unit, EDGE_SCALE_PIXELS, axis=0, order=order) for order in (0, 1))
    return blur, slope


@lru_cache(maxsize=8)
def _rim_spectra(radii: tuple[float, ...], shape: tuple[int, int]) -> np.ndarray:
    """Spectra (2, R, H, W/2+1) of the kernels that sum -g·n over each rim: 2 for the components of the gradient."""
    rows, columns = np.meshgrid(*(fft.fftfreq(size, 1 / size) for size in shape), indexing="ij")
    distance = np.hypot(rows, columns)
    kernels = []
    for radius in radii:
        rim = np.exp(-0.5 * ((distance - radius) / RIM_SIGMA_PIXELS) ** 2)
        rim /= rim.sum() * np.maximum(distance, np.finfo(np.float32).eps)
        # a convolution mirrors its kernel, and n is odd: that mirroring supplies the minus sign of -g·n
        kernels.append(np.stack([rim * rows, rim * columns]))
    return fft.rfft2(np.stack(kernels, 1).astype(np.float32), shape)
