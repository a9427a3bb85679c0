"""Ways from trained networks to images: painting the expected aorta into a hole."""

from monai_cardiac_gan.inferers.baselines import (
    BiharmonicFilling,
    Filling,
    MeanPatch,
    NearestPatch,
    NetworkFilling,
    OpenCVFilling,
)
from monai_cardiac_gan.inferers.blending import FeatheredBlending, Paste, PoissonBlending, seam_error
from monai_cardiac_gan.inferers.calibration import SpreadCalibration, calibrate_spread, coverage
from monai_cardiac_gan.inferers.coarse_to_fine import CoarseToFine
from monai_cardiac_gan.inferers.gradient_descent import GradientDescent
from monai_cardiac_gan.inferers.guess import EncodedGuess, PaintedGuess
from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.latent_metric import latent_metric, metric_inverse
from monai_cardiac_gan.inferers.lbfgs import LBFGSDescent
from monai_cardiac_gan.inferers.masks import disc_hole, label_hole, square_hole
from monai_cardiac_gan.inferers.objective import LatentObjective
from monai_cardiac_gan.inferers.presets import fast_search, inpainting_search, paper_search
from monai_cardiac_gan.inferers.result import DescentTraces, InpaintingResult, StartImages
from monai_cardiac_gan.inferers.spread import DiscSpread, PixelSpread, disc_spread, pixel_spread
from monai_cardiac_gan.inferers.starts import GuessedStarts, RandomStarts

__all__ = [
    "BiharmonicFilling",
    "CoarseToFine",
    "DescentTraces",
    "DiscSpread",
    "EncodedGuess",
    "FeatheredBlending",
    "Filling",
    "GradientDescent",
    "GuessedStarts",
    "InpaintingResult",
    "LBFGSDescent",
    "LatentBank",
    "LatentInpaintingInferer",
    "LatentObjective",
    "MeanPatch",
    "NearestPatch",
    "NetworkFilling",
    "OpenCVFilling",
    "PaintedGuess",
    "Paste",
    "PixelSpread",
    "PoissonBlending",
    "RandomStarts",
    "SpreadCalibration",
    "StartImages",
    "calibrate_spread",
    "coverage",
    "disc_hole",
    "disc_spread",
    "fast_search",
    "inpainting_search",
    "label_hole",
    "latent_metric",
    "metric_inverse",
    "paper_search",
    "pixel_spread",
    "seam_error",
    "square_hole",
]
