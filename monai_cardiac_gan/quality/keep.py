"""Which volumes are good enough."""

from __future__ import annotations

from dataclasses import dataclass

from monai_cardiac_gan.quality.report import QualityReport

__all__ = ["PERSON", "GradeThreshold"]

PERSON = "person"


@dataclass(frozen=True)
class GradeThreshold:
    """Keep the volumes whose grade lies above a threshold.

    Attributes:
        person: threshold for grades that people gave; the publication keeps grades above 3.
        automatic: threshold for grades of a grader; those of `grade_image_quality` are not calibrated against people's,
            so that the default keeps all but poor volumes.

    Example:
        >>> GradeThreshold().reason_to_drop(QualityReport(3.0))
        'grade 3 of 4 (person) is not above 3'
    """

    person: float = 3.0
    automatic: float = 2.0

    def reason_to_drop(self, report: QualityReport) -> str | None:
        """Why the volume is dropped, or None when it is kept."""
        threshold = self.person if report.grader == PERSON else self.automatic
        if report.grade > threshold:
            return None
        measures = ", ".join(f"{name} {value:.3g}" for name, value in report.reasons.items())
        detail = f"; {measures}" if measures else ""
        return f"grade {report.grade:.2g} of 4 ({report.grader}) is not above {threshold:g}{detail}"
