"""A file with the mean losses of each epoch."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events

__all__ = ["LossHistory"]

FILE_NAME = "losses.json"


class LossHistory:
    """Write the mean of each number in ``state.output`` per epoch into ``losses.json``.

    The file is a list with one row for each epoch: ``epoch``, ``iterations`` and the means over those iterations. It is
    replaced as a whole after each epoch, so that a reader or a crash never meets half a file. A resumed training keeps
    the rows of the epochs before it and replaces those after.

    Args:
        directory: folder of the file; made if it is not there.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> engine = Engine(lambda engine, batch: {"loss": float(batch)})
        >>> with TemporaryDirectory() as folder:
        ...     LossHistory(folder).attach(engine)
        ...     _ = engine.run([1, 2, 6], max_epochs=1)
        ...     json.loads(Path(folder, "losses.json").read_text())
        [{'epoch': 1, 'iterations': 3, 'loss': 3.0}]
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.path = Path(directory) / FILE_NAME
        self._sums: defaultdict[str, float] = defaultdict(float)
        self._iterations = 0

    def attach(self, engine: Engine) -> None:
        """Let the history follow the engine."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._write)

    def rows(self) -> list[dict[str, Any]]:
        """What the file holds; no rows when there is none.

        Raises:
            ValueError: when the file is no history.
        """
        if not self.path.exists():
            return []
        try:
            return sorted(json.loads(self.path.read_text(encoding="utf-8")), key=lambda row: row["epoch"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self.path} is no history of losses, expected a list of rows with 'epoch': move it away."
            ) from error

    def _start(self, engine: Engine) -> None:
        self._sums.clear()
        self._iterations = 0

    def _add(self, engine: Engine) -> None:
        for name, value in engine.state.output.items():
            self._sums[name] += float(value)
        self._iterations += 1

    def _write(self, engine: Engine) -> None:
        means = {name: total / self._iterations for name, total in self._sums.items()}
        row = {"epoch": engine.state.epoch, "iterations": self._iterations, **means}
        before = [row for row in self.rows() if row["epoch"] < engine.state.epoch]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".json.part")
        unfinished.write_text(json.dumps([*before, row], indent=4), encoding="utf-8")
        unfinished.replace(self.path)
