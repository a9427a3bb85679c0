"""Which slices of a fitted tube belong to the track: the vessel's ends are strict, between them it may be hard to see."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["believed_slices"]

STRONG = 0.6
"""Confidence from which a slice is believed for itself; below, hardly more than half of the rays found a rim."""
WEAK = 0.35
"""Confidence from which a slice is believed between strong ones, where its circle lies on the course that they give."""
COURSE_MM, COURSE_WIDTH = 2.5, 0.15
"""How far a weak slice's centre may lie from that course, and its radius from that course's, as a share of it."""
TOUCHING_MM = 7.0
"""Strong slices this close belong together whatever their width."""
LARGEST_GAP_MM = 30.0
"""Height without a strong slice over which a vessel of the same width still goes on; beyond, another vessel may begin: 45 mm
lie between the arch and the next vessel in the volume where both were taken."""
SAME_WIDTH = 1.5
"""Largest ratio of the radii on both sides of such a gap."""
WIDTH_MM = 10.0
"""Height over which these radii are taken."""
END_SHARE = 0.7
"""The track begins and ends with slices of at least this share of its median confidence: beyond, the rim fades."""


def believed_slices(
    confidence: np.ndarray, centres_mm: np.ndarray, radii_mm: np.ndarray, slice_mm: float
) -> np.ndarray:
    """The longest stretch of one vessel.

    Args:
        confidence: (n,) 0 to 1, on consecutive slices.
        centres_mm: (n, 2).
        radii_mm: (n,).
        slice_mm: distance of two slices.

    Returns:
        Boolean (n,); false everywhere when no slice is strong.

    Example:
        A vessel whose rim is hard to see on two slices in its middle, and not at all on its lowest two:

        >>> confidence = np.array([0.3, 0.4, 0.9, 0.9, 0.5, 0.4, 0.9, 0.9])
        >>> believed_slices(confidence, np.full((8, 2), 50.0), np.full(8, 11.0), 3.0).astype(int).tolist()
        [0, 0, 1, 1, 1, 1, 1, 1]
    """
    strong = confidence >= STRONG
    stretches = _stretches(strong, radii_mm, slice_mm)
    if not stretches:
        return strong
    longest = max(stretches, key=lambda stretch: int(strong[stretch].sum()))
    rows = np.arange(len(strong))
    strong = strong & (rows >= longest.start) & (rows < longest.stop)
    ends = np.flatnonzero(strong & (confidence >= END_SHARE * np.median(confidence[strong])))[[0, -1]]
    between = (rows >= ends[0]) & (rows <= ends[1])
    on_course = _on_course(strong & between, centres_mm, radii_mm)
    return between & (strong | ((confidence >= WEAK) & on_course))


def _stretches(strong: np.ndarray, radii_mm: np.ndarray, slice_mm: float) -> list[slice]:
    """From the first to the last strong slice of each vessel."""
    gap = int(TOUCHING_MM / slice_mm)
    closed = ndimage.binary_closing(np.pad(strong, gap + 1), np.ones(gap + 1))[gap + 1 : gap + 1 + len(strong)]
    pieces = [found[0] for found in ndimage.find_objects(ndimage.label(closed)[0])]
    joined: list[slice] = []
    for piece in pieces:
        if joined and _same_vessel(joined[-1], piece, strong, radii_mm, slice_mm):
            joined[-1] = slice(joined[-1].start, piece.stop)
        else:
            joined.append(piece)
    return joined


def _same_vessel(below: slice, above: slice, strong: np.ndarray, radii_mm: np.ndarray, slice_mm: float) -> bool:
    if (above.start - below.stop) * slice_mm > LARGEST_GAP_MM:
        return False
    count = max(1, int(WIDTH_MM / slice_mm))
    lower = radii_mm[below][strong[below]][-count:]
    upper = radii_mm[above][strong[above]][:count]
    ratio = float(np.median(upper) / np.median(lower))
    return 1 / SAME_WIDTH < ratio < SAME_WIDTH


def _on_course(strong: np.ndarray, centres_mm: np.ndarray, radii_mm: np.ndarray) -> np.ndarray:
    """Whether each slice's circle lies where the strong slices around it say."""
    rows, known = np.arange(len(strong)), np.flatnonzero(strong)
    course = np.stack([np.interp(rows, known, values[known]) for values in (*centres_mm.T, radii_mm)], 1)
    near = np.linalg.norm(centres_mm - course[:, :2], axis=1) <= COURSE_MM
    return near & (np.abs(radii_mm - course[:, 2]) <= COURSE_WIDTH * course[:, 2])
