"""Whether the critic knows the training patches by heart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ignite.engine import Engine
from torch import Tensor, nn

from monai_cardiac_gan.engines import TrainingOutput
from monai_cardiac_gan.handlers.epoch_metrics import EpochMetrics
from monai_cardiac_gan.handlers.fixed_images import fixed_images
from monai_cardiac_gan.handlers.observation import fixed_latents, in_batches, undisturbed

__all__ = ["OverfittingMonitor", "OverfittingNumbers", "overfitting_of_scores"]


class OverfittingNumbers:
    """Names of the numbers that `OverfittingMonitor` puts into ``state.metrics``."""

    TRAIN = f"{TrainingOutput.WASSERSTEIN}_train"
    """Mean score of training patches less that of generated ones."""
    HELD_OUT = f"{TrainingOutput.WASSERSTEIN}_held_out"
    """Mean score of patches that the critic was never trained on, less that of generated ones."""
    OVERFITTING = "overfitting"
    """The first less the second: how much higher training patches score than others that are as real."""
    RATIO = "overfitting_ratio"
    """The same as a share of the first: 0 without overfitting, 1 when held-out patches score as generated ones."""


class OverfittingMonitor(EpochMetrics):
    r"""Ignite handler: the Wasserstein estimate on training patches and on held-out ones, every few epochs.

    .. math:: W_\text{train} = E[D_\text{train}] - E[D_\text{generated}], \quad
        W_\text{held out} = E[D_\text{held out}] - E[D_\text{generated}], \quad
        r_v = \frac{E[D_\text{train}] - E[D_\text{held out}]}{E[D_\text{train}] - E[D_\text{generated}]}

    on the same patches and latents each time, without augmentation, in evaluation mode; names in `OverfittingNumbers`. A critic
    that has learnt its training set by heart no longer measures a distance between distributions: :math:`r_v` rises
    towards 1. It is not a number while the critic does not score training patches above generated ones. Both loaders have
    to be free of random transforms. In a distributed training all processes compute the same.

    Source: Karras et al. 2020, "Training generative adversarial networks with limited data", section 3, equation 1.

    Args:
        train_loader: gives training patches; that of the training itself may be given (`fixed_images`).
        held_out_loader: gives patches of other people.
        count: how many patches of each, at most, and how many are generated.
        every_epochs: epochs from one time to the next.
        network: what generates; the engine's ``generator`` by default, the one that the critic is trained against.
        seed: of the latents.

    Raises:
        ValueError: when `every_epochs` is below 1 or a loader is empty.
    """

    def __init__(
        self,
        train_loader: Tensor | Iterable[Any],
        held_out_loader: Tensor | Iterable[Any],
        count: int = 512,
        every_epochs: int = 1,
        network: nn.Module | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(every_epochs)
        self.train_loader, self.held_out_loader = train_loader, held_out_loader
        self.count, self.network, self.seed = count, network, seed
        self._patches: tuple[Tensor, Tensor] | None = None

    def numbers(self, engine: Engine) -> dict[str, float]:
        """The gap now."""
        if self._patches is None:
            self._patches = (
                fixed_images(self.train_loader, self.count),
                fixed_images(self.held_out_loader, self.count),
            )
        network = engine.generator if self.network is None else self.network
        with undisturbed(network, engine.critic):
            generated = in_batches(network, fixed_latents(self.count, engine.latent_size, self.seed))
            sets = (*self._patches, generated)
            return overfitting_of_scores(*(in_batches(engine.critic, images).double().mean().item() for images in sets))


def overfitting_of_scores(train: float, held_out: float, generated: float) -> dict[str, float]:
    """The numbers of `OverfittingMonitor` from the mean scores of three sets.

    Example:
        >>> list(overfitting_of_scores(train=5.0, held_out=4.0, generated=1.0).values())
        [4.0, 3.0, 1.0, 0.25]
    """
    return {
        OverfittingNumbers.TRAIN: train - generated,
        OverfittingNumbers.HELD_OUT: held_out - generated,
        OverfittingNumbers.OVERFITTING: train - held_out,
        OverfittingNumbers.RATIO: (train - held_out) / (train - generated) if train > generated else math.nan,
    }
