"""Other ways to say that a level is abnormal, on the same levels: rulers, other generators, and no generator at all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.anomaly import normal_ranges, pulmonary_level
from monai_cardiac_gan.data import AortaPatchDataset
from monai_cardiac_gan.evaluation.score_scan import ScoredScan
from monai_cardiac_gan.evaluation.vessel_calibration import read_vessel_calibration
from monai_cardiac_gan.inferers import NearestPatchInpainter
from monai_cardiac_gan.inferers.loaded_once import LoadedOnce
from monai_cardiac_gan.networks import load_network

__all__ = [
    "DetectionBaseline",
    "EncoderResidual",
    "NearestPatchResidual",
    "OwnVesselBaseline",
    "PcaResidual",
    "PublishedNormalsBaseline",
    "TrackerDiameterBaseline",
    "UNetResidual",
]

LEAST = 1e-3
"""Below it a logarithm is not taken."""
TRAINING_PATCHES = 1500
"""Evenly spaced in the training set."""
COMPONENTS = 50
"""Of a principal component analysis; they explain nine tenths of the variance of patches."""


class DetectionBaseline(Protocol):
    """Scores levels. It travels to other processes as settings and paths."""

    def __call__(self, scan: ScoredScan) -> tuple[np.ndarray, np.ndarray | None]:
        """Scores (K,), higher for more unusual, NaN where there is none; and maps (K, H, W), None without any."""
        ...


class TrackerDiameterBaseline:
    """How far the tracker's diameter lies from other people's mean at that height, as a logarithm of their ratio.

    Args:
        calibration: file that `CalibrateVessels` wrote, with the mean vessel.
    """

    def __init__(self, calibration: str) -> None:
        self.calibration = str(calibration)

    def __call__(self, scan: ScoredScan) -> tuple[np.ndarray, None]:
        """See `DetectionBaseline`."""
        usual = read_vessel_calibration(self.calibration).model.prior.diameters_at(scan.levels.heights_mm)
        rows = [scan.vessel.row_of(int(each)) for each in scan.expected.patches.slices[scan.expected.levels]]
        found = np.array([np.nan if row is None else scan.track.diameters_mm[row] for row in rows])
        return np.abs(np.log(found / usual)), None


class OwnVesselBaseline:
    """How far the diameter lies from what the subject's own far slices predict, in standard deviations; nothing is painted."""

    def __call__(self, scan: ScoredScan) -> tuple[np.ndarray, None]:
        """See `DetectionBaseline`."""
        return np.abs(scan.levels.diameters_mm - scan.expectation.own_mm) / scan.expectation.std_mm, None


class PublishedNormalsBaseline:
    """How far the diameter lies from the published mean of the nearer sex, in its standard deviations."""

    def __call__(self, scan: ScoredScan) -> tuple[np.ndarray, None]:
        """See `DetectionBaseline`."""
        pulmonary = pulmonary_level(scan.vessel.landmarks).mm_from_top
        found = np.full(len(scan.levels.heights_mm), np.nan)
        for place, (height, diameter) in enumerate(zip(scan.levels.heights_mm, scan.levels.diameters_mm, strict=True)):
            normals = normal_ranges(float(height), pulmonary)
            if normals:
                found[place] = min(2 * abs(diameter - each.mean_mm) / (each.high_mm - each.mean_mm) for each in normals)
        return found, None


class _Residual(ABC):
    """Mean absolute difference from what is painted in the hole."""

    def __call__(self, scan: ScoredScan) -> tuple[np.ndarray, np.ndarray]:
        """See `DetectionBaseline`."""
        rows, mask = scan.expected.levels, scan.expected.mask
        patches, valid = scan.expected.patches.pixels[rows], scan.expected.patches.valid[rows]
        masks = mask.expand_as(patches)
        with torch.no_grad():
            painted = self.painted(patches, masks, valid)
        counts = masks & valid
        residual = (painted - patches).abs() * counts
        means = residual.flatten(1).sum(1) / counts.flatten(1).sum(1).clamp(min=1)
        return np.log(np.maximum(means.double().numpy(), LEAST)), residual[:, 0].double().numpy()

    @abstractmethod
    def painted(self, patches: Tensor, masks: Tensor, valid: Tensor) -> Tensor:
        """The patches (K, 1, H, W), -1 to 1, as they are expected; masks and valid are bool of their shape."""


