"""End a training when its time or its updates are spent, and save it every few seconds on the way."""

from __future__ import annotations

import time
from collections.abc import Callable

from ignite.engine import Engine, Events

__all__ = ["StopWhenSpent"]


class StopWhenSpent:
    """Ignite handler: terminate after the iteration in which the time, or the number of updates, is reached.

    Args:
        seconds_left: tells how much time is left; None limits no time.
        updates: of a trainer's critic in the whole run, resumed parts included; of another engine, iterations. None limits
            none.
        save: called every `save_seconds` with the engine, between two iterations.
        save_seconds: seconds between two calls.

    Attributes:
        is_spent: whether it ended the run; a run that something else ended, such as a signal, is not spent.

    Raises:
        ValueError: when neither is limited, or a limit is not positive.
    """

    def __init__(
        self,
        seconds_left: Callable[[], float] | None = None,
        updates: int | None = None,
        save: Callable[[Engine], None] | None = None,
        save_seconds: float = 60.0,
    ) -> None:
        if (seconds_left is None and updates is None) or (updates is not None and updates < 1) or save_seconds <= 0:
            raise ValueError(
                f"updates is {updates} and save_seconds {save_seconds}: expected a time or a number of updates as limit, and "
                "positive numbers."
            )
        self.seconds_left, self.updates, self.save, self.save_seconds = seconds_left, updates, save, save_seconds
        self._saved = 0.0
        self.is_spent = False

    def attach(self, engine: Engine) -> None:
        """Look after each iteration."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Save if it is time to, and terminate if there is none left."""
        if self.save is not None and time.monotonic() - self._saved >= self.save_seconds:
            self.save(engine)
            self._saved = time.monotonic()
        out_of_time = self.seconds_left is not None and self.seconds_left() <= 0
        updates = getattr(engine, "critic_updates", engine.state.iteration)
        if out_of_time or (self.updates is not None and updates >= self.updates):
            self.is_spent = True
            engine.terminate()

    def _begin(self, engine: Engine) -> None:
        self._saved = time.monotonic()
