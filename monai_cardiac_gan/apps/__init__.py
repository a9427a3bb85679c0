"""Whole workflows that a bundle's config calls in one line."""

from monai_cardiac_gan.apps.checkpoint import load_network
from monai_cardiac_gan.apps.explain_errors import explain_errors
from monai_cardiac_gan.apps.generate import GeneratePatches
from monai_cardiac_gan.apps.inpainting_report import InpaintingReport
from monai_cardiac_gan.apps.growth import grow_networks
from monai_cardiac_gan.apps.prepare import PreparePatchSet, VolumeOutcome, scaled_intensity

__all__ = [
    "GeneratePatches",
    "InpaintingReport",
    "PreparePatchSet",
    "VolumeOutcome",
    "explain_errors",
    "grow_networks",
    "load_network",
    "scaled_intensity",
]
