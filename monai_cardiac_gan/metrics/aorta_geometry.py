"""Size and place of the aorta in generated patches, beside those in real ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy.stats import ks_2samp
from torch import Tensor

from monai_cardiac_gan.aorta import measure_disc
from monai_cardiac_gan.metrics.image_pairs import checked_image_pair, checked_images
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric

__all__ = ["AortaGeometry", "AortaGeometryMetric", "aorta_geometry", "aorta_geometry_distance"]

FARTHEST = 1.0
"""Largest Kolmogorov-Smirnov statistic: two samples that do not overlap."""


@dataclass(frozen=True, eq=False)
class AortaGeometry:
    """The discs that were found in N patches, K of them.

    Attributes:
        found: (N,) bool, where a disc was found.
        diameters_mm: (K,).
        centres_mm: (K, 2), along rows and columns from the middle of the patch.
    """

    found: np.ndarray
    diameters_mm: np.ndarray
    centres_mm: np.ndarray

    @property
    def found_share(self) -> float:
        """Share of the patches in which a disc was found."""
        return float(self.found.mean())


def aorta_geometry(images: Tensor, pixel_mm: float = 1.0) -> AortaGeometry:
    """Measure the aorta in each image.

    Args:
        images: (N, 1, H, W) brightness in any unit, the aorta within 15 mm of the middle.
        pixel_mm: side of a pixel, mm: 1 for patches of 128 x 128 pixels, 2 for the same patches at 64 x 64.

    Returns:
        What `measure_disc` found.

    Raises:
        ValueError: when the images are not (N, 1, H, W) of at least 16 pixels a side, hold a value that is not finite, or
            the pixel has no positive side.

    Example:
        >>> rows, columns = np.ogrid[:128, :128]
        >>> disc = np.clip(10.5 - np.hypot(rows - 66.5, columns - 60.5), 0, 1)
        >>> geometry = aorta_geometry(torch.from_numpy(np.stack([disc, 0 * disc])[:, None]))
        >>> geometry.found_share, geometry.diameters_mm.round(), geometry.centres_mm.round(1)
        (0.5, array([20.]), array([[ 3., -3.]]))
    """
    return _geometry(_measured(images, pixel_mm))


def aorta_geometry_distance(generated: Tensor, real: Tensor, pixel_mm: float = 1.0) -> dict[str, float]:
    """How different the sizes and places of the aorta are in generated and real patches.

    Args:
        generated: (N, 1, H, W).
        real: (M, 1, H, W).
        pixel_mm: side of a pixel, mm.

    Returns:
        The Kolmogorov-Smirnov statistic, the largest difference of two cumulative distributions in 0..1, of
        ``aorta_diameter_ks``, ``aorta_row_ks`` and ``aorta_column_ks``, each 1 when no generated patch shows an aorta; the
        shares of patches that show one, ``aorta_found_generated`` and ``aorta_found_real``, and the absolute difference of
        these, ``aorta_found_difference``.

    Raises:
        ValueError: when the images are refused by `aorta_geometry`, differ in size, or no real one shows an aorta.

    Example:
        >>> rows, columns = np.ogrid[:128, :128]
        >>> discs = [np.clip(radius - np.hypot(rows - 60, columns - 63), 0, 1) for radius in (9, 10, 11, 14)]
        >>> discs = torch.from_numpy(np.stack(discs)[:, None])
        >>> aorta_geometry_distance(discs[2:], discs[:2])["aorta_diameter_ks"]
        1.0
    """
    generated, real = checked_image_pair(generated, real)
    return _distance_of_measures(_measured(generated, pixel_mm), _measured(real, pixel_mm))


def _measured(images: Tensor, pixel_mm: float) -> Tensor:
    """Diameter and centre (N, 3) in float64, mm; NaN where no disc was found."""
    images = checked_images(images)
    middle = (np.array(images.shape[2:]) - 1) / 2
    measures = np.full((len(images), 3), np.nan)
    for row, image in zip(measures, images[:, 0].float().cpu().numpy(), strict=True):
        disc = measure_disc(image, pixel_mm)
        if disc is not None:
            row[:] = disc.diameter_mm, *((disc.centre - middle) * pixel_mm)
    return torch.from_numpy(measures).to(images.device)


def _geometry(measures: Tensor) -> AortaGeometry:
    values = measures.cpu().numpy()
    found = ~np.isnan(values[:, 0])
    return AortaGeometry(found, values[found, 0], values[found, 1:])


def _distance_of_measures(generated: Tensor, real: Tensor) -> dict[str, float]:
    painted, seen = _geometry(generated), _geometry(real)
    if not seen.found.any():
        raise ValueError(
            f"no aorta was found in any of {len(real)} real images: check the side of a pixel, and that patches show the "
            "aorta near their middle."
        )
    return {
        "aorta_diameter_ks": _statistic(painted.diameters_mm, seen.diameters_mm),
        "aorta_row_ks": _statistic(painted.centres_mm[:, 0], seen.centres_mm[:, 0]),
        "aorta_column_ks": _statistic(painted.centres_mm[:, 1], seen.centres_mm[:, 1]),
        "aorta_found_difference": abs(painted.found_share - seen.found_share),
        "aorta_found_generated": painted.found_share,
        "aorta_found_real": seen.found_share,
    }


def _statistic(generated: np.ndarray, real: np.ndarray) -> float:
    return float(ks_2samp(generated, real).statistic) if len(generated) else FARTHEST


class AortaGeometryMetric(TwoSampleMetric):
    """`aorta_geometry_distance` between all generated and all real images of the batches since the last reset.

    Each batch is measured as it comes (about 15 ms an image on one CPU core), and only the measures are kept.

    Args:
        part: the one number to give, for example ``"aorta_diameter_ks"``; all six when not given.
        pixel_mm: side of a pixel, mm.

    Example:
        >>> rows, columns = np.ogrid[:128, :128]
        >>> discs = [np.clip(radius - np.hypot(rows - 60, columns - 63), 0, 1) for radius in (9, 10, 11, 14)]
        >>> discs = torch.from_numpy(np.stack(discs)[:, None])
        >>> metric = AortaGeometryMetric(part="aorta_diameter_ks")
        >>> _ = metric(y_pred=discs[1:], y=discs[1:].flip(0))
        >>> metric.aggregate()
        0.0
    """

    function = staticmethod(_distance_of_measures)

    def __init__(self, part: str | None = None, pixel_mm: float = 1.0) -> None:
        super().__init__(partial(_measured, pixel_mm=pixel_mm), part)
