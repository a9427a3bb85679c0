"""Training loops on Ignite, in MONAI's manner."""

from monai_cardiac_gan.engines.inpainting_evaluator import InpaintingEvaluator
from monai_cardiac_gan.engines.wgan_gp_trainer import TrainingOutput, WganGpTrainer, prepare_images

__all__ = ["InpaintingEvaluator", "TrainingOutput", "WganGpTrainer", "prepare_images"]
