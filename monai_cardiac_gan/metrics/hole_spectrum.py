"""Are painted holes as sharp as what they hid? Their spectra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from monai_cardiac_gan.metrics.image_pairs import SMALLEST_SIDE
from monai_cardiac_gan.metrics.power_spectrum import power_spectrum_distance
from monai_cardiac_gan.metrics.real_vs_real import real_vs_real

__all__ = ["HoleSpectrum", "crop_holes", "hole_spectrum"]


@dataclass(frozen=True)
class HoleSpectrum:
    """Distances in dB, see `power_spectrum_distance`.

    Attributes:
        distance_db: of painted from original holes.
        real_vs_real_db: of original holes of some people from those of others; None for fewer than two people.
    """

    distance_db: float
    real_vs_real_db: float | None

    @property
    def ratio(self) -> float | None:
        """Distance over that of originals; None without the latter."""
        return self.distance_db / self.real_vs_real_db if self.real_vs_real_db else None


def crop_holes(images: Tensor, masks: Tensor) -> Tensor:
    """The middle of each hole, squares of one size: the largest that fits the bounding box of each.

    Args:
        images: (N, 1, H, W).
        masks: the same shape, bool, true where hidden; some in each.

    Returns:
        (N, 1, S, S); of square holes of one size the holes themselves.

    Raises:
        ValueError: when a mask hides nothing, or the shapes differ.

    Example:
        >>> mask = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
        >>> mask[..., 1:3, 1:4] = True
        >>> crop_holes(torch.arange(16.0).view(1, 1, 4, 4), mask).flatten().tolist()
        [5.0, 6.0, 9.0, 10.0]
    """
    if images.shape != masks.shape or not bool(masks.flatten(1).any(1).all()):
        raise ValueError(
            f"images {list(images.shape)} and masks {list(masks.shape)}: expected one shape, and a hidden pixel in each mask."
        )
    spans = []
    for mask in masks[:, 0]:
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        spans.append((int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1))
    side = min(min(bottom - top, right - left) for top, bottom, left, right in spans)
    corners = [((top + bottom - side) // 2, (left + right - side) // 2) for top, bottom, left, right in spans]
    pairs = zip(images, corners, strict=True)
    return torch.stack([image[:, row : row + side, column : column + side] for image, (row, column) in pairs])


def hole_spectrum(samples: Tensor, originals: Tensor, masks: Tensor, subjects: Sequence[str]) -> HoleSpectrum | None:
    """Distance of the mean spectrum of painted holes from that of the originals, by single samples.

    The mean of several samples is blurred even where each is sharp, so the spectrum is taken of each. The Hann window of
    `radial_power_spectrum` lies over each hole's square. The distance of originals is that of two halves of the people, each with
    about half of the patches: two small samples, so that it is not the least that can be reached.

    Args:
        samples: (N, K, 1, H, W).
        originals: (N, 1, H, W).
        masks: the same shape, bool.
        subjects: the person of each patch.

    Returns:
        The distances; None where the smallest hole has a side of less than 16 pixels, which has no spectrum to speak of.

    Raises:
        ValueError: when `crop_holes` refuses the masks.

    Example:
        A fifth of the contrast is 13.98 dB less in every ring:

        >>> originals = torch.randn(4, 1, 32, 32)
        >>> masks = torch.ones_like(originals, dtype=torch.bool)
        >>> found = hole_spectrum(originals[:, None] / 5, originals, masks, ["anna", "anna", "ben", "ben"])
        >>> round(found.distance_db, 2)
        13.98
    """
    real = crop_holes(originals, masks)
    if real.shape[-1] < SMALLEST_SIDE:
        return None
    painted = torch.cat([crop_holes(each, masks) for each in samples.unbind(1)])
    people = len(set(subjects))
    own = real_vs_real(power_spectrum_distance, real, subjects) if people > 1 else None
    return HoleSpectrum(power_spectrum_distance(painted, real), own if own is None else float(own))  # type: ignore[arg-type]
