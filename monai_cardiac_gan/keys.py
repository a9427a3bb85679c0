"""The names under which things travel in a record (a dictionary), once."""

from __future__ import annotations

__all__ = ["Field", "PatchColumn"]


class Field:
    """Fields of a record: one volume of one subject."""

    IMAGE = "image"
    """Path of the volume, then the volume as a MetaTensor (1, X, Y, Z)."""
    SUBJECT = "subject"
    """Name of the person; all volumes of one person have the same."""
    GRADE = "grade"
    """Image quality, 0 (not usable) to 4 (excellent), if a person gave one."""
    LABEL = "label"
    """Path of a label map of the aorta, then the map itself, if there is one."""
    SEED = "seed"
    """A point inside the descending aorta (three numbers), if somebody gave one."""
    SPLIT = "split"
    """``"train"`` or ``"test"``, if somebody decided on which side the person is."""
    ERROR = "error"
    """Why the entry of a data list cannot be used."""
    QUALITY = "quality"
    """The QualityReport of the volume."""
    AORTA = "aorta"
    """The AortaTrack of the volume."""
    PATCHES = "patches"
    """The patches cut from the volume, a list of MetaTensors (1, 128, 128)."""
    DIGEST = "digest"
    """SHA-256 of the volume's voxels in RAS+ order; equal for identical volumes under two names."""
    FINGERPRINT = "fingerprint"
    """What the volume looks like, coarsely; nearly equal for slightly changed copies of one image."""


class PatchColumn:
    """What is known of each patch: columns of a patch set, and metadata of the patch itself."""

    SUBJECT = "subject"
    SLICE = "slice"
    """Index along the volume's third axis."""
    CENTRE_X = "centre_x_mm"
    """Aorta's centre along the patch's first axis, mm from its first pixel's centre."""
    CENTRE_Y = "centre_y_mm"
    DIAMETER = "diameter_mm"
    CONFIDENCE = "confidence"
    GRADE = "grade"
    PADDED = "padded_share"
    """Share of pixels that lie outside the field of view."""
