"""From a volume to the course of its descending aorta."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from monai_cardiac_gan.aorta.checks import checked_seed, checked_spacing, checked_volume
from monai_cardiac_gan.aorta.chest import depth_in_chest
from monai_cardiac_gan.aorta.circles import find_circles
from monai_cardiac_gan.aorta.fit_track import fit_track
from monai_cardiac_gan.aorta.identify import most_aortic
from monai_cardiac_gan.aorta.seed import check_seed_in_track, pinned_circle
from monai_cardiac_gan.aorta.track import AortaTrack
from monai_cardiac_gan.aorta.tubes import Tube, find_tubes, join_tubes
from monai_cardiac_gan.padding import above_air

__all__ = ["localise_aorta"]

GRID_MM = np.array([1.5, 1.5, 3.0])
"""Grid of the search: an aorta of 20 mm is 13 pixels wide on it, and a volume has about a hundred slices."""
RADII_PIXELS = np.arange(4, 16)
"""Radii that are tried: diameters of 12 to 45 mm."""
CANDIDATES = 12
"""Circles kept per slice; the aorta is among the first four in the volumes looked at."""
CANDIDATE_DISTANCE_PIXELS = 3
"""Two candidates lie at least 4.5 mm apart."""
TUBES = 5
"""Vessels sought: both parts of the aorta, both venae cavae, and one to spare."""


def localise_aorta(
    volume: np.ndarray, spacing: Sequence[float] | np.ndarray, seed: Sequence[float] | np.ndarray | None = None
) -> AortaTrack:
    """Find the descending aorta in a volume with bright blood, or with grey blood in a bright wall.

    Circles are sought in each axial slice (circular Hough transform), joined to smooth tubes by dynamic programming, and
    the tube that is most like a descending aorta is fitted to the edges around it at full resolution.

    Args:
        volume: (X, Y, Z) brightness in RAS+ axes: the third axis runs from feet to head.
        spacing: (3,) voxel size, mm.
        seed: (3,) a point inside the aorta, mm from the first voxel's centre; the tube through it is taken.

    Returns:
        The track; empty, with confidence 0, when nothing like an aorta is seen.

    Raises:
        ValueError: when the volume is not three-dimensional, finite and varied, the spacing is not positive, or the seed
            lies outside the volume or where no vessel is seen.

    Example:
        A tube of 20 mm in a box of 96 x 96 x 60 mm:

        >>> x, y, _ = np.ogrid[:96, :96, :60]
        >>> tube = np.where(np.hypot(x - 40, y - 30) < 10, 1000.0, 50.0) * np.ones((96, 96, 60))
        >>> track = localise_aorta(tube, (1.0, 1.0, 1.0))
        >>> track.centres_mm.mean(0).round(1).tolist(), float(track.diameters_mm.mean().round(0))
        ([40.0, 30.0], 20.0)
    """
    volume = checked_volume(volume)
    volume = above_air(volume)  # brightness is compared by ratios
    spacing = checked_spacing(spacing)
    seed_mm = None if seed is None else checked_seed(seed, volume.shape, spacing)
    grid = _search_grid(volume, spacing)
    circles = [
        find_circles(grid[:, :, k], RADII_PIXELS, CANDIDATES, CANDIDATE_DISTANCE_PIXELS) for k in range(grid.shape[2])
    ]
    if seed_mm is not None:
        place = seed_mm / GRID_MM
        k = int(np.clip(np.rint(place[2]), 0, len(circles) - 1))
        circles[k] = pinned_circle(grid[:, :, k], place[:2], GRID_MM[0], RADII_PIXELS)
    tubes = find_tubes(circles, GRID_MM[0], TUBES, GRID_MM[2])
    if not tubes:
        return AortaTrack.empty()
    chosen, certainty = (tubes[0], 1.0) if seed_mm is not None else _most_aortic(tubes, grid)
    whole = join_tubes(chosen, tubes, GRID_MM[2])
    track = fit_track(volume, spacing, whole, whole.slices * GRID_MM[2], certainty)
    if seed_mm is not None:
        check_seed_in_track(track, seed_mm, spacing[2], volume.shape[2])
    return track


def _search_grid(volume: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """The volume on `GRID_MM`, starting at the first voxel's centre; averaged along the body so that noise falls."""
    # both steps are linear and work along one axis at a time: three products of matrices, four times faster than filters
    across, forward, along = (
        _interpolation(size, step) for size, step in zip(volume.shape, GRID_MM / spacing, strict=True)
    )
    blur = ndimage.gaussian_filter1d(np.eye(volume.shape[2], dtype=np.float32), GRID_MM[2] / 3 / spacing[2], axis=0)
    slices = volume @ (along @ blur).T
    return np.einsum("ax,xyz->ayz", across, forward @ slices, optimize=True)


def _interpolation(size: int, step: float) -> np.ndarray:
    """Matrix (n, size) float32 that interpolates linearly every `step` voxels, from the first on."""
    places = np.arange(int(np.floor((size - 1) / step)) + 1) * step
    return np.stack([np.interp(places, np.arange(size), unit) for unit in np.eye(size)], 1).astype(np.float32)


def _most_aortic(tubes: list[Tube], grid: np.ndarray) -> tuple[Tube, float]:
    return most_aortic(tubes, [depth_in_chest(grid, GRID_MM, tube) for tube in tubes])
