"""The networks of aorta patches: generators, critics, encoder, features, and a baseline."""

from monai_cardiac_gan.networks.nets.filling_unet import FillingUNet
from monai_cardiac_gan.networks.nets.growing import grow_from
from monai_cardiac_gan.networks.nets.latent_encoder import LatentEncoder
from monai_cardiac_gan.networks.nets.patch_critic import PatchCritic
from monai_cardiac_gan.networks.nets.patch_features import PatchFeatures
from monai_cardiac_gan.networks.nets.patch_generator import PatchGenerator
from monai_cardiac_gan.networks.nets.residual_critic import ResidualCritic
from monai_cardiac_gan.networks.nets.residual_generator import ResidualGenerator
from monai_cardiac_gan.networks.nets.start import start_at_scale, start_small

__all__ = [
    "FillingUNet",
    "LatentEncoder",
    "PatchCritic",
    "PatchFeatures",
    "PatchGenerator",
    "ResidualCritic",
    "ResidualGenerator",
    "grow_from",
    "start_at_scale",
    "start_small",
]
