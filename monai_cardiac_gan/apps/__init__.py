"""Whole workflows that a bundle's config calls in one line."""

from monai_cardiac_gan.apps.calibrate_inpainting import CalibrateInpainting, read_calibration
from monai_cardiac_gan.apps.checkpoint import load_network
from monai_cardiac_gan.apps.comparison import compare, format_rows, is_better
from monai_cardiac_gan.apps.draw import draw_patches
from monai_cardiac_gan.apps.evaluate import EvaluateGenerators
from monai_cardiac_gan.apps.evaluate_inpainting import EvaluateInpainting
from monai_cardiac_gan.apps.explain_errors import explain_errors
from monai_cardiac_gan.apps.generate import GeneratePatches
from monai_cardiac_gan.apps.growth import grow_networks
from monai_cardiac_gan.apps.holes import DiscHoles, LabelHoles
from monai_cardiac_gan.apps.inpainted_volumes import SaveInpaintedVolumes
from monai_cardiac_gan.apps.inpainting_report import InpaintingReport
from monai_cardiac_gan.apps.prepare import PreparePatchSet
from monai_cardiac_gan.apps.search_parts import fill_latent_bank, load_search_parts
from monai_cardiac_gan.apps.train_encoder import TrainLatentEncoder
from monai_cardiac_gan.apps.train_features import TrainPatchFeatures
from monai_cardiac_gan.apps.train_filling import TrainFillingNetwork

__all__ = [
    "CalibrateInpainting",
    "DiscHoles",
    "EvaluateGenerators",
    "EvaluateInpainting",
    "GeneratePatches",
    "InpaintingReport",
    "LabelHoles",
    "PreparePatchSet",
    "SaveInpaintedVolumes",
    "TrainFillingNetwork",
    "TrainLatentEncoder",
    "TrainPatchFeatures",
    "compare",
    "draw_patches",
    "explain_errors",
    "fill_latent_bank",
    "format_rows",
    "grow_networks",
    "is_better",
    "load_network",
    "load_search_parts",
    "read_calibration",
]
