"""Ignite handlers that follow a training.

Those that put numbers into ``state.metrics`` (`Throughput`, `HeldOutGap`, `GenerativeMetrics`) are attached before those
that read them (`AdaptiveAugmentation`, `BestCheckpoint`, `LossHistory`, `TrainingCurves`).
"""

from monai_cardiac_gan.handlers.adaptive_augmentation import AdaptiveAugmentation
from monai_cardiac_gan.handlers.best_checkpoint import BestCheckpoint
from monai_cardiac_gan.handlers.generative_metrics import GenerativeMetrics
from monai_cardiac_gan.handlers.generator_average import GeneratorAverage
from monai_cardiac_gan.handlers.given_learning_rate import GivenLearningRate
from monai_cardiac_gan.handlers.held_out_gap import HeldOutGap
from monai_cardiac_gan.handlers.last_checkpoint import LastCheckpoint
from monai_cardiac_gan.handlers.loss_history import LossHistory
from monai_cardiac_gan.handlers.progress_bar import TrainingProgress
from monai_cardiac_gan.handlers.sample_grid import SampleGrid
from monai_cardiac_gan.handlers.stop_on_collapse import StopOnCollapse
from monai_cardiac_gan.handlers.stop_on_signal import StopOnSignal
from monai_cardiac_gan.handlers.throughput import Throughput
from monai_cardiac_gan.handlers.training_curves import TrainingCurves

__all__ = [
    "AdaptiveAugmentation",
    "BestCheckpoint",
    "GenerativeMetrics",
    "GeneratorAverage",
    "GivenLearningRate",
    "HeldOutGap",
    "LastCheckpoint",
    "LossHistory",
    "SampleGrid",
    "StopOnCollapse",
    "StopOnSignal",
    "Throughput",
    "TrainingCurves",
    "TrainingProgress",
]
