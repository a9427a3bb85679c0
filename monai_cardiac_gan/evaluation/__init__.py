"""Numbers that compare: generated with real patches, inpainted with hidden ones; calibration."""

from monai_cardiac_gan.evaluation.calibrate_detection import CalibrateDetection
from monai_cardiac_gan.evaluation.calibrate_inpainting import CalibrateInpainting
from monai_cardiac_gan.evaluation.calibrate_vessels import CalibrateVessels
from monai_cardiac_gan.evaluation.calibration_report import read_calibration
from monai_cardiac_gan.evaluation.comparison import compare, format_rows, is_better
from monai_cardiac_gan.evaluation.detect_vessel import DetectedVessel, DetectVessel
from monai_cardiac_gan.evaluation.detection_baselines import (
    EncoderResidual,
    NearestPatchResidual,
    OwnVesselBaseline,
    PcaResidual,
    PublishedNormalsBaseline,
    TrackerDiameterBaseline,
    UNetResidual,
)
from monai_cardiac_gan.evaluation.detection_calibration import (
    Detection,
    DetectionCalibration,
    read_detection_calibration,
)
from monai_cardiac_gan.evaluation.evaluate_detection import EvaluateDetection
from monai_cardiac_gan.evaluation.evaluate_generators import EvaluateGenerators, GroupResult
from monai_cardiac_gan.evaluation.evaluate_inpainting import EvaluateInpainting
from monai_cardiac_gan.evaluation.generate_patches import GeneratePatches
from monai_cardiac_gan.evaluation.inpainting_quality import InpaintingQuality, inpainting_quality
from monai_cardiac_gan.evaluation.inpainting_tables import InpaintingComparison, InpaintingRow, SampleRow
from monai_cardiac_gan.evaluation.interval_table import SubjectInterval, subject_intervals
from monai_cardiac_gan.evaluation.look_for_copies import CopyFinding
from monai_cardiac_gan.evaluation.measured_vessel import MeasuredVessel, compared_levels, measure_vessel
from monai_cardiac_gan.evaluation.paired_difference import DifferenceRow, paired_differences
from monai_cardiac_gan.evaluation.people import People
from monai_cardiac_gan.evaluation.protocol import Protocol, protocol_of, protocols_of_subjects
from monai_cardiac_gan.evaluation.sample_quality import SampleQuality
from monai_cardiac_gan.evaluation.score_scan import ScanScorer, scoring_parts
from monai_cardiac_gan.evaluation.score_vessel import NoSpreadError, ScoredVessel, ScoreVessel
from monai_cardiac_gan.evaluation.vessel_calibration import VesselCalibration, read_vessel_calibration

__all__ = [
    "CalibrateDetection",
    "CalibrateInpainting",
    "CalibrateVessels",
    "CopyFinding",
    "DetectVessel",
    "DetectedVessel",
    "Detection",
    "DetectionCalibration",
    "DifferenceRow",
    "EncoderResidual",
    "EvaluateDetection",
    "EvaluateGenerators",
    "EvaluateInpainting",
    "GeneratePatches",
    "GroupResult",
    "InpaintingComparison",
    "InpaintingQuality",
    "InpaintingRow",
    "MeasuredVessel",
    "NearestPatchResidual",
    "NoSpreadError",
    "OwnVesselBaseline",
    "PcaResidual",
    "People",
    "Protocol",
    "PublishedNormalsBaseline",
    "SampleQuality",
    "SampleRow",
    "ScanScorer",
    "ScoreVessel",
    "ScoredVessel",
    "SubjectInterval",
    "TrackerDiameterBaseline",
    "UNetResidual",
    "VesselCalibration",
    "compare",
    "compared_levels",
    "format_rows",
    "inpainting_quality",
    "is_better",
    "measure_vessel",
    "paired_differences",
    "protocol_of",
    "protocols_of_subjects",
    "read_calibration",
    "read_detection_calibration",
    "read_vessel_calibration",
    "scoring_parts",
    "subject_intervals",
]
