"""The generators and the critics of aorta patches."""

from monai_cardiac_gan.networks.nets.growing import grow_from
from monai_cardiac_gan.networks.nets.patch_critic import PatchCritic
from monai_cardiac_gan.networks.nets.patch_features import PatchFeatures
from monai_cardiac_gan.networks.nets.patch_generator import PatchGenerator
from monai_cardiac_gan.networks.nets.residual_critic import ResidualCritic
from monai_cardiac_gan.networks.nets.residual_generator import ResidualGenerator

__all__ = ["PatchCritic", "PatchFeatures", "PatchGenerator", "ResidualCritic", "ResidualGenerator", "grow_from"]
