"""Results as pages, pictures and volumes for people and their viewers."""

from monai_cardiac_gan.reporting.contact_sheet import write_contact_sheet
from monai_cardiac_gan.reporting.inpainted_volumes import SaveInpaintedVolumes
from monai_cardiac_gan.reporting.inpainting_report import InpaintingReport

__all__ = ["InpaintingReport", "SaveInpaintedVolumes", "write_contact_sheet"]
