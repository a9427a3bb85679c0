"""A picture every few epochs of what the generator makes of the same latents."""

from __future__ import annotations

import os
from pathlib import Path

from ignite.engine import Engine, Events
from torch import Tensor, nn

from monai_cardiac_gan.engines import is_first_process
from monai_cardiac_gan.handlers.epoch_metrics import checked_interval
from monai_cardiac_gan.handlers.observation import fixed_latents, in_batches, undisturbed
from monai_cardiac_gan.visualize import figure_of_sample_grid, save_figure

__all__ = ["SampleGrid"]

FILE_NAME = "epoch_{epoch:05d}.png"
"""Sorts by epoch, so that the pictures are a film."""


class SampleGrid:
    """Ignite handler: write a PNG with images of fixed latents every few epochs.

    Args:
        folder: where the pictures go, ``epoch_00010.png`` and so on; made if it is not there.
        network: what paints, for example the average of `GeneratorEMA`; the engine's ``generator`` by default.
        latents: (N, latent_size); by default drawn from the standard normal distribution.
        count: how many latents are drawn.
        every_epochs: epochs between two pictures.
        seed: of the drawn latents.

    Raises:
        ValueError: when `every_epochs` or `count` is below 1.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        network: nn.Module | None = None,
        latents: Tensor | None = None,
        count: int = 36,
        every_epochs: int = 10,
        seed: int = 0,
    ) -> None:
        if count < 1:
            raise ValueError(f"count is {count}: expected at least 1 image.")
        self.folder, self.network, self.latents = Path(folder), network, latents
        self.count, self.every_epochs, self.seed = count, checked_interval(every_epochs), seed

    def attach(self, engine: Engine) -> None:
        """Write after every `every_epochs`-th epoch."""
        engine.add_event_handler(Events.EPOCH_COMPLETED(every=self.every_epochs), self)

    def __call__(self, engine: Engine) -> None:
        """Write a picture now."""
        if not is_first_process(engine):
            return
        network = engine.generator if self.network is None else self.network
        latents = fixed_latents(self.count, engine.latent_size, self.seed) if self.latents is None else self.latents
        with undisturbed(network):
            images = in_batches(network, latents)
        figure = figure_of_sample_grid(images, title=f"epoch {engine.state.epoch}")
        save_figure(figure, self.folder / FILE_NAME.format(epoch=engine.state.epoch))
