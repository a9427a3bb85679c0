"""The newest state of a training, always complete and never worse than what was there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events

from monai_cardiac_gan.atomic import atomic_file
from monai_cardiac_gan.engines import is_first_process
from monai_cardiac_gan.handlers.earlier_file import EarlierFile
from monai_cardiac_gan.handlers.epoch_metrics import checked_interval

__all__ = ["AtomicCheckpointSaver"]


class AtomicCheckpointSaver:
    """Ignite handler: write a checkpoint every few epochs and at the end.

    Unlike a saver with ``save_final``, it writes nothing when a run fails: a run that stops before its first epoch, such
    as a resume that does not fit, leaves the file of the run before as it was. The file is written beside its place,
    brought to the disk and renamed: when that fails, for example on a full disk, the file of before stays and nothing is
    left beside it. Of several processes only the first writes.

    A training that begins anew does not replace the file of an earlier one, unless it is told to (`EarlierFile`).

    Args:
        path: the file; its folder is made.
        objects: name -> object with ``state_dict``; or one such object, whose state is stored flat.
        every_epochs: epochs between two writes.
        overwrite: let a training that begins anew replace the file of an earlier one.

    Raises:
        ValueError: when `every_epochs` is below 1.
        FileExistsError: when a run begins anew and the file is there.
        OSError: when the file cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str], objects: Any, every_epochs: int = 1, overwrite: bool = False
    ) -> None:
        self.path = Path(path)
        self.earlier = EarlierFile(path, overwrite, objects)
        self.objects = objects
        self.every_epochs = checked_interval(every_epochs)

    def attach(self, engine: Engine) -> None:
        """Write after every `every_epochs`-th epoch and at the end of the run."""
        self.earlier.attach(engine)
        engine.add_event_handler(Events.EPOCH_COMPLETED(every=self.every_epochs), self)
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Write now."""
        if not is_first_process(engine):
            return
        single = hasattr(self.objects, "state_dict")
        state = self.objects.state_dict() if single else {n: each.state_dict() for n, each in self.objects.items()}
        with atomic_file(self.path) as file:
            torch.save(state, file)
