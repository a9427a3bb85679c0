"""A picture of how the training goes."""

from __future__ import annotations

import os

from ignite.engine import Engine, Events

from monai_cardiac_gan.engines import is_first_process
from monai_cardiac_gan.handlers.adaptive_augmentation import PROBABILITY
from monai_cardiac_gan.handlers.epoch_metrics import checked_interval
from monai_cardiac_gan.handlers.overfitting_monitor import OverfittingNumbers
from monai_cardiac_gan.handlers.training_history import TrainingHistory
from monai_cardiac_gan.visualize import figure_of_training_curves, save_figure
from monai_cardiac_gan.visualize.training_curves import SCORE

__all__ = ["TrainingCurves"]

FILE_NAME = "training_curves.png"
UNITS = {OverfittingNumbers.OVERFITTING: SCORE, OverfittingNumbers.RATIO: "share", PROBABILITY: "share"}


class TrainingCurves:
    """Ignite handler: draw all that `TrainingHistory` has written, every few epochs and at the end of the run.

    Attach it later than the history. Of several processes only the first draws.

    Args:
        directory: folder of ``history.json``; ``training_curves.png`` goes there too.
        every_epochs: epochs between two drawings.

    Raises:
        ValueError: when `every_epochs` is below 1.
    """

    def __init__(self, directory: str | os.PathLike[str], every_epochs: int = 10) -> None:
        self.history = TrainingHistory(directory)
        self.path = self.history.path.with_name(FILE_NAME)
        self.every_epochs = checked_interval(every_epochs)

    def attach(self, engine: Engine) -> None:
        """Draw after every `every_epochs`-th epoch and at the end of the run."""
        engine.add_event_handler(Events.EPOCH_COMPLETED(every=self.every_epochs), self)
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Draw now, if there is something to draw."""
        if is_first_process(engine) and (rows := self.history.rows()):
            save_figure(figure_of_training_curves(rows, UNITS), self.path)
