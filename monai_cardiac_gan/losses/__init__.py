"""Adversarial losses, penalties of the critic's slope, and the terms of inpainting."""

from monai_cardiac_gan.losses.contextual import masked_l1
from monai_cardiac_gan.losses.contextual_terms import GuessedL1, MaskedGradients, MaskedL1, MaskedL2, NearHoleL1
from monai_cardiac_gan.losses.critic_terms import CriticFeatures, CriticScore
from monai_cardiac_gan.losses.gradient_penalty import GradientPenalty
from monai_cardiac_gan.losses.hinge import HingeLoss
from monai_cardiac_gan.losses.inpainting import InpaintingLoss, published_loss
from monai_cardiac_gan.losses.latent_shell import LatentShell
from monai_cardiac_gan.losses.relativistic import RelativisticLoss
from monai_cardiac_gan.losses.sample_independence import refuse_sample_mixing
from monai_cardiac_gan.losses.wasserstein import WassersteinLoss
from monai_cardiac_gan.losses.zero_centred_penalty import ZeroCentredPenalty

__all__ = [
    "CriticFeatures",
    "CriticScore",
    "GradientPenalty",
    "GuessedL1",
    "HingeLoss",
    "InpaintingLoss",
    "LatentShell",
    "MaskedGradients",
    "MaskedL1",
    "MaskedL2",
    "NearHoleL1",
    "RelativisticLoss",
    "WassersteinLoss",
    "ZeroCentredPenalty",
    "masked_l1",
    "published_loss",
    "refuse_sample_mixing",
]
