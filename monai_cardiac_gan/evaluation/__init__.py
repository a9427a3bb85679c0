"""Numbers that compare: generated with real patches, inpainted with hidden ones; calibration."""

from monai_cardiac_gan.evaluation.calibrate_inpainting import CalibrateInpainting
from monai_cardiac_gan.evaluation.calibrate_vessels import CalibrateVessels
from monai_cardiac_gan.evaluation.calibration_report import read_calibration
from monai_cardiac_gan.evaluation.comparison import compare, format_rows, is_better
from monai_cardiac_gan.evaluation.evaluate_generators import EvaluateGenerators
from monai_cardiac_gan.evaluation.evaluate_inpainting import EvaluateInpainting
from monai_cardiac_gan.evaluation.generate_patches import GeneratePatches
from monai_cardiac_gan.evaluation.inpainting_quality import InpaintingQuality, inpainting_quality
from monai_cardiac_gan.evaluation.inpainting_tables import InpaintingComparison, InpaintingRow, SampleRow
from monai_cardiac_gan.evaluation.measured_vessel import MeasuredVessel, compared_levels, measure_vessel
from monai_cardiac_gan.evaluation.paired_difference import DifferenceRow, paired_differences
from monai_cardiac_gan.evaluation.sample_quality import SampleQuality
from monai_cardiac_gan.evaluation.vessel_calibration import VesselCalibration, read_vessel_calibration

__all__ = [
    "CalibrateInpainting",
    "CalibrateVessels",
    "DifferenceRow",
    "EvaluateGenerators",
    "EvaluateInpainting",
    "GeneratePatches",
    "InpaintingComparison",
    "InpaintingQuality",
    "InpaintingRow",
    "MeasuredVessel",
    "SampleQuality",
    "SampleRow",
    "VesselCalibration",
    "compare",
    "compared_levels",
    "format_rows",
    "inpainting_quality",
    "is_better",
    "measure_vessel",
    "paired_differences",
    "read_calibration",
    "read_vessel_calibration",
]
