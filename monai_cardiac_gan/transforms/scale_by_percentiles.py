"""Bring a volume's brightness to [-1, 1], and note from where."""

from __future__ import annotations

import numpy as np
import torch
from monai.transforms import Transform

from monai_cardiac_gan.keys import PatchColumn
from monai_cardiac_gan.padding import scanned_range
from monai_cardiac_gan.transforms.record_transform import RecordTransform

__all__ = ["ScaleByPercentiles", "ScaleByPercentilesD", "ScaleByPercentilesDict", "ScaleByPercentilesd"]


class ScaleByPercentiles(Transform):
    r"""Two percentiles of a volume become -1 and 1, what lies beyond is clipped; padding is black.

    .. math:: v' = \mathrm{clip}\left(2 \frac{v - p_l}{p_u - p_l} - 1, -1, 1\right)

    MONAI's ``ScaleIntensityRangePercentiles`` does the same and forgets the percentiles; here they stay in the image's
    metadata, as `PatchColumn.INTENSITY_LOW` and `PatchColumn.INTENSITY_HIGH`, so that a patch can be turned back.

    Args:
        lower: percentile that becomes -1, 0 to 100.
        upper: percentile that becomes 1.

    Raises:
        ValueError: when the percentiles are out of range or order, or, on calling, when both are the same brightness.

    Example:
        >>> from monai.data import MetaTensor
        >>> scaled = ScaleByPercentiles(0, 100)(MetaTensor(torch.tensor([[[[0.0, 5.0, 20.0]]]])))
        >>> scaled.flatten().tolist(), scaled.meta["intensity_low"], scaled.meta["intensity_high"]
        ([-1.0, -0.5, 1.0], 0.0, 20.0)
    """

    def __init__(self, lower: float = 0.5, upper: float = 99.5) -> None:
        if not 0 <= lower < upper <= 100:
            raise ValueError(f"the percentiles are {lower} and {upper}: expected 0 <= lower < upper <= 100.")
        self.lower, self.upper = lower, upper

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """
        Args:
            image: `MetaTensor` of any shape and unit.

        Returns:
            The scaled image, float32, with the two percentiles in its metadata.
        """
        voxels = np.asarray(image)
        lowest, highest = scanned_range(voxels)
        is_padded_bright = highest < voxels.max()
        if lowest > voxels.min() or is_padded_bright:
            voxels = voxels[(voxels >= lowest) & (voxels <= highest)]  # padding has no brightness
        low, high = (float(value) for value in np.percentile(voxels, [self.lower, self.upper]))
        if not low < high:
            raise ValueError(
                f"the percentiles {self.lower:g} and {self.upper:g} of the brightness are both {low:g}: the volume is nearly "
                "constant; leave it out."
            )
        # MONAI's ScaleIntensityRange makes a copy for each of its steps
        scaled = image.to(torch.float32, copy=True)
        scaled.sub_(low).mul_(2 / (high - low)).sub_(1).clamp_(-1, 1)
        if is_padded_bright:
            scaled[image > highest] = -1
        noted = {PatchColumn.INTENSITY_LOW: low, PatchColumn.INTENSITY_HIGH: high}
        scaled.meta |= noted  # type: ignore[attr-defined]
        return scaled


class ScaleByPercentilesd(RecordTransform):
    """Dictionary version of `ScaleByPercentiles`."""

    array_class = ScaleByPercentiles


ScaleByPercentilesD = ScaleByPercentilesDict = ScaleByPercentilesd
