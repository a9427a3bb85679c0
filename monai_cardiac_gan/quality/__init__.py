"""Image quality of a volume: measures, grade and reasons."""

from monai_cardiac_gan.quality.grade import IMAGE_MEASURES, grade_image_quality
from monai_cardiac_gan.quality.keep import PERSON, GradeThreshold
from monai_cardiac_gan.quality.report import QualityReport

__all__ = ["IMAGE_MEASURES", "PERSON", "GradeThreshold", "QualityReport", "grade_image_quality"]
