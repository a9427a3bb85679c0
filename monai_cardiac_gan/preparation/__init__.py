"""From a data list to a patch set: the workflow, and one volume's way through it."""

from monai_cardiac_gan.preparation.prepare import PreparePatchSet

__all__ = ["PreparePatchSet"]
