"""How fast a training is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import torch
from ignite.engine import Engine, Events

from monai_cardiac_gan.engines import process_count
from monai_cardiac_gan.handlers.epoch_metrics import EpochMetrics
from monai_cardiac_gan.keys import Field

__all__ = ["Throughput", "images_in"]

RATE = "images_per_second"


class Throughput(EpochMetrics):
    """Ignite handler: real images that the training takes in per second, over each epoch.

    The number is in ``state.metrics`` as ``images_per_second``. It holds loading, the updates of both networks and all handlers
    of iterations; attach this handler before those that compute something at the end of an epoch, and they do not count.
    A GPU computes after it was told to: it is waited for at the two ends of an epoch, and nowhere between. Of processes
    that train together the images of all count.

    Args:
        clock: seconds from any moment on.

    Example:
        >>> ticks = iter([0.0, 2.0])
        >>> engine = Engine(lambda engine, batch: None)
        >>> Throughput(clock=lambda: next(ticks)).attach(engine)
        >>> engine.run([torch.zeros(3, 1, 8, 8), torch.zeros(1, 1, 8, 8)]).metrics
        {'images_per_second': 2.0}
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        super().__init__()
        self.clock = clock
        self._images, self._start = 0, 0.0

    def attach(self, engine: Engine) -> None:
        """Let the measurement follow the engine."""
        super().attach(engine)
        engine.add_event_handler(Events.EPOCH_STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._count)

    def numbers(self, engine: Engine) -> dict[str, float]:
        """The rate from the start of the epoch to now."""
        _wait(engine)
        return {RATE: self._images * process_count(engine) / (self.clock() - self._start)}

    def _begin(self, engine: Engine) -> None:
        _wait(engine)
        self._images, self._start = 0, self.clock()

    def _count(self, engine: Engine) -> None:
        self._images += images_in(engine.state.batch)


def _wait(engine: Engine) -> None:
    device = getattr(engine.state, "device", None)
    if device is not None and torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def images_in(batch: Any) -> int:
    """Images in a batch that a trainer takes: a dictionary with ``image``, or the images themselves.

    Example:
        >>> import torch
        >>> images_in({"image": torch.zeros(3, 1, 8, 8)}), images_in(torch.zeros(2, 1, 8, 8))
        (3, 2)
    """
    return len(batch[Field.IMAGE] if isinstance(batch, Mapping) else batch)
