"""Numbers that compare: generated with real patches, inpainted with hidden ones; calibration."""

from monai_cardiac_gan.evaluation.calibrate_inpainting import CalibrateInpainting
from monai_cardiac_gan.evaluation.calibration_report import read_calibration
from monai_cardiac_gan.evaluation.comparison import compare, format_rows, is_better
from monai_cardiac_gan.evaluation.evaluate_generators import EvaluateGenerators
from monai_cardiac_gan.evaluation.evaluate_inpainting import EvaluateInpainting
from monai_cardiac_gan.evaluation.generate_patches import GeneratePatches

__all__ = [
    "CalibrateInpainting",
    "EvaluateGenerators",
    "EvaluateInpainting",
    "GeneratePatches",
    "compare",
    "format_rows",
    "is_better",
    "read_calibration",
]
