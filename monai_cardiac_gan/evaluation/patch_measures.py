"""What is measured of each patch once, however many samples it belongs to, and the metrics that compare samples of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from monai_cardiac_gan.evaluation.comparison import FEATURE_METRICS
from monai_cardiac_gan.metrics import (
    AortaGeometryMetric,
    PowerSpectrumMetric,
    RadiomicMetric,
    TwoSampleMetric,
    distance_of_neighbourhoods,
    diversity_difference,
    local_neighbourhoods,
)

__all__ = ["FEATURES", "PatchMeasure", "measure_patches", "patch_measures"]

FEATURES = "features"
"""Name of what the feature network gives."""
NEIGHBOURHOODS, DIRECTIONS = 64, 128
"""Of the sliced Wasserstein distance. Karras et al. 2018 take 128 and 512; there are tens of samples to compare, and each number
moves by less than 2 % on the fine levels."""
PAIRS = 500
"""Of MS-SSIM. With the spread of real patches (0.1) the mean of a sample is known to 0.005."""
BATCH = 128


@dataclass(frozen=True)
class PatchMeasure:
    """One way to see patches.

    Attributes:
        of: patches (N, 1, H, W) to what is kept of them (N, ...).
        metrics: name -> function of what is kept of (generated, real).
    """

    of: Callable[[Tensor], Tensor]
    metrics: Mapping[str, Callable[[Tensor, Tensor], Any]]


def patch_measures(
    features: nn.Module, side: int, seed: int = 0, device: torch.device | str = "cpu"
) -> dict[str, PatchMeasure]:
    """All measures of the table, by name.

    Args:
        features: maps patches to features (N, F), in evaluation mode.
        side: of the patches, pixels.
        seed: of pixels, directions and pairs.
        device: where the features run.
    """
    distance = partial(distance_of_neighbourhoods, side=side, seed=seed, directions=DIRECTIONS)
    return {
        "neighbourhoods": PatchMeasure(
            partial(local_neighbourhoods, seed=seed, neighbourhoods=NEIGHBOURHOODS), {"sliced_wasserstein": distance}
        ),
        "spectrum": _of_metric("power_spectrum", PowerSpectrumMetric()),
        "pixels": PatchMeasure(_itself, {"diversity": partial(diversity_difference, pairs=PAIRS, seed=seed)}),
        "geometry": _of_metric("aorta_geometry", AortaGeometryMetric()),
        "radiomics": _of_metric("radiomic", RadiomicMetric()),
        FEATURES: PatchMeasure(lambda patches: _features(features, patches, device), FEATURE_METRICS),
    }


def measure_patches(measures: Mapping[str, PatchMeasure], patches: Tensor) -> dict[str, Tensor]:
    """What each measure keeps of some patches."""
    return {name: measure.of(patches) for name, measure in measures.items()}


def _of_metric(name: str, metric: TwoSampleMetric) -> PatchMeasure:
    return PatchMeasure(metric.features or _itself, {name: type(metric).function})


def _itself(patches: Tensor) -> Tensor:
    return patches


def _features(network: nn.Module, patches: Tensor, device: torch.device | str) -> Tensor:
    with torch.no_grad():
        return torch.cat([network(part.to(device)).cpu() for part in patches.split(BATCH)])
