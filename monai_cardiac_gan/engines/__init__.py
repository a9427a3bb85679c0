"""Training loops on Ignite, in MONAI's manner."""

from monai_cardiac_gan.engines.adversarial_state import AdversarialEvents, TrainingOutput
from monai_cardiac_gan.engines.execution import Execution
from monai_cardiac_gan.engines.generative_adversarial_trainer import GenerativeAdversarialTrainer
from monai_cardiac_gan.engines.inpainting_evaluator import InpaintingEvaluator, PatchSearch
from monai_cardiac_gan.engines.inpainting_gan_trainer import InpaintingGanTrainer
from monai_cardiac_gan.engines.prepare_images import masked, prepare_images, prepare_valid
from monai_cardiac_gan.engines.processes import Processes, is_first_process, process_count
from monai_cardiac_gan.engines.random_state import capture_random_state, restore_random_state
from monai_cardiac_gan.engines.wgan_gp_trainer import WganGpTrainer

__all__ = [
    "AdversarialEvents",
    "Execution",
    "GenerativeAdversarialTrainer",
    "InpaintingEvaluator",
    "InpaintingGanTrainer",
    "PatchSearch",
    "Processes",
    "TrainingOutput",
    "WganGpTrainer",
    "capture_random_state",
    "is_first_process",
    "masked",
    "prepare_images",
    "prepare_valid",
    "process_count",
    "restore_random_state",
]
