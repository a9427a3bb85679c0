"""Adversarial losses, penalties of the critic's slope, and the terms of inpainting."""

from monai_cardiac_gan.losses.adversarial_loss import AdversarialLoss
from monai_cardiac_gan.losses.contextual import masked_l1
from monai_cardiac_gan.losses.contextual_terms import (
    DistanceWeightedL1,
    MaskedGradients,
    MaskedL1,
    MaskedL2,
    ProposalL1,
)
from monai_cardiac_gan.losses.critic_penalty import CriticPenalty
from monai_cardiac_gan.losses.critic_terms import CriticFeatures, CriticScore
from monai_cardiac_gan.losses.ensemble_crps import ensemble_crps, pyramid_crps
from monai_cardiac_gan.losses.gradient_penalty import GradientPenalty
from monai_cardiac_gan.losses.hinge import HingeLoss
from monai_cardiac_gan.losses.inpainting_loss import (
    InpaintingLoss,
    InpaintingTerm,
    NetworkTerm,
    contextual_plus_perceptual_loss,
)
from monai_cardiac_gan.losses.latent_norm_prior import LatentNormPrior
from monai_cardiac_gan.losses.relativistic import RelativisticLoss
from monai_cardiac_gan.losses.sample_independence import refuse_sample_mixing
from monai_cardiac_gan.losses.wasserstein import WassersteinLoss
from monai_cardiac_gan.losses.zero_centred_penalty import ZeroCentredPenalty

__all__ = [
    "AdversarialLoss",
    "CriticFeatures",
    "CriticPenalty",
    "CriticScore",
    "DistanceWeightedL1",
    "GradientPenalty",
    "HingeLoss",
    "InpaintingLoss",
    "InpaintingTerm",
    "LatentNormPrior",
    "MaskedGradients",
    "MaskedL1",
    "MaskedL2",
    "NetworkTerm",
    "ProposalL1",
    "RelativisticLoss",
    "WassersteinLoss",
    "ZeroCentredPenalty",
    "contextual_plus_perceptual_loss",
    "ensemble_crps",
    "masked_l1",
    "pyramid_crps",
    "refuse_sample_mixing",
]
