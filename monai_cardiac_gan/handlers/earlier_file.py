"""What an earlier training left is not replaced without being asked."""

from __future__ import annotations

import os
from pathlib import Path

from ignite.engine import Engine, Events

__all__ = ["EarlierFile"]


class EarlierFile:
    """Ignite handler: refuse a training from its beginning that would replace the file of an earlier one.

    A training that goes on from a checkpoint replaces its own file. Checkpoints are loaded when a run starts, so that this
    looks when the first epoch does, in each process. What the engine wrote in an earlier run is its own.

    Args:
        path: the file that the training writes.
        overwrite: True lets it be replaced.

    Attributes:
        is_own: whether the training may replace the file; a writer that loads its state sets it.

    Raises:
        ValueError: when `overwrite` is neither True nor False, such as the text ``"false"``.
        FileExistsError: when the file is there and the engine has not gone on from a checkpoint.

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

    def __init__(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        if not isinstance(overwrite, bool):
            raise ValueError(f"overwrite is {overwrite!r}, of type {type(overwrite).__name__}: expected True or False.")
        self.path = Path(path)
        self.is_own = overwrite

    def attach(self, engine: Engine) -> None:
        """Look before the first iteration."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Refuse, or let all that follows replace the file."""
        # the trainer's own count stays when a changed number of batches lets an epoch begin anew
        is_new = getattr(engine, "critic_updates", engine.state.iteration) == 0
        if is_new and not self.is_own and self.path.exists():
            raise FileExistsError(
                f"{self.path}: an earlier training wrote this, and this one, which begins anew, would replace it: go on from "
                "its checkpoint (monai.handlers.CheckpointLoader or, in a bundle, --resume True), write into another folder "
                "(--output_dir), or give overwrite=True (--overwrite True)."
            )
        self.is_own = True
