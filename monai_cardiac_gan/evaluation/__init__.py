"""Numbers that compare: generated with real patches, inpainted with hidden ones; calibration."""

from monai_cardiac_gan.evaluation.calibrate_inpainting import CalibrateInpainting
from monai_cardiac_gan.evaluation.calibrate_vessels import CalibrateVessels
from monai_cardiac_gan.evaluation.calibration_report import read_calibration
from monai_cardiac_gan.evaluation.comparison import compare, format_rows, is_better
from monai_cardiac_gan.evaluation.evaluate_generators import EvaluateGenerators
from monai_cardiac_gan.evaluation.evaluate_inpainting import EvaluateInpainting, InpaintingRow
from monai_cardiac_gan.evaluation.generate_patches import GeneratePatches
from monai_cardiac_gan.evaluation.measured_vessel import MeasuredVessel, compared_levels, measure_vessel
from monai_cardiac_gan.evaluation.vessel_calibration import VesselCalibration, read_vessel_calibration

__all__ = [
    "CalibrateInpainting",
    "CalibrateVessels",
    "EvaluateGenerators",
    "EvaluateInpainting",
    "GeneratePatches",
    "InpaintingRow",
    "MeasuredVessel",
    "VesselCalibration",
    "compare",
    "compared_levels",
    "format_rows",
    "is_better",
    "measure_vessel",
    "read_calibration",
    "read_vessel_calibration",
]
