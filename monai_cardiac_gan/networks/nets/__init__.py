"""The networks of aorta patches: generators, critics, encoder, features, and a baseline."""

from monai_cardiac_gan.networks.nets.comodulated_generator import ComodulatedGenerator
from monai_cardiac_gan.networks.nets.growing import grow_from
from monai_cardiac_gan.networks.nets.init import dcgan_init, scaled_init
from monai_cardiac_gan.networks.nets.inpainting_unet import InpaintingUNet
from monai_cardiac_gan.networks.nets.latent_encoder import LatentEncoder
from monai_cardiac_gan.networks.nets.output_filter import OutputFilter
from monai_cardiac_gan.networks.nets.patch_critic import PatchCritic
from monai_cardiac_gan.networks.nets.patch_features import PatchFeatures
from monai_cardiac_gan.networks.nets.patch_generator import PatchGenerator
from monai_cardiac_gan.networks.nets.residual_critic import ResidualCritic
from monai_cardiac_gan.networks.nets.residual_generator import ResidualGenerator

__all__ = [
    "ComodulatedGenerator",
    "InpaintingUNet",
    "LatentEncoder",
    "OutputFilter",
    "PatchCritic",
    "PatchFeatures",
    "PatchGenerator",
    "ResidualCritic",
    "ResidualGenerator",
    "dcgan_init",
    "grow_from",
    "scaled_init",
]
