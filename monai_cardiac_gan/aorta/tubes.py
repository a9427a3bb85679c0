"""Vessels as smooth chains of circles through the slices, found one after the other by dynamic programming."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monai_cardiac_gan.aorta.circles import CircleCandidates

__all__ = ["Tube", "find_tubes", "join_tubes"]

REWARD_OFFSET = 0.45
"""A circle whose score lies below this costs its tube more than it adds; real vessels score 0.6 to 0.9."""
DRIFT_WEIGHT_PER_MM = 0.04
"""Price of each millimetre of sideways movement between two slices; an arch that runs in the plane becomes dear."""
GROWTH_WEIGHT_PER_MM = 0.06
"""Price of each millimetre of change in radius between two slices."""
GAP_PRICE_PER_MM = 0.1
"""Price of every millimetre that a tube passes over without a circle."""
LARGEST_GAP_MM = 9.0
"""Length that a tube may pass over; more than a centimetre of missing vessel is no vessel."""
LARGEST_SLOPE = 1.5
"""Sideways movement per length above which two circles never belong to one tube (56 degrees from the body's axis)."""
JOIN_GAP_MM, JOIN_SLOPE, JOIN_WIDTH = 30.0, 0.5, 1.4
"""One vessel may be hidden for this height; its two parts then lie one above the other, to within this sideways movement per
length, and their radii at the gap have at most this ratio."""
JOIN_CIRCLES = 4
"""Circles at either side of a gap whose median is compared."""
OCCUPIED_MM = 6.0
"""Circles whose centres come this close to a tube that was taken already are spent with it."""


@dataclass(frozen=True)
class Tube:
    """One vessel candidate.

    Attributes:
        slices: (n,) increasing slice numbers; passed-over slices are missing.
        centres_mm: (n, 2) centres.
        radii_mm: (n,) radii.
        scores: (n,) scores of the circles, 0 to 1.
        total: summed reward less all prices; the larger, the more vessel.
    """

    slices: np.ndarray
    centres_mm: np.ndarray
    radii_mm: np.ndarray
    scores: np.ndarray
    total: float


def find_tubes(circles: list[CircleCandidates], pixel_mm: float, count: int, slice_mm: float) -> list[Tube]:
    """The best disjoint tubes, best first.

    The best chain maximises the sum of ``score - REWARD_OFFSET`` over its circles less the prices of movement, change
    of radius and gaps, over all starts and ends (Viterbi's recursion; Bellman 1957). Its circles and those beside it are
    then removed and the next chain is sought.

    Args:
        circles: the candidates of each slice, from the first slice to the last.
        pixel_mm: side of a pixel, mm.
        count: how many tubes to look for.
        slice_mm: distance of two slices, mm.
    """
    centres = [found.centres * pixel_mm for found in circles]
    radii = [found.radii * pixel_mm for found in circles]
    scores = [found.scores for found in circles]
    alive = [np.ones(len(found.scores), dtype=bool) for found in circles]
    tubes: list[Tube] = []
    for _ in range(count):
        tube = _best_chain(centres, radii, scores, alive, slice_mm)
        if tube is None:
            break
        tubes.append(tube)
        _spend(tube, centres, alive)
    return tubes


def join_tubes(chosen: Tube, tubes: Sequence[Tube], slice_mm: float) -> Tube:
    """The chosen tube with those that go on where it ends: parts of one vessel that is hidden for a few centimetres.

    Args:
        chosen: one of the tubes.
        tubes: all of them; the nearest that fits is joined first.
        slice_mm: distance of two slices.
    """
    rest = [tube for tube in tubes if tube is not chosen]
    while fits := [tube for tube in rest if _continues(chosen, tube, slice_mm)]:
        nearest = min(fits, key=lambda tube: _gap(chosen, tube))
        rest.remove(nearest)
        parts = sorted((chosen, nearest), key=_lower_end)
        chosen = Tube(
            slices=np.concatenate([part.slices for part in parts]),
            centres_mm=np.concatenate([part.centres_mm for part in parts]),
            radii_mm=np.concatenate([part.radii_mm for part in parts]),
            scores=np.concatenate([part.scores for part in parts]),
            total=chosen.total + nearest.total,
        )
    return chosen


def _lower_end(tube: Tube) -> int:
    return int(tube.slices[0])


def _gap(one: Tube, other: Tube) -> int:
    """Slices from the lower tube's end to the upper one's start; negative where they overlap."""
    return int(max(one.slices[0], other.slices[0]) - min(one.slices[-1], other.slices[-1]))


def _continues(one: Tube, other: Tube, slice_mm: float) -> bool:
    lower, upper = sorted((one, other), key=_lower_end)
    length = _gap(lower, upper) * slice_mm
    if not 0 < length <= JOIN_GAP_MM:
        return False
    below, above = slice(-JOIN_CIRCLES, None), slice(JOIN_CIRCLES)
    aside = np.median(upper.centres_mm[above], axis=0) - np.median(lower.centres_mm[below], axis=0)
    ratio = np.median(upper.radii_mm[above]) / np.median(lower.radii_mm[below])
    return bool(np.linalg.norm(aside) <= JOIN_SLOPE * length and 1 / JOIN_WIDTH < ratio < JOIN_WIDTH)


def _best_chain(
    centres: list[np.ndarray],
    radii: list[np.ndarray],
    scores: list[np.ndarray],
    alive: list[np.ndarray],
    slice_mm: float,
) -> Tube | None:
    totals: list[np.ndarray] = []
    parents: list[np.ndarray] = []
    for k in range(len(centres)):
        best = np.zeros(len(scores[k]))
        parent = np.full((len(scores[k]), 2), -1)
        for before in range(max(0, k - 1 - int(LARGEST_GAP_MM / slice_mm)), k):
            if not len(scores[k]) or not len(scores[before]):
                continue
            joined = totals[before] - _price(centres, radii, before, k, slice_mm)
            choice = joined.argmax(1)
            value = joined[np.arange(len(choice)), choice]
            better = value > best
            best[better] = value[better]
            parent[better] = np.stack([np.full(better.sum(), before), choice[better]], 1)
        totals.append(np.where(alive[k], best + scores[k] - REWARD_OFFSET, -np.inf))
        parents.append(parent)
    return _trace(totals, parents, centres, radii, scores)


def _price(centres: list[np.ndarray], radii: list[np.ndarray], before: int, after: int, slice_mm: float) -> np.ndarray:
    """Price of joining every circle of one slice (rows) to every circle of an earlier one (columns)."""
    length = (after - before) * slice_mm
    drift = np.linalg.norm(centres[after][:, None] - centres[before][None], axis=-1)
    growth = np.abs(radii[after][:, None] - radii[before][None])
    gap = GAP_PRICE_PER_MM * (length - slice_mm)
    price = DRIFT_WEIGHT_PER_MM * drift + GROWTH_WEIGHT_PER_MM * growth + gap
    return np.where(drift > LARGEST_SLOPE * length, np.inf, price)


def _trace(
    totals: list[np.ndarray],
    parents: list[np.ndarray],
    centres: list[np.ndarray],
    radii: list[np.ndarray],
    scores: list[np.ndarray],
) -> Tube | None:
    ends = [total.max(initial=-np.inf) for total in totals]
    last = int(np.argmax(ends)) if ends else 0
    if not ends or ends[last] <= 0:
        return None
    chain = [(last, int(totals[last].argmax()))]
    while (parent := tuple(parents[chain[-1][0]][chain[-1][1]]))[0] >= 0:
        chain.append((int(parent[0]), int(parent[1])))
    chain.reverse()
    return Tube(
        slices=np.array([k for k, _ in chain]),
        centres_mm=np.array([centres[k][i] for k, i in chain]),
        radii_mm=np.array([radii[k][i] for k, i in chain]),
        scores=np.array([scores[k][i] for k, i in chain]),
        total=float(ends[last]),
    )


def _spend(tube: Tube, centres: list[np.ndarray], alive: list[np.ndarray]) -> None:
    for k, centre in zip(tube.slices, tube.centres_mm, strict=True):
        alive[k] &= np.linalg.norm(centres[k] - centre, axis=1) > OCCUPIED_MM
