"""Changes of images: augmentation inside the training step, through which gradients flow, and defects of known kind."""

from monai_cardiac_gan.augmentation.corruptions import corrupted
from monai_cardiac_gan.augmentation.differentiable import Augmentation, DifferentiableAugmentation
from monai_cardiac_gan.augmentation.patch_variation import PatchVariation

__all__ = ["Augmentation", "DifferentiableAugmentation", "PatchVariation", "corrupted"]
