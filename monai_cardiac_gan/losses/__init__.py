"""Losses of the Wasserstein GAN with gradient penalty."""

from monai_cardiac_gan.losses.contextual import masked_l1
from monai_cardiac_gan.losses.gradient_penalty import GradientPenalty
from monai_cardiac_gan.losses.sample_independence import refuse_sample_mixing
from monai_cardiac_gan.losses.wasserstein import WassersteinLoss

__all__ = ["GradientPenalty", "WassersteinLoss", "masked_l1", "refuse_sample_mixing"]
