"""From trained networks to images: sampling, masks, latent search, and baselines of inpainting."""

from monai_cardiac_gan.inferers.amortised import AmortisedInferer
from monai_cardiac_gan.inferers.amortised_vessel import AmortisedVessel
from monai_cardiac_gan.inferers.batched_lbfgs import BatchedLBFGS
from monai_cardiac_gan.inferers.blending import Blending, FeatheredBlending, Paste, PoissonBlending, seam_error
from monai_cardiac_gan.inferers.calibration import (
    UncertaintyCalibration,
    calibrate_uncertainty,
    choose_floor,
    coverage,
    subjects_needed,
)
from monai_cardiac_gan.inferers.coarse_to_fine import CoarseToFine
from monai_cardiac_gan.inferers.disc_uncertainty import DiscUncertainty, disc_uncertainty
from monai_cardiac_gan.inferers.expected_vessel import (
    ExpectedVessel,
    ExpectVessel,
    ShortTrackError,
    check_levels,
    levels_of,
)
from monai_cardiac_gan.inferers.familiarity import Familiarity, ScanFamiliarity, TextureNetwork, textures_of
from monai_cardiac_gan.inferers.feature_residuals import FeatureMaps, feature_residuals
from monai_cardiac_gan.inferers.gradient_descent import GradientDescent
from monai_cardiac_gan.inferers.inpainted_patch import InpaintedPatch, PatchOrigin
from monai_cardiac_gan.inferers.inpainted_vessel import InpaintedVessel
from monai_cardiac_gan.inferers.inpainters import (
    BiharmonicInpainter,
    EncoderInpainter,
    Inpainter,
    MeanPatchInpainter,
    NearestPatchInpainter,
    NetworkInpainter,
    OpenCVInpainter,
    SearchInpainter,
)
from monai_cardiac_gan.inferers.inpainting_result import InpaintingResult
from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.inferers.latent_initializers import EncoderBankInitializer, LatentInitializer, RandomInitializer
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.latent_metric import latent_metric, metric_inverse
from monai_cardiac_gan.inferers.latent_optimizer import LatentOptimizer
from monai_cardiac_gan.inferers.masks import HOLE_SIDES, disc_mask, label_mask, square_mask, square_masks
from monai_cardiac_gan.inferers.objective import LatentObjective
from monai_cardiac_gan.inferers.patch_masks import DiscMasks, LabelMasks
from monai_cardiac_gan.inferers.pixel_uncertainty import PixelUncertainty, pixel_uncertainty
from monai_cardiac_gan.inferers.proposals import EncoderProposal, Proposal, UNetProposal
from monai_cardiac_gan.inferers.random_holes import RandomHoles
from monai_cardiac_gan.inferers.random_masks import random_rectangles, within_valid
from monai_cardiac_gan.inferers.residual_gaussian import HoleResiduals, ResidualGaussianSampler, fit_residuals
from monai_cardiac_gan.inferers.samplers import ConditionalGenerator, NetworkSampler, Sampler, SearchSampler
from monai_cardiac_gan.inferers.sampling import sample_patches
from monai_cardiac_gan.inferers.scan_rater import ScanRater
from monai_cardiac_gan.inferers.search_digests import mask_digest, search_digests
from monai_cardiac_gan.inferers.search_parts import fill_latent_bank, load_search_parts
from monai_cardiac_gan.inferers.search_presets import (
    gradient_descent_search,
    inpainting_search,
    lbfgs_search,
    preset_for_weights,
)
from monai_cardiac_gan.inferers.traces import InitialImages, LossTraces, StopReason
from monai_cardiac_gan.inferers.vessel_networks import AmortisedNetworks, LoadedNetworks, VesselNetworks
from monai_cardiac_gan.inferers.vessel_objective import VesselObjective
from monai_cardiac_gan.inferers.vessel_search import VesselSearch

__all__ = [
    "HOLE_SIDES",
    "AmortisedInferer",
    "AmortisedNetworks",
    "AmortisedVessel",
    "BatchedLBFGS",
    "BiharmonicInpainter",
    "Blending",
    "CoarseToFine",
    "ConditionalGenerator",
    "DiscMasks",
    "DiscUncertainty",
    "EncoderBankInitializer",
    "EncoderInpainter",
    "EncoderProposal",
    "ExpectVessel",
    "ExpectedVessel",
    "Familiarity",
    "FeatheredBlending",
    "FeatureMaps",
    "GradientDescent",
    "HoleResiduals",
    "InitialImages",
    "InpaintedPatch",
    "InpaintedVessel",
    "Inpainter",
    "InpaintingResult",
    "LabelMasks",
    "LatentBank",
    "LatentInitializer",
    "LatentInpaintingInferer",
    "LatentObjective",
    "LatentOptimizer",
    "LoadedNetworks",
    "LossTraces",
    "MeanPatchInpainter",
    "NearestPatchInpainter",
    "NetworkInpainter",
    "NetworkSampler",
    "OpenCVInpainter",
    "Paste",
    "PatchOrigin",
    "PixelUncertainty",
    "PoissonBlending",
    "Proposal",
    "RandomHoles",
    "RandomInitializer",
    "ResidualGaussianSampler",
    "Sampler",
    "ScanFamiliarity",
    "ScanRater",
    "SearchInpainter",
    "SearchSampler",
    "ShortTrackError",
    "StopReason",
    "TextureNetwork",
    "UNetProposal",
    "UncertaintyCalibration",
    "VesselNetworks",
    "VesselObjective",
    "VesselSearch",
    "calibrate_uncertainty",
    "check_levels",
    "choose_floor",
    "coverage",
    "disc_mask",
    "disc_uncertainty",
    "feature_residuals",
    "fill_latent_bank",
    "fit_residuals",
    "gradient_descent_search",
    "inpainting_search",
    "label_mask",
    "latent_metric",
    "lbfgs_search",
    "levels_of",
    "load_search_parts",
    "mask_digest",
    "metric_inverse",
    "pixel_uncertainty",
    "preset_for_weights",
    "random_rectangles",
    "sample_patches",
    "seam_error",
    "search_digests",
    "square_mask",
    "square_masks",
    "subjects_needed",
    "textures_of",
    "within_valid",
]
