"""Grade a volume inside a MONAI pipeline."""

from __future__ import annotations

import torch
from monai.transforms import Transform

from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.quality import QualityReport, grade_image_quality
from monai_cardiac_gan.transforms.ras_volume import RasVolume
from monai_cardiac_gan.transforms.record_transform import RecordTransform, collate_as_list

__all__ = ["GradeImageQuality", "GradeImageQualityD", "GradeImageQualityDict", "GradeImageQualityd"]


collate_as_list(QualityReport)


class GradeImageQuality(Transform):
    """The quality of a volume: a given grade is kept, otherwise the image is graded (`quality.grade_image_quality`).

    Put it before any intensity scaling: the measures expect air near zero.
    """

    def __call__(self, image: torch.Tensor, grade: float | None = None) -> QualityReport:
        """
        Args:
            image: `MetaTensor` (1, X, Y, Z) in RAS+ axes.
            grade: a person's grade from 0 to 4, if there is one.

        Returns:
            The report.

        Raises:
            ValueError: when the grade lies outside 0 to 4, or the image is no RAS+ volume.
        """
        if grade is not None:
            return QualityReport(float(grade))
        volume = RasVolume(image)
        return grade_image_quality(volume.array, volume.spacing)


class GradeImageQualityd(RecordTransform):
    """Dictionary version of `GradeImageQuality`; reads `Field.GRADE`, writes `Field.QUALITY`."""

    array_class = GradeImageQuality
    argument_fields = {"grade": Field.GRADE}
    result_field = Field.QUALITY


GradeImageQualityD = GradeImageQualityDict = GradeImageQualityd
