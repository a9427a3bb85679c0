"""The generator and the critic of aorta patches."""

from monai_cardiac_gan.networks.nets.patch_critic import PatchCritic
from monai_cardiac_gan.networks.nets.patch_generator import PatchGenerator

__all__ = ["PatchCritic", "PatchGenerator"]
