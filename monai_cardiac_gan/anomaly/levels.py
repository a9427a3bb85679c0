"""What clinicians call the levels of the descending aorta."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monai_cardiac_gan.anomaly.landmarks import Landmarks

__all__ = ["ABDOMINAL", "DIAPHRAGM", "ISTHMUS", "MID_THORACIC", "NamedLevels", "name_levels"]

ISTHMUS, MID_THORACIC, DIAPHRAGM, ABDOMINAL = "isthmus", "mid-thoracic", "diaphragm", "abdominal"
ISTHMUS_MM = 25.0
"""Length of the isthmus below the arch: guidelines measure the proximal descending aorta about 2 cm below the left
subclavian artery (Hiratzka et al. 2010, thoracic aortic disease)."""
DIAPHRAGM_MM = 15.0
"""How far from the lung's end a level is still at the diaphragm."""


@dataclass(frozen=True)
class NamedLevels:
    """Names of levels.

    Attributes:
        names: one for each level.
        rule: how they were found, one sentence.
    """

    names: tuple[str, ...]
    rule: str


def name_levels(mm_from_top: Sequence[float], length_mm: float, landmarks: Landmarks) -> NamedLevels:
    """Name levels by landmarks where both were found, by thirds of the track where not.

    Args:
        mm_from_top: of the levels, below the top of the track.
        length_mm: of the track.
        landmarks: of the same track.

    Raises:
        ValueError: when the length is not positive or a level lies outside the track.

    Example:
        >>> name_levels([0.0, 60.0, 120.0, 150.0], 200.0, Landmarks(is_arch_seen=True, diaphragm_mm=120.0)).names
        ('isthmus', 'mid-thoracic', 'diaphragm', 'abdominal')
    """
    if not length_mm > 0:
        raise ValueError(f"the track is {length_mm} mm long: expected a positive length.")
    outside = [place for place in mm_from_top if not 0 <= place <= length_mm]
    if outside:
        raise ValueError(
            f"levels at {outside} mm from the top lie outside the track of {length_mm:g} mm: expected 0 to its length."
        )
    if landmarks.is_arch_seen and landmarks.diaphragm_mm is not None:
        diaphragm = landmarks.diaphragm_mm
        return NamedLevels(
            tuple(_by_landmarks(place, diaphragm) for place in mm_from_top),
            f"levels are named by landmarks: the isthmus is the first {ISTHMUS_MM:g} mm below the aortic arch, the diaphragm "
            f"{DIAPHRAGM_MM:g} mm around the lower end of the left lung beside the aorta ({diaphragm:.0f} mm from the top)",
        )
    missing = [
        name
        for name, is_found in (
            ("the aortic arch", landmarks.is_arch_seen),
            ("the lower end of the lung", landmarks.diaphragm_mm is not None),
        )
        if not is_found
    ]
    return NamedLevels(
        tuple((ISTHMUS, MID_THORACIC, DIAPHRAGM)[min(2, int(3 * place / length_mm))] for place in mm_from_top),
        "levels are named by thirds of the track's length (isthmus, mid-thoracic, diaphragm from the top), because "
        f"{' and '.join(missing)} {'were' if len(missing) > 1 else 'was'} not found",
    )


def _by_landmarks(place: float, diaphragm: float) -> str:
    if place <= ISTHMUS_MM:
        return ISTHMUS
    if place < diaphragm - DIAPHRAGM_MM:
        return MID_THORACIC
    return DIAPHRAGM if place <= diaphragm + DIAPHRAGM_MM else ABDOMINAL
