"""Ignite handlers that follow a training."""

from monai_cardiac_gan.handlers.last_checkpoint import LastCheckpoint
from monai_cardiac_gan.handlers.loss_history import LossHistory
from monai_cardiac_gan.handlers.progress_bar import TrainingProgress

__all__ = ["LastCheckpoint", "LossHistory", "TrainingProgress"]
