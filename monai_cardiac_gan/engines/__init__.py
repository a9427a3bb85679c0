"""Training loops on Ignite, in MONAI's manner."""

from monai_cardiac_gan.engines.adversarial_events import AdversarialEvents
from monai_cardiac_gan.engines.execution import Execution
from monai_cardiac_gan.engines.inpainting_evaluator import InpaintingEvaluator
from monai_cardiac_gan.engines.prepare_images import masked, prepare_images, prepare_valid
from monai_cardiac_gan.engines.processes import Processes
from monai_cardiac_gan.engines.random_state import capture_random_state, restore_random_state
from monai_cardiac_gan.engines.training_output import TrainingOutput
from monai_cardiac_gan.engines.wgan_gp_trainer import WganGpTrainer

__all__ = [
    "AdversarialEvents",
    "Execution",
    "InpaintingEvaluator",
    "Processes",
    "TrainingOutput",
    "WganGpTrainer",
    "capture_random_state",
    "masked",
    "prepare_images",
    "prepare_valid",
    "restore_random_state",
]
