"""Weights are loaded when a run starts, not when its networks are built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ignite.engine import Engine, Events

__all__ = ["LoadWeights"]


class LoadWeights:
    """Ignite handler: call each loader when the engine starts.

    A bundle is built, checked and exported from any folder, where no weights may lie; what runs has to have them. Attach it
    before the handlers that use the networks.

    Args:
        loaders: functions without arguments, such as ``functools.partial(load_network, network, path)``; in a config,
            components with ``"_mode_": "callable"``.
    """

    def __init__(self, loaders: Sequence[Callable[[], Any]]) -> None:
        self.loaders = tuple(loaders)

    def attach(self, engine: Engine) -> None:
        """Load at the start of each run."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Load all, in their order."""
        for load in self.loaders:
            load()
