"""End a training that has failed, before it fills the disk with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ignite.engine import Engine, Events
from torch import Tensor, nn

from monai_cardiac_gan.engines import AdversarialEvents, prepare_images
from monai_cardiac_gan.handlers.epoch_metrics import checked_interval
from monai_cardiac_gan.handlers.observation import fixed_latents, in_batches, undisturbed

__all__ = ["StopOnCollapse", "mean_pixel_std"]

TIMES = "times"


class StopOnCollapse:
    r"""Ignite handler: stop when the generator paints nearly the same image for all latents, or no numbers at all.

    Every few epochs it paints a few dozen images of fixed latents and compares how far they differ with how far the real
    images of the present batch do:

    .. math:: r = \frac{\operatorname{mean}_p \operatorname{std}_n G(z_n)_p}{\operatorname{mean}_p \operatorname{std}_n x_{np}}

    over pixels :math:`p`. A collapsed generator has :math:`r` near 0, one that paints as real images are has 1. The run
    ends when :math:`r` is too low several times in a row, because one low value may be a passing state, and at once when
    an image is not finite. The state before is in the checkpoints: attach this handler before them.

    The first updates do not count: a new generator with batch normalisation has :math:`r = 10^{-5}` in evaluation mode,
    where its running statistics are not yet those of its layers, and passes 0.1 only after about eight updates.

    Args:
        every_epochs: epochs from one look to the next.
        every_updates: updates of the generator from one look to the next, instead of epochs.
        count: how many images are painted.
        least_ratio: lowest :math:`r` that passes. The default is a choice of this project: below it the images differ by
            less than a twentieth of what real ones do.
        patience: how many looks in a row have to fail.
        after_updates: updates of the generator before images may be alike.
        network: what paints; the engine's ``generator`` by default.
        seed: of the latents.

    Attributes:
        times: how many looks have failed in a row.

    Raises:
        ValueError: when a count is below 1, or `count` below 2.
        RuntimeError: when the generator has collapsed.
    """

    def __init__(
        self,
        every_epochs: int = 1,
        every_updates: int | None = None,
        count: int = 36,
        least_ratio: float = 0.05,
        patience: int = 3,
        after_updates: int = 100,
        network: nn.Module | None = None,
        seed: int = 0,
    ) -> None:
        if count < 2 or patience < 1 or (every_updates is not None and every_updates < 1):
            raise ValueError(
                f"count is {count}, patience {patience} and every_updates {every_updates}: expected at least 2 images, "
                "1 look and 1 update."
            )
        self.every_epochs, self.every_updates = checked_interval(every_epochs), every_updates
        self.count, self.least_ratio, self.patience = count, least_ratio, patience
        self.after_updates, self.network, self.seed = after_updates, network, seed
        self.times = 0

    def attach(self, engine: Engine) -> None:
        """Look every few epochs, or every few updates of the generator."""
        if self.every_updates is None:
            engine.add_event_handler(Events.EPOCH_COMPLETED(every=self.every_epochs), self)
        else:
            engine.add_event_handler(AdversarialEvents.GENERATOR_UPDATED, self._after_update)

    def __call__(self, engine: Engine) -> None:
        """Look now."""
        network = engine.generator if self.network is None else self.network
        with undisturbed(network):
            painted = in_batches(network, fixed_latents(self.count, engine.latent_size, self.seed))
        if not bool(painted.isfinite().all()):
            self._stop(engine, "paints images that are not finite")
        if engine.generator_updates < self.after_updates:
            return
        painted_std, real_std = (
            mean_pixel_std(painted),
            mean_pixel_std(prepare_images(engine.state.batch, painted.device)),
        )
        self.times = self.times + 1 if painted_std < self.least_ratio * real_std else 0
        if self.times >= self.patience:
            self._stop(
                engine,
                f"paints nearly the same image for all latents: {self.times} times in a row they differed by less than "
                f"{self.least_ratio:g} of what real images do, now by {painted_std:.2g} where those do by "
                f"{real_std:.2g}",
            )

    def state_dict(self) -> dict[str, int]:
        """How many looks have failed in a row."""
        return {TIMES: self.times}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on counting."""
        self.times = int(state[TIMES])

    def _after_update(self, engine: Engine) -> None:
        if engine.generator_updates % (self.every_updates or 1) == 0:
            self(engine)

    @staticmethod
    def _stop(engine: Engine, what: str) -> None:
        raise RuntimeError(
            f"The generator {what} (epoch {engine.state.epoch}, iteration {engine.state.iteration}): go back to an earlier "
            "checkpoint or start anew with a lower learning rate, more updates of the critic or another seed."
        )


def mean_pixel_std(images: Tensor) -> float:
    """How far images differ from each other: the standard deviation over the images, mean over the pixels.

    Args:
        images: (N, C, H, W) of at least two images.

    Raises:
        ValueError: when there are fewer than two images.

    Example:
        >>> import torch
        >>> mean_pixel_std(torch.tensor([0.0, 2.0]).reshape(2, 1, 1, 1).expand(2, 1, 4, 4)) == 2**0.5
        True
    """
    if len(images) < 2:
        raise ValueError(f"{len(images)} image has no standard deviation, expected at least 2: take a larger batch.")
    return images.double().std(0).mean().item()
