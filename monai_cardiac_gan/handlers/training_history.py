"""A file with the mean losses of each epoch, and its metrics."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import Tensor

from monai_cardiac_gan.atomic import atomic_file
from monai_cardiac_gan.engines import is_first_process
from monai_cardiac_gan.handlers.earlier_file import EarlierFile

__all__ = ["TrainingHistory"]

FILE_NAME = "history.json"
EPOCH, ITERATIONS = "epoch", "iterations"
SUMS = "sums"


class TrainingHistory:
    """Write the mean of each number in ``state.output`` per epoch into ``history.json``, with the epoch's metrics.

    The file is a list with one row for each epoch: ``epoch``, ``iterations``, the means over those iterations and the
    numbers in ``state.metrics``, less those that have the name of a mean; what is not finite is ``null``. It is replaced
    as a whole after each epoch, so that a reader or a crash never meets half a file. A run that ends within an epoch leaves a
    row of its iterations so far, which the whole epoch's replaces when it goes on. A resumed training keeps the rows of
    the epochs before it and replaces those after. Put the history among the objects of the training's checkpoint, and the
    row of an epoch in which a training was stopped covers all of it; else it covers what came after.

    Tensors are summed where they are, and read once an epoch: reading them makes a GPU's host wait. Attach the history
    later than what computes metrics. Of several processes only the first writes.

    Args:
        directory: folder of the file; made if it is not there.
        overwrite: let a training that begins anew replace the history of an earlier one.

    Raises:
        FileExistsError: when a run begins anew and the file is there.
        OSError: when the file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> engine = Engine(lambda engine, batch: {"loss": torch.tensor(float(batch))})
        >>> with TemporaryDirectory() as folder:
        ...     TrainingHistory(folder).attach(engine)
        ...     _ = engine.run([1, 2, 6], max_epochs=1)
        ...     json.loads(Path(folder, "history.json").read_text())
        [{'epoch': 1, 'iterations': 3, 'loss': 3.0}]
    """

    def __init__(self, directory: str | os.PathLike[str], overwrite: bool = False) -> None:
        self.path = Path(directory) / FILE_NAME
        self.earlier = EarlierFile(self.path, overwrite)
        self._sums: dict[str, Any] = {}
        self._iterations = 0

    def attach(self, engine: Engine) -> None:
        """Let the history follow the engine."""
        self.earlier.attach(engine)
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._complete)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def rows(self) -> list[dict[str, Any]]:
        """What the file holds; no rows when there is none.

        Raises:
            ValueError: when the file is no history.
        """
        if not self.path.exists():
            return []
        try:
            return sorted(json.loads(self.path.read_text(encoding="utf-8")), key=lambda row: row[EPOCH])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self.path} is no history of losses, expected a list of rows with 'epoch': move it away."
            ) from error

    def state_dict(self) -> dict[str, Any]:
        """Sums over the epoch's iterations so far, and how many there were."""
        return {SUMS: _read(self._sums), ITERATIONS: self._iterations}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on within an epoch."""
        self._sums, self._iterations = dict(state[SUMS]), int(state[ITERATIONS])
        self.earlier.is_own = True

    def _start(self, engine: Engine) -> None:
        length = engine.state.epoch_length
        if self._iterations != (engine.state.iteration % length if length else 0):  # not of this epoch's beginning
            self._sums, self._iterations = {}, 0

    def _add(self, engine: Engine) -> None:
        for name, value in engine.state.output.items():
            value = value.detach().double() if isinstance(value, Tensor) else float(value)
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._iterations += 1

    def _complete(self, engine: Engine) -> None:
        self._write(engine)
        self._sums, self._iterations = {}, 0

    def _write(self, engine: Engine) -> None:
        if not self._iterations:
            return
        means = {name: total / self._iterations for name, total in _read(self._sums).items()}
        numbers = {**_scalars(engine.state.metrics), **means}
        row = {EPOCH: engine.state.epoch, ITERATIONS: self._iterations}
        row |= {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        if is_first_process(engine):
            before = [row for row in self.rows() if row[EPOCH] < engine.state.epoch]
            with atomic_file(self.path) as file:
                file.write(json.dumps([*before, row], indent=4, allow_nan=False).encode())


def _read(sums: Mapping[str, Any]) -> dict[str, float]:
    """Sums as plain numbers; those that are tensors come in one go."""
    tensors = {name: value for name, value in sums.items() if isinstance(value, Tensor)}
    read = dict(zip(tensors, torch.stack(list(tensors.values())).tolist(), strict=True)) if tensors else {}
    return {name: read.get(name, value) for name, value in sums.items()}


def _scalars(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Those of the metrics that are one number."""
    return {
        name: float(value)
        for name, value in metrics.items()
        if isinstance(value, (int, float)) or (isinstance(value, Tensor) and value.numel() == 1)
    }
