"""From a volume to the course of its descending aorta."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from monai_cardiac_gan.aorta.checks import checked_seed, checked_spacing, checked_volume
from monai_cardiac_gan.aorta.chest import depth_in_chest
from monai_cardiac_gan.aorta.circles import CircleCandidates, find_circles, hough_circles, or_walled
from monai_cardiac_gan.aorta.identify import most_aortic
from monai_cardiac_gan.aorta.refine import refine_circles
from monai_cardiac_gan.aorta.track import AortaTrack
from monai_cardiac_gan.aorta.tubes import Tube, find_tubes
from monai_cardiac_gan.padding import lowest_scanned

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
SEED_REACH_MM = 12.0
"""A seed may miss the centre by about the radius of an aorta."""
SEED_BONUS = 1e3
"""Score of the circle at the seed: more than any tube collects, so that the best tube must pass there."""
MEDIAN_MM = 7.0
"""Extent along the body of the running median that removes single bad fits."""
SMALLEST_CONFIDENCE = 0.6
"""Slices below this are not believed: hardly more than half of the rays found a rim."""
SIZE_SHARES = (0.4, 0.7)
"""Shares of the tube's median radius at which a disc is not believed at all, and fully; the aorta tapers by a quarter."""
BRIGHTNESS_SHARES = (0.1, 0.5)
"""The same for its brightness; leaves room for the coils' fall-off."""
FULL_LENGTH_MM = 100.0
"""A tube of this length or more can be nothing but the descending aorta in a whole-heart field of view."""


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
            lies outside the volume.

    Example:
        A tube of 20 mm in a box of 96 x 96 x 60 mm:

        >>> x, y, _ = np.ogrid[:96, :96, :60]
        >>> tube = np.where(np.hypot(x - 40, y - 30) < 10, 1000.0, 50.0) * np.ones((96, 96, 60))
        >>> track = localise_aorta(tube, (1.0, 1.0, 1.0))
        >>> track.centres_mm.mean(0).round(1).tolist(), float(track.diameters_mm.mean().round(0))
        ([40.0, 30.0], 20.0)
    """
    volume = checked_volume(volume)
    volume = np.maximum(volume - np.float32(lowest_scanned(volume)), 0)  # brightness is compared by ratios
    spacing = checked_spacing(spacing)
    seed_mm = None if seed is None else checked_seed(seed, volume.shape, spacing)
    grid = _search_grid(volume, spacing)
    circles = [
        find_circles(grid[:, :, k], RADII_PIXELS, CANDIDATES, CANDIDATE_DISTANCE_PIXELS) for k in range(grid.shape[2])
    ]
    if seed_mm is not None:
        _pin(circles, grid, seed_mm)
    tubes = find_tubes(circles, GRID_MM[0], TUBES if seed_mm is None else 1, GRID_MM[2])
    if not tubes:
        return AortaTrack.empty()
    chosen, certainty = (tubes[0], 1.0) if seed_mm is not None else _most_aortic(tubes, grid)
    return _refined_track(volume, spacing, chosen, certainty)


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


def _pin(circles: list[CircleCandidates], grid: np.ndarray, seed_mm: np.ndarray) -> None:
    """Leave one circle in the seed's slice: the best one around the seed, so good that the best tube passes it."""
    place = seed_mm / GRID_MM
    k = int(np.clip(np.rint(place[2]), 0, len(circles) - 1))
    votes = or_walled(hough_circles(grid[:, :, k], RADII_PIXELS))
    rows, columns = np.ogrid[: grid.shape[0], : grid.shape[1]]
    near = np.hypot(rows - place[0], columns - place[1]) * GRID_MM[0] <= SEED_REACH_MM
    radius, row, column = np.unravel_index(np.where(near, votes, -np.inf).argmax(), votes.shape)
    circles[k] = CircleCandidates(
        np.array([[row, column]], dtype=float), RADII_PIXELS[radius : radius + 1].astype(float), np.array([SEED_BONUS])
    )


def _most_aortic(tubes: list[Tube], grid: np.ndarray) -> tuple[Tube, float]:
    return most_aortic(tubes, [depth_in_chest(grid, GRID_MM, tube) for tube in tubes])


def _refined_track(volume: np.ndarray, spacing: np.ndarray, tube: Tube, certainty: float) -> AortaTrack:
    """The tube on every slice of the volume, fitted to edges; slices that are not believed are dropped."""
    levels = tube.slices * GRID_MM[2] / spacing[2]
    slices = np.arange(int(np.ceil(levels[0])), min(int(levels[-1]), volume.shape[2] - 1) + 1)
    if not len(slices):
        return AortaTrack.empty()  # a scrap between two thick slices
    rough = [np.interp(slices, levels, values) for values in (*tube.centres_mm.T, tube.radii_mm)]
    fitted = refine_circles(volume, spacing, slices, np.stack(rough[:2], 1), rough[2])
    size = 2 * int(MEDIAN_MM / spacing[2] / 2) + 1
    centres = ndimage.median_filter(fitted.centres_mm, (size, 1), mode="nearest")
    radii = ndimage.median_filter(fitted.radii_mm, size, mode="nearest")
    confidence = _confidence(fitted.support, radii, fitted.brightness, size)
    keep = _longest_run(confidence >= SMALLEST_CONFIDENCE, size)
    if not keep.any():
        return AortaTrack.empty()
    length = keep.sum() * spacing[2]
    overall = certainty * confidence[keep].mean() * min(1.0, length / FULL_LENGTH_MM)
    return AortaTrack(slices[keep], centres[keep], 2 * radii[keep], confidence[keep], float(overall))


def _confidence(support: np.ndarray, radii: np.ndarray, brightness: np.ndarray, size: int) -> np.ndarray:
    """How much of the rim is seen, less where the disc is far smaller or darker than along the rest of the tube.

    Beyond the arch the smallest of these discs are vessels of the lung, beyond the abdomen's signal they are noise.
    """
    for values, (none, full) in ((radii, SIZE_SHARES), (brightness, BRIGHTNESS_SHARES)):
        share = values / max(np.median(values), np.finfo(np.float32).tiny)
        support = support * np.clip((share - none) / (full - none), 0.0, 1.0)
    # the running sum leaves rounding errors just above 1
    return np.clip(ndimage.uniform_filter1d(support, size, mode="nearest"), 0.0, 1.0)


def _longest_run(believed: np.ndarray, gap: int) -> np.ndarray:
    """Keep the believed slices of the longest stretch, in which at most `gap` slices are missing in a row."""
    closed = ndimage.binary_closing(np.pad(believed, gap), np.ones(gap + 1))[gap : gap + len(believed)]
    runs, count = ndimage.label(closed)
    if not count:
        return believed
    lengths = ndimage.sum_labels(believed, runs, np.arange(1, count + 1))
    return believed & (runs == 1 + int(np.argmax(lengths)))
