"""Results as pages, pictures and volumes for people and their viewers."""

from monai_cardiac_gan.reporting.cohort import CohortReport
from monai_cardiac_gan.reporting.cohort_page import CohortRow, write_cohort_page
from monai_cardiac_gan.reporting.contact_sheet import write_contact_sheet
from monai_cardiac_gan.reporting.detect import Detect
from monai_cardiac_gan.reporting.examine import SubjectExaminer
from monai_cardiac_gan.reporting.inpainted_volumes import SaveInpaintedVolumes
from monai_cardiac_gan.reporting.inpainting_report import InpaintingReport
from monai_cardiac_gan.reporting.subject_page import write_subject_page
from monai_cardiac_gan.reporting.viewer_files import write_centre_line, write_colours
from monai_cardiac_gan.reporting.volume_file import write_volume

__all__ = [
    "CohortReport",
    "CohortRow",
    "Detect",
    "InpaintingReport",
    "SaveInpaintedVolumes",
    "SubjectExaminer",
    "write_centre_line",
    "write_cohort_page",
    "write_colours",
    "write_contact_sheet",
    "write_subject_page",
    "write_volume",
]
