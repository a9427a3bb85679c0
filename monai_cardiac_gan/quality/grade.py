"""A first reference-free grade of image quality, from three measures of the image itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from monai_cardiac_gan.padding import above_air
from monai_cardiac_gan.quality.report import HIGHEST_GRADE, LOWEST_GRADE, QualityReport

__all__ = ["IMAGE_MEASURES", "grade_image_quality"]

IMAGE_MEASURES = "image-measures-1"
"""Name of this grader; a new number when its grades change."""
SNR, EDGE_WIDTH, CONTRAST = "signal_to_noise", "edge_width_mm", "blood_contrast"

BLOOD_PERCENTILE = 99.0
"""Bright blood fills 3 to 10 % of a whole-heart field of view, so this lies inside it."""
BODY_SHARE = 0.08
"""Voxels above this share of the blood's brightness are tissue; air and lung lie below."""
END_SHARE = 0.2
"""Share of the slices left out at either end, where the coils' signal has fallen off."""
MAD_TO_SIGMA = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution."""
EDGE_PERCENTILE = 99.5
"""Percentile of the gradient that stands for the sharpest rims of vessels and chambers."""
GRADIENT_SCALE_MM = 1.0
"""Standard deviation of the Gaussian derivative; one voxel of the usual grid."""

# Calibration. The sharpest grade is what 14 whole-heart volumes of the Medical Segmentation Decathlon reach (signal to
# noise 64 to 130, edges of 4.7 to 5.3 mm, contrast 3.4 to 4.1); each halving of signal to noise, and each widening of the
# edges by 30 %, costs one grade. No reader's grades went into it.
NO_SNR = 5.0
SHARP_EDGE_MM, EDGE_FACTOR = 5.3, 1.3
NO_CONTRAST, FULL_CONTRAST = 1.0, 3.0


def grade_image_quality(volume: np.ndarray, spacing: Sequence[float] | np.ndarray) -> QualityReport:
    r"""Grade a bright-blood volume from 0 (not usable) to 4 (excellent); the worst of three measures decides.

    Signal to noise: brightness of blood over the noise's standard deviation, estimated from second differences along
    each axis, :math:`\log_2(s / 5)`. Edge width: brightness of blood over the steepest gradient, mm,
    :math:`4 - \log_{1.3}(w / 5.3)`. Contrast: brightness of blood over the median of tissue, from 1 (grade 0) to 3 (grade 4).

    Args:
        volume: (X, Y, Z), brightness of any offset, the darkest that was scanned being air; dark and bright padding are told
            apart (`scanned_range`).
        spacing: (3,) voxel size, mm.

    Returns:
        The grade with the three measures as reasons. A grade from image measures orders volumes; it was not calibrated
        against readers.

    Raises:
        ValueError: when the volume is not three-dimensional, finite and varied, or the spacing is not positive.
    """
    volume, sizes = np.asarray(volume, dtype=np.float32), np.asarray(spacing, dtype=np.float64)
    _check(volume, sizes)
    volume = above_air(volume)
    end = int(END_SHARE * volume.shape[2])
    middle = volume[:, :, end : volume.shape[2] - end]
    blood = float(np.percentile(volume, BLOOD_PERCENTILE)) or float(volume.max())
    body = middle > BODY_SHARE * blood
    if not body.any():
        return QualityReport(LOWEST_GRADE, {SNR: 0.0, EDGE_WIDTH: float("inf"), CONTRAST: 0.0}, IMAGE_MEASURES)
    smallest = float(np.finfo(np.float32).tiny) * blood  # a noiseless or flat image must not divide by zero
    reasons = {
        SNR: blood / max(_noise(middle, body), smallest),
        EDGE_WIDTH: blood / max(_steepest_gradient(middle, sizes), smallest),
        CONTRAST: blood / float(np.median(middle[body])),
    }
    grades = [
        np.log2(reasons[SNR] / NO_SNR),
        HIGHEST_GRADE - np.log(reasons[EDGE_WIDTH] / SHARP_EDGE_MM) / np.log(EDGE_FACTOR),
        HIGHEST_GRADE * (reasons[CONTRAST] - NO_CONTRAST) / (FULL_CONTRAST - NO_CONTRAST),
    ]
    return QualityReport(float(np.clip(min(grades), LOWEST_GRADE, HIGHEST_GRADE)), reasons, IMAGE_MEASURES)


def _check(volume: np.ndarray, spacing: np.ndarray) -> None:
    if volume.ndim != 3 or min(volume.shape, default=0) < 3:
        raise ValueError(f"the volume has shape {volume.shape}: expected three axes of at least three voxels each.")
    if not np.isfinite(volume).all() or volume.min() == volume.max():
        raise ValueError(
            "the volume is constant or holds NaN or infinite voxels: it cannot be graded; repair it first."
        )
    if spacing.shape != (3,) or not (spacing > 0).all():
        raise ValueError(f"the spacing is {spacing.tolist()}: expected three positive voxel sizes in mm.")


def _noise(volume: np.ndarray, body: np.ndarray) -> float:
    """Noise in tissue from second differences, whose variance is 1.5 times that of white noise; the median of the axes."""
    estimates = []
    for axis in range(3):
        difference = ndimage.convolve1d(volume, [-0.5, 1.0, -0.5], axis=axis)
        inside = difference[body]
        estimates.append(MAD_TO_SIGMA * np.median(np.abs(inside, out=inside), overwrite_input=True) / np.sqrt(1.5))
    return float(np.median(estimates))


def _steepest_gradient(volume: np.ndarray, spacing: np.ndarray) -> float:
    """A high percentile of the gradient's length, per mm."""
    squared = np.zeros_like(volume)
    for axis in range(3):
        order = [int(axis == other) for other in range(3)]
        slope = ndimage.gaussian_filter(volume, GRADIENT_SCALE_MM / spacing, order=order)
        slope /= np.float32(spacing[axis])  # in place: a volume has ten million voxels
        slope *= slope
        squared += slope
    return float(np.sqrt(np.percentile(squared, EDGE_PERCENTILE, overwrite_input=True)))
