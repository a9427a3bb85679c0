"""A bar with the losses of the running epoch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ignite.engine import Engine, Events
from ignite.handlers import ProgressBar
from torch import Tensor

from monai_cardiac_gan.engines import TrainingOutput, is_first_process

__all__ = ["TrainingProgress"]

logger = logging.getLogger(__name__)

DIGITS = 4
"""Significant digits of the numbers in the bar."""


class TrainingProgress:
    """Show iterations, remaining time and the losses while a trainer runs.

    Numbers on the CPU are shown after each iteration. Reading those on a GPU makes the host wait for it, so they are shown
    after the first and the last iteration of an epoch, and every few between. Where the standard error is no terminal (a
    log file, a cluster), there is one line in the log for each epoch in place of the bar, unless ``file`` or ``disable`` is
    given. Of several processes only the first shows anything.

    Args:
        names: which numbers of ``state.output`` are shown.
        persist: whether the bar of an epoch stays when the epoch is over.
        every_iterations: iterations between two looks at numbers that are not on the CPU.
        tqdm_kwargs: more arguments of ``tqdm``, such as ``file`` or ``disable``.

    Raises:
        ValueError: when `every_iterations` is below 1.

    Example:
        >>> trainer = WganGpTrainer(..., train_handlers=[TrainingProgress()])  # doctest: +SKIP
        >>> trainer.run()  # doctest: +SKIP
        Epoch [1/10]: [3/5]  60%|██████    , loss=-1.204, wasserstein=2.5, ... [00:04<00:03]
    """

    def __init__(
        self,
        names: Sequence[str] = TrainingOutput.ALL,
        persist: bool = False,
        every_iterations: int = 10,
        **tqdm_kwargs: Any,
    ) -> None:
        if every_iterations < 1:
            raise ValueError(f"every_iterations is {every_iterations}: expected at least 1.")
        self.names, self.every_iterations = tuple(names), every_iterations
        self.bar = ProgressBar(persist=persist, **tqdm_kwargs)
        self.shows_bar = bool(tqdm_kwargs.keys() & {"file", "disable"}) or sys.stderr.isatty()

    def attach(self, engine: Engine) -> None:
        """Let the bar, or the log, follow the engine."""
        if not self.shows_bar:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._log)
            return
        due = Events.ITERATION_COMPLETED(event_filter=self.is_due)
        self.bar.attach(engine, output_transform=self.numbers, event_name=due)

    def is_due(self, engine: Engine, iteration: int) -> bool:
        """Whether the bar is drawn after this iteration, counted from 1 over the whole run."""
        if not is_first_process(engine):
            return False
        output, length = engine.state.output, engine.state.epoch_length or self.every_iterations
        waits = any(isinstance(value, Tensor) and value.device.type != "cpu" for value in output.values())
        within = (iteration - 1) % length + 1
        return not waits or within in (1, length) or within % self.every_iterations == 0

    def numbers(self, output: Mapping[str, Any]) -> dict[str, str]:
        """Numbers as they are shown.

        Raises:
            ValueError: when the engine's output lacks one of the names.
        """
        missing = [name for name in self.names if name not in output]
        if missing:
            raise ValueError(
                f"The output holds {', '.join(output)}, expected also {', '.join(missing)}: "
                "give `names` that the engine puts out."
            )
        return {name: f"{float(output[name]):.{DIGITS}g}" for name in self.names}

    def _log(self, engine: Engine) -> None:
        if is_first_process(engine):
            shown = ", ".join(f"{name} {value}" for name, value in self.numbers(engine.state.output).items())
            logger.info("epoch %d of %s: %s", engine.state.epoch, engine.state.max_epochs, shown)
