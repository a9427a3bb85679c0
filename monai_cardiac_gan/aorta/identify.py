"""Which of several vessels is the descending aorta."""

from __future__ import annotations

import numpy as np

from monai_cardiac_gan.aorta.tubes import Tube

__all__ = ["most_aortic"]

POSTERIOR_SCALE_MM = 80.0
"""Decay of belief with the distance in front of the rearmost vessel: the ascending aorta lies 50 to 80 mm further in front."""
LEFT_SCALE_MM = 120.0
"""Decay of belief with the distance to the right of the leftmost vessel: the venae cavae lie 50 to 90 mm further right."""
RIVAL_SHARE = 0.25
"""Tubes weaker than this share of the strongest are scraps and no landmarks."""


def most_aortic(tubes: list[Tube]) -> tuple[Tube, float]:
    """The tube that is most like a descending aorta, and how clearly it beats the others.

    A tube's evidence is its total (long, round, bright, smooth) times a belief in its place: far back and far left.
    Both are soft, so that neither a rotated patient nor a cropped field of view rules the aorta out.

    Args:
        tubes: at least one, in RAS+ axes.

    Returns:
        The tube, and its certainty from 0.5 (another is as good) to 1 (no rival).
    """
    strong = [tube for tube in tubes if tube.total >= RIVAL_SHARE * max(tube.total for tube in tubes)]
    places = np.array([np.median(tube.centres_mm, axis=0) for tube in strong])
    right, front = (places - places.min(0)).T
    evidence = np.array([tube.total for tube in strong]) * np.exp(-front / POSTERIOR_SCALE_MM - right / LEFT_SCALE_MM)
    order = np.argsort(-evidence, kind="stable")
    rival = evidence[order[1]] if len(order) > 1 else 0.0
    return strong[order[0]], float(evidence[order[0]] / (evidence[order[0]] + rival))
