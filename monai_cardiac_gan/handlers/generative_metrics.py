"""How far generated images are from real ones, in the course of a training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from ignite.engine import Engine
from torch import Tensor, nn

from monai_cardiac_gan.engines import masked
from monai_cardiac_gan.handlers.epoch_metrics import EpochMetrics
from monai_cardiac_gan.handlers.fixed_images import fixed_images
from monai_cardiac_gan.handlers.observation import fixed_latents, in_batches, undisturbed
from monai_cardiac_gan.metrics import as_numbers

__all__ = ["GenerativeMetrics"]


class GenerativeMetrics(EpochMetrics):
    """Ignite handler: compare images of the same latents with the same real images every few epochs.

    One that a function gives as one number is found in ``state.metrics`` under the function's name, several as
    ``name/part``. All functions get the same images. In a distributed training all processes compute the same.

    Args:
        metrics: name -> function of generated and real images, each (N, C, H, W) on the network's device, that gives a
            number, a dictionary of numbers or a dataclass of numbers.
        reals: gives real images (`fixed_images`), of people whom the training does not see.
        network: what generates, for example the average of `GeneratorEMA`; the engine's ``generator`` by default.
        sample_count: how many images are generated, and at most how many real ones are taken.
        every_epochs: epochs from one time to the next.
        seed: of the latents.
        valid: (M, 1, H, W) bool, which pixels of real patches lie inside the field of view; generated images are blackened
            likewise, in turn, so that padding counts for neither side.

    Raises:
        ValueError: when there is no metric, `every_epochs` is below 1 or there are no real images.

    Example:
        >>> import torch
        >>> engine = Engine(lambda engine, batch: None)
        >>> engine.latent_size, engine.generator = 4, nn.Unflatten(1, (1, 2, 2))
        >>> shift = {"shift": lambda generated, real: {"mean": (generated.mean() - real.mean()).abs().round()}}
        >>> GenerativeMetrics(shift, torch.full((9, 1, 2, 2), 7.0), sample_count=9).attach(engine)
        >>> engine.run([0]).metrics
        {'shift/mean': 7.0}
    """

    def __init__(
        self,
        metrics: Mapping[str, Callable[[Tensor, Tensor], Any]],
        reals: Tensor | Iterable[Any],
        network: nn.Module | None = None,
        sample_count: int = 1000,
        every_epochs: int = 1,
        seed: int = 0,
        valid: Tensor | None = None,
    ) -> None:
        super().__init__(every_epochs)
        if not metrics:
            raise ValueError(
                "there are no metrics: give at least one function of generated and real images by its name."
            )
        self.metrics, self.reals, self.network = dict(metrics), reals, network
        self.sample_count, self.seed, self.valid = sample_count, seed, valid
        self._taken: Tensor | None = None

    def numbers(self, engine: Engine) -> dict[str, float]:
        """All metrics now."""
        if self._taken is None:
            self._taken = fixed_images(self.reals, self.sample_count)
        network = engine.generator if self.network is None else self.network
        found: dict[str, float] = {}
        with undisturbed(network):
            generated = in_batches(network, fixed_latents(self.sample_count, engine.latent_size, self.seed))
            if self.valid is not None:
                shown = torch.arange(len(generated)) % len(self.valid)
                generated = masked(generated, self.valid[shown.to(self.valid.device)].to(generated.device))
            reals = self._taken.to(generated)
            for name, metric in self.metrics.items():
                result = as_numbers(metric(generated, reals))
                parts = result.items() if isinstance(result, dict) else [("", result)]
                found |= {f"{name}/{part}" if part else name: number for part, number in parts}
        return found
