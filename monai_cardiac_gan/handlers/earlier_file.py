"""What an earlier training left is not replaced without being asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events

__all__ = ["EarlierFile"]

UPDATES, ITERATION = "critic_updates", "iteration"
"""In the state of a trainer, and of any engine."""


class EarlierFile:
    """Ignite handler: refuse a training that would replace the file of an earlier one.

    A training that goes on from a checkpoint replaces its own file; it is not its own when it holds another number of updates.
    Checkpoints are loaded when a run starts, so that this looks when the first epoch does, in each process. What the engine
    wrote in an earlier run is its own.

    Args:
        path: the file that the training writes.
        overwrite: True lets it be replaced.
        objects: name -> object whose state the file holds under that name; the engine's own tells how far it is.

    Attributes:
        is_own: whether the training may replace the file; a writer that loads its state sets it.

    Raises:
        ValueError: when `overwrite` is neither True nor False, such as the text ``"false"``.
        FileExistsError: when the file is there and the engine has not gone on from it.

    Example:
        >>> from tempfile import NamedTemporaryFile
        >>> engine = Engine(lambda engine, batch: None)
        >>> with NamedTemporaryFile(suffix="last.pt") as file:
        ...     EarlierFile(file.name).attach(engine)
        ...     engine.run([0])
        Traceback (most recent call last):
        ...
        FileExistsError: ...last.pt: an earlier training wrote this...
    """

    def __init__(self, path: str | os.PathLike[str], overwrite: bool = False, objects: Any = None) -> None:
        if not isinstance(overwrite, bool):
            raise ValueError(f"overwrite is {overwrite!r}, of type {type(overwrite).__name__}: expected True or False.")
        self.path, self.objects = Path(path), objects
        self.is_own = overwrite

    def attach(self, engine: Engine) -> None:
        """Look before the first iteration."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Refuse, or let all that follows replace the file."""
        if not self.is_own and self.path.exists():
            updates = _updates_of(engine)
            if updates == 0 or self._stored_updates(engine) not in (None, updates):
                begins = "begins anew" if updates == 0 else f"goes on from another checkpoint, of {updates} updates"
                raise FileExistsError(
                    f"{self.path}: an earlier training wrote this, and this one, which {begins}, would replace it: go on from "
                    "its checkpoint (monai.handlers.CheckpointLoader or, in a bundle, --resume True), write into another "
                    "folder (--output_dir), or give overwrite=True (--overwrite True)."
                )
        self.is_own = True

    def _stored_updates(self, engine: Engine) -> int | None:
        """How far the training in the file is; None where it does not tell."""
        names = (
            [name for name, each in self.objects.items() if each is engine] if isinstance(self.objects, Mapping) else []
        )
        if not names:
            return None
        state = torch.load(self.path, map_location="cpu", weights_only=True).get(names[0], {})
        found: int | None = state.get(UPDATES, state.get(ITERATION))
        return found


def _updates_of(engine: Engine) -> int:
    """A trainer's own count, which stays when a changed number of batches lets an epoch begin anew; else the iterations."""
    return int(getattr(engine, UPDATES, engine.state.iteration))
