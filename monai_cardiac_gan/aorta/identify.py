"""Which of several vessels is the descending aorta."""

from __future__ import annotations

from collections.abc import Sequence

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
DEPTHS = (0.22, 0.33, 0.50, 0.62)
"""Depths in the chest (`depth_in_chest`) from which on a tube is hardly believed, and between which it is fully: the spinal
canal lies at 0.20 to 0.33, the descending aorta at 0.34 to 0.46, the ascending one in front of 0.6."""
LEAST_BELIEF = 0.1
"""What is left of the belief in a tube at another depth; a patient may lie on air or on a cushion."""
LANDMARK_DOUBT = 0.3
"""Tubes of a larger doubt do not say where the rear and the left are."""
RIVAL_SHARE = 0.25
"""Tubes weaker than this share of the strongest are scraps and no landmarks."""


def most_aortic(tubes: Sequence[Tube], depths: Sequence[float | None] | None = None) -> tuple[Tube, float]:
    """The tube that is most like a descending aorta, and how sure that is.

    A tube's evidence is its total (long, round, bright, smooth) times a belief in its place: far back and far left among
    the others, but not where the spinal canal lies behind a wider tube, and at its usual depth in the chest. All are
    soft, so that neither a rotated patient nor a cropped field of view rules the aorta out.

    Args:
        tubes: at least one, in RAS+ axes.
        depths: where each lies between back (0) and chest (1), None where that is unknown.

    Returns:
        The tube, and its certainty, 0 to 1: its share in the evidence of the best two (1 without a rival), times the belief that
        it neither lies where the canal does nor at another depth than the aorta's.
    """
    largest = max(tube.total for tube in tubes)
    known = [None] * len(tubes) if depths is None else depths
    strong, deep = zip(
        *(pair for pair in zip(tubes, known, strict=True) if pair[0].total >= RIVAL_SHARE * largest), strict=True
    )
    places = np.array([np.median(tube.centres_mm, axis=0) for tube in strong])
    doubt = _like_canal(places, np.array([np.median(tube.radii_mm) for tube in strong]))
    corner = places[doubt <= LANDMARK_DOUBT].min(0)
    right, front = np.maximum(places - corner, 0.0).T
    believed = (1 - doubt) * np.array([_belief_in_depth(depth) for depth in deep])
    place = np.exp(-front / POSTERIOR_SCALE_MM - right / LEFT_SCALE_MM)
    evidence = np.array([tube.total for tube in strong]) * place * believed
    best = int(evidence.argmax())
    rival = np.delete(evidence, best).max(initial=0.0)
    return strong[best], float(believed[best] * evidence[best] / (evidence[best] + rival))


def _belief_in_depth(depth: float | None) -> float:
    return 1.0 if depth is None else float(np.interp(depth, DEPTHS, [LEAST_BELIEF, 1.0, 1.0, LEAST_BELIEF]))


def _like_canal(places: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Doubt in each tube, 0 to `CANAL_DOUBT`: how much it lies as the spinal canal does to any wider tube."""
    right, behind = np.moveaxis(places[:, None] - places[None], -1, 0) * np.array([1.0, -1.0])[:, None, None]
    apart = (right - CANAL_RIGHT_MM) ** 2 + (behind - CANAL_BEHIND_MM) ** 2
    likeness = np.exp(-0.5 * apart / CANAL_SPREAD_MM**2)
    there = (right > 0) & (behind > 0) & (radii[None] >= radii[:, None])
    return CANAL_DOUBT * np.where(there, likeness, 0.0).max(1)
