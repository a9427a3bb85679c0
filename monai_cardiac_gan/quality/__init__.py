"""Image quality of a volume: measures, grade and reasons."""

from monai_cardiac_gan.quality.grade import IMAGE_MEASURES, grade_image_quality
from monai_cardiac_gan.quality.keep import PERSON, GradeThreshold
from monai_cardiac_gan.quality.label_like import LabelLikeness, label_likeness
from monai_cardiac_gan.quality.report import QualityReport

__all__ = [
    "IMAGE_MEASURES",
    "PERSON",
    "GradeThreshold",
    "LabelLikeness",
    "QualityReport",
    "grade_image_quality",
    "label_likeness",
]
