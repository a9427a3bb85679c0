"""Augmentation inside the training step, through which gradients flow."""

from monai_cardiac_gan.augmentation.differentiable import DifferentiableAugmentation

__all__ = ["DifferentiableAugmentation"]
