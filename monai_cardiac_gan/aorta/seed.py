"""A point that a person set inside the aorta: the tube through it, and whether a vessel lies there at all."""

from __future__ import annotations

import numpy as np

from monai_cardiac_gan.aorta.circles import CircleCandidates, hough_circles, or_walled
from monai_cardiac_gan.aorta.track import AortaTrack

__all__ = ["check_seed_in_track", "pinned_circle"]

SEED_REACH_MM = 12.0
"""A seed may miss the centre by about the radius of an aorta."""
SHORTEST_MM = 10.0
"""A vessel is longer; a scrap of a few slices is what noise, or a vessel that crosses the plane, leaves."""
SEED_BONUS = 1e3
"""Score of the circle at the seed: more than any tube collects, so that the best tube must pass there."""
BEYOND_MM, BEYOND_SLOPE = 20.0, 0.5
"""How far above or below the track's ends a seed may lie, in the arch or where the rim fades, and how much further to the side
it may lie for each of these millimetres."""


def pinned_circle(plane: np.ndarray, place: np.ndarray, pixel_mm: float, radii: np.ndarray) -> CircleCandidates:
    """The best circle around a seed, so good that the best tube passes it.

    Args:
        plane: (X, Y) slice of the search grid.
        place: (2,) of the seed, pixels.
        pixel_mm: side of a pixel.
        radii: (R,) radii to try, pixels.
    """
    votes = or_walled(hough_circles(plane, radii))
    rows, columns = np.ogrid[: plane.shape[0], : plane.shape[1]]
    near = np.hypot(rows - place[0], columns - place[1]) * pixel_mm <= SEED_REACH_MM
    radius, row, column = np.unravel_index(np.where(near, votes, -np.inf).argmax(), votes.shape)
    centre = np.array([[row, column]], dtype=float)
    return CircleCandidates(centre, radii[radius : radius + 1].astype(float), np.array([SEED_BONUS]))


def check_seed_in_track(track: AortaTrack, seed_mm: np.ndarray, slice_mm: float, slices: int) -> None:
    """Refuse a track that does not pass the seed.

    The best tube must pass the seed's circle even where that lies on noise; there it has no rim, and what is left of it is
    another vessel, above, below or beside the seed.

    Args:
        track: found with the seed.
        seed_mm: (3,) mm from the first voxel's centre.
        slice_mm: distance of two slices.
        slices: how many the volume has.

    Raises:
        ValueError: when the track is empty or a scrap, or passes further from the seed than an aorta's radius.
    """
    advice = "give a point inside the descending aorta, below the arch, and check unit and sign of the coordinates."
    if not len(track):
        raise ValueError(f"no vessel lies at the seed: no round, bright cross-section is seen there; {advice}")
    length = (track.slices[-1] - track.slices[0] + 1) * slice_mm
    if length < min(SHORTEST_MM, slices * slice_mm / 2):
        raise ValueError(
            f"no vessel lies at the seed: what is round and bright there is {length:.0f} mm long; {advice}"
        )
    heights = track.slices * slice_mm
    row = int(np.abs(heights - seed_mm[2]).argmin())
    beyond = float(np.abs(heights[row] - seed_mm[2]))
    beside = float(np.linalg.norm(track.centres_mm[row] - seed_mm[:2]))
    if beyond > BEYOND_MM or beside > SEED_REACH_MM + BEYOND_SLOPE * beyond:
        raise ValueError(
            f"no vessel lies at the seed: the nearest part of what was found is {beside:.0f} mm beside and {beyond:.0f} mm "
            f"above or below it; {advice}"
        )
