"""Fit the filter behind a generator to the spectrum of its training patches."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from monai_cardiac_gan.atomic import atomic_file, write_json
from monai_cardiac_gan.data import AortaPatchDataset
from monai_cardiac_gan.inferers import square_mask
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.metrics import power_spectrum_distance, radial_power_spectrum
from monai_cardiac_gan.networks.nets import OutputFilter
from monai_cardiac_gan.training.spectral_kernel import DECIBEL, spectral_kernel

__all__ = ["FitOutputFilter", "OutputFilterReport"]

logger = logging.getLogger(__name__)

AT_ONCE = 50
"""Patches that are painted together."""


@dataclass(frozen=True)
class OutputFilterReport:
    """Distances of power spectra from training patches, dB.

    Attributes:
        before: without a filter.
        after: with the fitted one.
    """

    before: float
    after: float


class FitOutputFilter:
    """Fit ``generator.output_filter`` so that painted patches have the spectrum of training patches; write the weights.

    A generator that is conditioned on patches paints a square hole in the middle of each, and the spectra are those of the holes.

    Args:
        dataset: training patches.
        generator: with weights and an `OutputFilter`, evaluated as it is: with pixel noise where it was built with it.
        path: its file, which is replaced; the report goes beside it, as ``.filter.json``.
        hole_side: side of the hole in pixels, for a conditional generator (one with ``decode``).
        count: of patches, evenly spaced.
        seed: of latents and noise.
        device: where to compute.

    Raises:
        ValueError: when the generator has no such filter, or no training patch is whole.
    """

    def __init__(
        self,
        dataset: AortaPatchDataset,
        generator: Any,
        path: str,
        hole_side: int = 49,
        count: int = 500,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        if getattr(generator, "output_filter", None) is None:
            raise ValueError(
                f"the {type(generator).__name__} has no output filter: expected one that was built with it (--output_filter 13)."
            )
        self.dataset, self.generator, self.path = dataset, generator, Path(path)
        self.hole_side, self.count, self.seed, self.device = hole_side, count, seed, torch.device(device)

    @torch.no_grad()
    def run(self) -> OutputFilterReport:
        """Fit, write and report."""
        self.generator.eval()
        patches = self._patches()
        real = self._compared(patches)
        kernel = self.generator.output_filter.kernel
        kernel.copy_(OutputFilter(kernel.shape[-1]).kernel)
        painted = self._painted(patches)
        kernel.copy_(spectral_kernel(painted, _decibels(real) - _decibels(painted), kernel.shape[-1]))
        filtered = self._painted(patches)
        report = OutputFilterReport(power_spectrum_distance(painted, real), power_spectrum_distance(filtered, real))
        with atomic_file(self.path) as file:
            torch.save({name: value.cpu() for name, value in self.generator.state_dict().items()}, file)
        write_json(self.path.with_suffix(".filter.json"), asdict(report))
        logger.info("output filter: %s, %s", self.path, report)
        return report

    def _patches(self) -> Tensor:
        """Training patches with nothing of what is compared outside the field of view: a black bar has all frequencies."""
        chosen = np.linspace(0, len(self.dataset) - 1, min(self.count, len(self.dataset))).round().astype(int)
        items = [self.dataset[int(index)] for index in chosen]
        whole = [item for item in items if bool(self._compared(torch.as_tensor(item[Field.VALID])).all())]
        if not whole:
            raise ValueError(
                f"none of {len(items)} training patches lies inside its field of view: expected some, with nothing padded."
            )
        return torch.stack([torch.as_tensor(item[Field.IMAGE]).as_subclass(Tensor) for item in whole]).float()

    def _compared(self, images: Tensor) -> Tensor:
        """Whole patches, or their holes."""
        if not self._is_conditional:
            return images
        first = (images.shape[-1] - self.hole_side) // 2
        hole = slice(first, first + self.hole_side)
        return images[..., hole, hole]

    def _painted(self, patches: Tensor) -> Tensor:
        random = torch.Generator().manual_seed(self.seed)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)  # of the pixel noise
            parts = [
                self._paint(torch.randn(len(some), self.generator.latent_size, generator=random), some)
                for some in patches.split(AT_ONCE)
            ]
        return self._compared(torch.cat(parts))

    def _paint(self, latents: Tensor, patches: Tensor) -> Tensor:
        latents, patches = latents.to(self.device), patches.to(self.device)
        if not self._is_conditional:
            return self.generator(latents).cpu()
        masks = square_mask(self.hole_side, shape=patches.shape[2:]).to(self.device).expand_as(patches)
        return torch.where(masks, self.generator(latents, patches, masks), patches).cpu()

    @property
    def _is_conditional(self) -> bool:
        return hasattr(self.generator, "decode")


def _decibels(images: Tensor) -> np.ndarray:
    return DECIBEL * radial_power_spectrum(images).mean(0).cpu().numpy()