class UNetResidual(_Residual):
    """What an inpainting U-Net paints in the same hole.

    Args:
        network: makes the network (`InpaintingUNet`).
        path: its weights.
    """

    def __init__(self, network: Callable[[], Any], path: str) -> None:
        self.network, self.path = network, str(path)

    def painted(self, patches: Tensor, masks: Tensor, valid: Tensor) -> Tensor:
        """See `_Residual`."""
        network = _UNET.of(self, (self.path,), self._load)
        found: Tensor = torch.where(masks, network(patches, masks), patches)
        return found

    def _load(self) -> Any:
        network = self.network()
        load_network(network, self.path, "cpu")
        return network.eval()


class EncoderResidual(_Residual):
    """What a generator makes of the whole patch by an encoder, with nothing hidden: f-AnoGAN's image residual.

    Args:
        generator: makes the generator.
        generator_path: its weights.
        encoder: makes the encoder.
        encoder_path: its weights.

    Source: Schlegl et al. 2019, "f-AnoGAN: fast unsupervised anomaly detection with generative adversarial networks"; its second
    term, a residual of the critic's features, is left out.
    """

    def __init__(
        self, generator: Callable[[], Any], generator_path: str, encoder: Callable[[], Any], encoder_path: str
    ) -> None:
        self.generator, self.generator_path = generator, str(generator_path)
        self.encoder, self.encoder_path = encoder, str(encoder_path)

    def painted(self, patches: Tensor, masks: Tensor, valid: Tensor) -> Tensor:
        """See `_Residual`."""
        generator, encoder = _ENCODER.of(self, (self.generator_path, self.encoder_path), self._load)
        found: Tensor = generator(encoder(patches, torch.zeros_like(masks)))
        return found

    def _load(self) -> tuple[Any, Any]:
        generator, encoder = self.generator(), self.encoder()
        load_network(generator, self.generator_path, "cpu")
        load_network(encoder, self.encoder_path, "cpu")
        return generator.eval(), encoder.eval()


class NearestPatchResidual(_Residual):
    """The training patch that is nearest outside the hole.

    Args:
        patch_dir: patch set; its training split is taken.
        count: of its patches, evenly spaced.
    """

    def __init__(self, patch_dir: str, count: int = TRAINING_PATCHES) -> None:
        self.patch_dir, self.count = str(patch_dir), count

    def painted(self, patches: Tensor, masks: Tensor, valid: Tensor) -> Tensor:
        """See `_Residual`."""
        inpainter = _NEAREST.of(self, (), lambda: NearestPatchInpainter(_training_patches(self.patch_dir, self.count)))
        return inpainter(patches, masks, valid)


class PcaResidual(_Residual):
    """The nearest image in the space of the training patches' principal components, with nothing hidden.

    Args:
        patch_dir: patch set; its training split is taken.
        count: of its patches, evenly spaced.
        components: how many.
    """

    def __init__(self, patch_dir: str, count: int = TRAINING_PATCHES, components: int = COMPONENTS) -> None:
        self.patch_dir, self.count, self.components = str(patch_dir), count, components

    def painted(self, patches: Tensor, masks: Tensor, valid: Tensor) -> Tensor:
        """See `_Residual`."""
        mean, axes = _PCA.of(self, (), self._load)
        away = (patches - mean).flatten(1)
        return mean + (away @ axes @ axes.T).view_as(patches)

    def _load(self) -> tuple[Tensor, Tensor]:
        train = _training_patches(self.patch_dir, self.count)
        mean = train.mean(0, keepdim=True)
        with torch.random.fork_rng():
            torch.manual_seed(0)  # the decomposition draws
            axes = torch.pca_lowrank((train - mean).flatten(1), self.components, center=False)[2]
        return mean, axes


def _training_patches(patch_dir: str, count: int) -> Tensor:
    """(count, 1, H, W), evenly spaced."""
    data = AortaPatchDataset(patch_dir, "train")
    rows = np.unique(np.linspace(0, len(data) - 1, count).astype(int))
    return torch.from_numpy(data.read(rows.tolist())[0]).float()[:, None]


_UNET: LoadedOnce[Any] = LoadedOnce()
_ENCODER: LoadedOnce[tuple[Any, Any]] = LoadedOnce()
_NEAREST: LoadedOnce[NearestPatchInpainter] = LoadedOnce()
_PCA: LoadedOnce[tuple[Tensor, Tensor]] = LoadedOnce()
