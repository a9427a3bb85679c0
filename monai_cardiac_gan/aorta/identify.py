"""Which of several vessels is the descending aorta."""

from __future__ import annotations

import numpy as np

from monai_cardiac_gan.aorta.tubes import Tube

__all__ = ["most_aortic"]

POSTERIOR_SCALE_MM = 80.0
"""Decay of belief with the distance in front of the rearmost vessel: the ascending aorta lies 50 to 80 mm further in front."""
LEFT_SCALE_MM = 120.0
"""Decay of belief with the distance to the right of the leftmost vessel: the venae cavae lie 50 to 90 mm further right."""
CANAL_RIGHT_MM, CANAL_BEHIND_MM, CANAL_SPREAD_MM = 25.0, 35.0, 20.0
"""Where the spinal canal lies as seen from the descending aorta: 16 to 36 mm to its right and 21 to 53 mm behind it in
fourteen volumes."""
CANAL_DOUBT = 0.9
"""What a tube loses that lies exactly there and is no wider."""
LANDMARK_DOUBT = 0.3
"""Tubes of a larger doubt do not say where the rear and the left are."""
RIVAL_SHARE = 0.25
"""Tubes weaker than this share of the strongest are scraps and no landmarks."""


def most_aortic(tubes: list[Tube]) -> tuple[Tube, float]:
    """The tube that is most like a descending aorta, and how clearly it beats the others.

    A tube's evidence is its total (long, round, bright, smooth) times a belief in its place: far back and far left, but
    not where the spinal canal lies behind a wider tube. All are soft, so that neither a rotated patient nor a cropped
    field of view rules the aorta out.

    Args:
        tubes: at least one, in RAS+ axes.

    Returns:
        The tube, and its certainty from 0.5 (another is as good) to 1 (no rival).
    """
    strong = [tube for tube in tubes if tube.total >= RIVAL_SHARE * max(tube.total for tube in tubes)]
    places = np.array([np.median(tube.centres_mm, axis=0) for tube in strong])
    doubt = _like_canal(places, np.array([np.median(tube.radii_mm) for tube in strong]))
    corner = places[doubt <= LANDMARK_DOUBT].min(0)
    right, front = np.maximum(places - corner, 0.0).T
    place = np.exp(-front / POSTERIOR_SCALE_MM - right / LEFT_SCALE_MM)
    evidence = np.array([tube.total for tube in strong]) * place * (1 - doubt)
    order = np.argsort(-evidence, kind="stable")
    rival = evidence[order[1]] if len(order) > 1 else 0.0
    return strong[order[0]], float(evidence[order[0]] / (evidence[order[0]] + rival))


def _like_canal(places: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Doubt in each tube, 0 to `CANAL_DOUBT`: how much it lies as the spinal canal does to any wider tube."""
    right, behind = np.moveaxis(places[:, None] - places[None], -1, 0) * np.array([1.0, -1.0])[:, None, None]
    apart = (right - CANAL_RIGHT_MM) ** 2 + (behind - CANAL_BEHIND_MM) ** 2
    likeness = np.exp(-0.5 * apart / CANAL_SPREAD_MM**2)
    return CANAL_DOUBT * np.where(radii[None] >= radii[:, None], likeness, 0.0).max(1)
