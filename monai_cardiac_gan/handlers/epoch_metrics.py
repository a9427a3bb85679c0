"""Numbers about an epoch in ``state.metrics``."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ignite.engine import Engine, Events

__all__ = ["EpochMetrics", "checked_interval"]


class EpochMetrics(ABC):
    """Ignite handler: put numbers into ``state.metrics`` when an epoch is over.

    They are taken away when the next epoch starts, so that whoever reads them, for example `TrainingHistory`, never takes
    numbers of an earlier epoch for those of this one. Handlers that read them are attached later than this one.

    Args:
        every_epochs: epochs from one time to the next.

    Raises:
        ValueError: when `every_epochs` is below 1.
    """

    def __init__(self, every_epochs: int = 1) -> None:
        self.every_epochs = checked_interval(every_epochs)
        self._names: tuple[str, ...] = ()

    def attach(self, engine: Engine) -> None:
        """Let the numbers follow the engine."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._forget)
        engine.add_event_handler(Events.EPOCH_COMPLETED(every=self.every_epochs), self._record)

    @abstractmethod
    def numbers(self, engine: Engine) -> dict[str, float]:
        """The numbers now, by name."""

    def _record(self, engine: Engine) -> None:
        found = self.numbers(engine)
        engine.state.metrics.update(found)
        self._names = tuple(found)

    def _forget(self, engine: Engine) -> None:
        for name in self._names:
            engine.state.metrics.pop(name, None)


def checked_interval(every_epochs: int) -> int:
    """The number of epochs from one time to the next, if it is one.

    Raises:
        ValueError: when it is below 1.
    """
    if every_epochs < 1:
        raise ValueError(f"every_epochs is {every_epochs}: expected at least 1.")
    return every_epochs
