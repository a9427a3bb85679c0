"""The newest state of a training, always complete and never worse than what was there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events

__all__ = ["LastCheckpoint"]


class LastCheckpoint:
    """Ignite handler: write a checkpoint every few epochs and at the end.

    Unlike a saver with ``save_final``, it writes nothing when a run fails: a run that stops before its first epoch, such
    as a resume that does not fit, leaves the file of the run before as it was. The file is written beside its place and
    renamed.

    Args:
        path: the file; its folder is made.
        objects: name -> object with ``state_dict``; or one such object, whose state is stored flat.
        every_epochs: epochs between two writes.

    Raises:
        ValueError: when `every_epochs` is below 1.
    """

    def __init__(self, path: str | os.PathLike[str], objects: Any, every_epochs: int = 1) -> None:
        if every_epochs < 1:
            raise ValueError(f"every_epochs is {every_epochs}: expected at least 1.")
        self.path = Path(path)
        self.objects = objects
        self.every_epochs = every_epochs

    def attach(self, engine: Engine) -> None:
        """Write after every `every_epochs`-th epoch and at the end of the run."""
        engine.add_event_handler(Events.EPOCH_COMPLETED(every=self.every_epochs), self)
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Write now."""
        single = hasattr(self.objects, "state_dict")
        state = self.objects.state_dict() if single else {n: each.state_dict() for n, each in self.objects.items()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f".{self.path.name}")
        torch.save(state, unfinished)
        os.replace(unfinished, self.path)
