"""The state of a training when it was at its best."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from typing import Any

from ignite.engine import Engine, Events

from monai_cardiac_gan.handlers.atomic_checkpoint_saver import AtomicCheckpointSaver

__all__ = ["BestCheckpointSaver"]

BEST = "best"


class BestCheckpointSaver:
    """Ignite handler: write a checkpoint after each epoch whose metric is better than all before.

    An epoch without the metric, or in which it is not finite, changes nothing. Attach it later than what computes the
    metric. Put the handler itself among the objects of the training's checkpoint, so that a resumed training knows what
    it has to beat.

    Args:
        path: the file; it is written as `AtomicCheckpointSaver` writes.
        objects: name -> object with ``state_dict``; or one such object, whose state is stored flat.
        metric: name in ``state.metrics``.
        lower_is_better: distances are better when lower; precision and recall are not.
        overwrite: let a training that begins anew replace the file of an earlier one.

    Attributes:
        best: the best value so far, None before the first.

    Raises:
        FileExistsError: when a run begins anew and the file is there.
        OSError: when the file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from torch import nn
        >>> engine = Engine(lambda engine, distance: engine.state.metrics.update(distance=distance))
        >>> with TemporaryDirectory() as folder:
        ...     best = BestCheckpointSaver(folder + "/best.pt", nn.Linear(1, 1), "distance")
        ...     best.attach(engine)
        ...     _ = engine.run([4.0, 2.0, 3.0], max_epochs=3, epoch_length=1)
        >>> best.best
        2.0
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        objects: Any,
        metric: str,
        lower_is_better: bool = True,
        overwrite: bool = False,
    ) -> None:
        self.checkpoint = AtomicCheckpointSaver(path, objects, overwrite=overwrite)
        self.metric, self.lower_is_better = metric, lower_is_better
        self.best: float | None = None
        self._was_there = False

    def attach(self, engine: Engine) -> None:
        """Look at the metric after each epoch."""
        self.checkpoint.earlier.attach(engine)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self._warn)

    def __call__(self, engine: Engine) -> None:
        """Write if the metric is better than ever."""
        if self.metric not in engine.state.metrics:
            return
        self._was_there = True
        value = float(engine.state.metrics[self.metric])
        if math.isfinite(value) and self._is_better(value):
            before, self.best = self.best, value  # the file shall hold its own value
            try:
                self.checkpoint(engine)
            except OSError:
                self.best = before
                raise

    def state_dict(self) -> dict[str, float | None]:
        """The best value so far."""
        return {BEST: self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a best value."""
        self.best = None if state[BEST] is None else float(state[BEST])
        self.checkpoint.earlier.is_own = True

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return True
        return value < self.best if self.lower_is_better else value > self.best

    def _warn(self, engine: Engine) -> None:
        if not self._was_there:
            logging.getLogger(__name__).warning(
                "No best checkpoint: no epoch had the metric '%s', the last one had %s: attach what computes it before.",
                self.metric,
                ", ".join(engine.state.metrics) or "none",
            )
