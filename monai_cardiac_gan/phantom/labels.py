"""What a voxel of the phantom shows."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["PhantomLabel"]


class PhantomLabel(IntEnum):
    """Tissue of a voxel in the phantom's label map; BODY is muscle and other soft tissue, LUNG includes airways.

    Example:
        >>> PhantomLabel.DESCENDING_AORTA.name, int(PhantomLabel.BACKGROUND)
        ('DESCENDING_AORTA', 0)
    """

    BACKGROUND = 0
    BODY = 1
    FAT = 2
    LUNG = 3
    VERTEBRA = 4
    SPINAL_CANAL = 5
    RIB = 6
    MYOCARDIUM = 7
    LEFT_VENTRICLE = 8
    RIGHT_VENTRICLE = 9
    LEFT_ATRIUM = 10
    RIGHT_ATRIUM = 11
    ASCENDING_AORTA = 12
    DESCENDING_AORTA = 13
    PULMONARY_VESSEL = 14
    OESOPHAGUS = 15
    LIVER = 16
    VENA_CAVA = 17
    SPLEEN = 18
    STOMACH = 19
