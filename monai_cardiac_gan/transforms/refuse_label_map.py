"""Refuse a label map where an image is expected."""

from __future__ import annotations

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import ImageMetaKey

from monai_cardiac_gan.quality import label_likeness
from monai_cardiac_gan.transforms.record_transform import RecordTransform
from monai_cardiac_gan.transforms.volume_error import VolumeError

__all__ = ["RefuseLabelMap", "RefuseLabelMapD", "RefuseLabelMapDict", "RefuseLabelMapd"]

NIFTI_INTENT_LABEL = 1002
"""NIfTI-1 standard, `intent_code` of label maps."""
INTENT = "intent_code"
SLICER_SEGMENT = "Segment0_ID"
"""Key in the NRRD header of a 3D Slicer segmentation (``.seg.nrrd``)."""


class RefuseLabelMap(Transform):
    """Pass an image on as it is, and refuse a label map: it would be graded and cut like a person's image.

    A label map says so in its header (NIfTI's intent code, 3D Slicer's segments), or has few values in large areas
    (`quality.label_likeness`).

    Raises:
        VolumeError: on calling, for a label map.
    """

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """The image (1, X, Y, Z) itself."""
        meta = image.meta if isinstance(image, MetaTensor) else {}
        reason = _stated(meta) or _seen(image)
        if reason:
            raise VolumeError(
                f"{meta.get(ImageMetaKey.FILENAME_OR_OBJ, 'the volume')}: is a label map ({reason}), expected an image; name it "
                "in the column `label` of its image, or leave it out of the data list."
            )
        return image


class RefuseLabelMapd(RecordTransform):
    """Dictionary version of `RefuseLabelMap`."""

    array_class = RefuseLabelMap


RefuseLabelMapD = RefuseLabelMapDict = RefuseLabelMapd


def _stated(meta: dict) -> str:
    if SLICER_SEGMENT in meta:
        return "its header names segments"
    if int(np.asarray(meta.get(INTENT, 0))) == NIFTI_INTENT_LABEL:
        return f"its header has the intent code {NIFTI_INTENT_LABEL}"
    return ""


def _seen(image: torch.Tensor) -> str:
    likeness = label_likeness(np.asarray(image[0]))
    if not likeness.is_label_map:
        return ""
    return f"{likeness.values} values, and {likeness.equal_share:.0%} of neighbours in its structures are equal"
