"""Let a training that goes on use the learning rate that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ignite.engine import Engine, Events
from torch.optim import Optimizer

__all__ = ["OverrideLearningRate"]

RATE = "lr"


class OverrideLearningRate:
    """Ignite handler: set the optimisers' learning rates back to those that they were made with, once, after a checkpoint
    was loaded.

    An optimiser's state holds its learning rate, so that loading it silently undoes another one. Leave this handler out when
    a scheduler changes the rates.

    Args:
        optimizers: as they were made, before anything is loaded.

    Example:
        >>> import torch
        >>> optimizer = torch.optim.Adam([torch.zeros(1)], lr=0.5)
        >>> engine = Engine(lambda engine, batch: None)
        >>> OverrideLearningRate([optimizer]).attach(engine)
        >>> _ = engine.add_event_handler(Events.STARTED, lambda _: optimizer.param_groups[0].update(lr=0.1))
        >>> _ = engine.run([1])
        >>> optimizer.param_groups[0]["lr"]
        0.5
    """

    def __init__(self, optimizers: Sequence[Optimizer]) -> None:
        self.optimizers = list(optimizers)
        self.rates = [[group[RATE] for group in optimizer.param_groups] for optimizer in self.optimizers]
        self._is_due = True

    def attach(self, engine: Engine) -> None:
        """Checkpoints are loaded when a run starts, which is before its first epoch does."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.EPOCH_STARTED, self._set)

    def _begin(self, _: Any) -> None:
        self._is_due = True

    def _set(self, _: Any) -> None:
        if not self._is_due:
            return
        for optimizer, rates in zip(self.optimizers, self.rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group[RATE] = rate
        self._is_due = False
