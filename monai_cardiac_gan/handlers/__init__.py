"""Ignite handlers that follow a training, and one that loads weights when a run starts.

Those that put numbers into ``state.metrics`` (`Throughput`, `OverfittingMonitor`, `GenerativeMetrics`) are attached before those
that read them (`AdaptiveAugmentation`, `BestCheckpointSaver`, `TrainingHistory`, `TrainingCurves`).
"""

from monai_cardiac_gan.handlers.adaptive_augmentation import AdaptiveAugmentation
from monai_cardiac_gan.handlers.atomic_checkpoint_saver import AtomicCheckpointSaver
from monai_cardiac_gan.handlers.best_checkpoint_saver import BestCheckpointSaver
from monai_cardiac_gan.handlers.generative_metrics import GenerativeMetrics
from monai_cardiac_gan.handlers.generator_ema import GeneratorEMA
from monai_cardiac_gan.handlers.load_weights import LoadWeights
from monai_cardiac_gan.handlers.overfitting_monitor import OverfittingMonitor
from monai_cardiac_gan.handlers.override_learning_rate import OverrideLearningRate
from monai_cardiac_gan.handlers.progress_bar import TrainingProgress
from monai_cardiac_gan.handlers.sample_grid import SampleGrid
from monai_cardiac_gan.handlers.stop_on_collapse import StopOnCollapse
from monai_cardiac_gan.handlers.stop_on_signal import StopOnSignal
from monai_cardiac_gan.handlers.stop_when_spent import StopWhenSpent
from monai_cardiac_gan.handlers.throughput import Throughput
from monai_cardiac_gan.handlers.training_curves import TrainingCurves
from monai_cardiac_gan.handlers.training_history import TrainingHistory

__all__ = [
    "AdaptiveAugmentation",
    "AtomicCheckpointSaver",
    "BestCheckpointSaver",
    "GenerativeMetrics",
    "GeneratorEMA",
    "LoadWeights",
    "OverfittingMonitor",
    "OverrideLearningRate",
    "SampleGrid",
    "StopOnCollapse",
    "StopOnSignal",
    "StopWhenSpent",
    "Throughput",
    "TrainingCurves",
    "TrainingHistory",
    "TrainingProgress",
]
