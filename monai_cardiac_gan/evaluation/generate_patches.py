"""Draw patches from a trained generator, beside real ones."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monai_cardiac_gan.atomic import write_array
from monai_cardiac_gan.inferers.sampling import sample_patches
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.networks.checkpoint import load_network
from monai_cardiac_gan.visualize import figure_of_samples, save_figure

__all__ = ["GeneratePatches"]

logger = logging.getLogger(__name__)

SAMPLES_FIGURE, SAMPLES_FILE = "generated.png", "generated.npy"


class GeneratePatches:
    """Generate patches, write them as an array and, beside real ones, as a figure.

    Args:
        generator: latents (N, latent_size) to patches (N, 1, 128, 128) in [-1, 1].
        checkpoint: flat state dictionary of the generator; None takes it as it is.
        count: how many patches.
        output_dir: where ``generated.npy`` (N, 128, 128) float32 and ``generated.png`` go.
        reals: items with `Field.IMAGE`, shown beside the generated ones.
        latent_size: numbers in a latent.
        seed: of the latents, and of noise inside the generator.
        device: where to compute.
        batch_size: patches at a time.
    """

    def __init__(
        self,
        generator: torch.nn.Module,
        checkpoint: str | None,
        count: int,
        output_dir: str,
        reals: Iterable[Any],
        latent_size: int = 100,
        seed: int = 0,
        device: torch.device | str = "cpu",
        batch_size: int = 49,
    ) -> None:
        self.generator = generator
        self.checkpoint = checkpoint
        self.count = count
        self.output_dir = Path(output_dir)
        self.reals = reals
        self.latent_size = latent_size
        self.seed = seed
        self.device = torch.device(device)
        self.batch_size = batch_size

    def run(self) -> np.ndarray:
        """Generate and write; returns the patches (N, 128, 128).

        Raises:
            FileNotFoundError: when there is no such checkpoint.
        """
        if self.checkpoint is not None:
            load_network(self.generator, self.checkpoint, self.device)
        patches = sample_patches(self.generator, self.count, self.latent_size, self.seed, self.device, self.batch_size)
        fakes = patches[:, 0].numpy()
        write_array(self.output_dir / SAMPLES_FILE, fakes)
        reals = np.stack([np.asarray(item[Field.IMAGE][0]) for item in self.reals])
        path = save_figure(figure_of_samples(reals, fakes), self.output_dir / SAMPLES_FIGURE)
        logger.info("real and generated patches: %s", path)
        return fakes
