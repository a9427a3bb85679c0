"""From a volume and the course of its aorta to the vessel that is expected there, on every slice of the track."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from monai_cardiac_gan.anomaly import COURSE, VesselPrior, predict_beyond_gap
from monai_cardiac_gan.aorta import AortaDisc, AortaTrack, measure_disc
from monai_cardiac_gan.inferers.amortised_vessel import AmortisedVessel
from monai_cardiac_gan.inferers.blending import Blending, FeatheredBlending
from monai_cardiac_gan.inferers.inpainted_vessel import InpaintedVessel
from monai_cardiac_gan.inferers.masks import square_mask
from monai_cardiac_gan.inferers.vessel_search import VesselSearch
from monai_cardiac_gan.transforms import CoursePatches, RasVolume, cut_along

__all__ = ["ExpectVessel", "ExpectedVessel", "ShortTrackError", "check_levels", "levels_of", "predicted_course"]

PATCH, PIXEL_MM = 128, 1.0
"""Side, pixels, and a pixel's side of the patches that the networks know."""
HOLE = 49
"""Side of the hole, pixels of 1 mm: from 41 on what is painted no longer follows the diameter of what is hidden, and 49 leave
room for a vessel that lies beside its course."""
STEP_MM, GAP_MM = 10.0, 30.0
"""Distance of the levels; slices nearer than the gap have no part in what is expected of a slice."""
REACH_MM = 20.0
"""How far from the course a painted aorta is looked for."""


class ShortTrackError(ValueError):
    """A track from whose far slices no course can be predicted: no fault of the networks or of the settings."""


@dataclass(frozen=True)
class ExpectedVessel:
    """What is expected along one aorta. K levels, N slices, both from the top down.

    Attributes:
        levels: (K,) rows of `patches` that were searched.
        heights_mm: (N,) below the top of the track.
        course_mm: (N, 2) the course that the far slices predict, on which patches and holes are centred, mm from the first
            voxel's centre.
        patches: (N) acquired, one on every slice of the track.
        mask: (S, S) bool, the hole, the same on every slice.
        painted: (N, 1, S, S) the patches with the expected anatomy in the hole.
        discs: (K) the aorta in what was painted at the levels, None where none was found.
        search: the levels' latents; None where nothing was painted, and `painted` is what was acquired.
    """

    levels: np.ndarray
    heights_mm: np.ndarray
    course_mm: np.ndarray
    patches: CoursePatches
    mask: Tensor
    painted: Tensor
    discs: tuple[AortaDisc | None, ...]
    search: InpaintedVessel | None


class ExpectVessel:
    """Paint the aorta that is expected along a track.

    Neither the size nor the place of the hole is a function of what was found on the slice itself: it is a square of one size,
    on the course that the slices at least a gap away predict, so that a vessel that is wider there, or lies elsewhere, shows.
    The levels are searched together: what is painted at one leans on its neighbours, the holes of which the slice itself may
    help to place where they lie beyond its gap. Their size is always the same, and their content always hidden.

    Args:
        search: paints the levels and the slices between them (`VesselSearch`, `AmortisedVessel`); None paints nothing.
        generator: that of the search; None without one.
        prior: the mean course of people.
        hole: side of the hole, pixels of 1 mm.
        step_mm: distance of the levels.
        gap_mm: slices nearer than this have no part in what is expected of a slice.
        blending: how the generator's image is put into the hole.
        between: whether the slices between the levels are painted, too; without it patches and all that is painted are of the
            levels alone, in a third of the time.
        most_levels: of a longer vessel that many, evenly spaced; None takes all.

    Raises:
        ValueError: see `check_levels`, or when there is a search without a generator.
    """

    def __init__(
        self,
        search: VesselSearch | AmortisedVessel | None,
        generator: nn.Module | None,
        prior: VesselPrior,
        hole: int = HOLE,
        step_mm: float = STEP_MM,
        gap_mm: float = GAP_MM,
        blending: Blending | None = None,
        between: bool = True,
        most_levels: int | None = None,
    ) -> None:
        check_levels(hole, step_mm)
        if (search is None) != (generator is None):
            raise ValueError("there is a search or a generator, and not both: give both, or neither to paint nothing.")
        self.search, self.generator, self.prior = search, generator, prior
        self.hole, self.step_mm, self.gap_mm = hole, step_mm, gap_mm
        self.blending: Blending = FeatheredBlending() if blending is None else blending
        self.between, self.most_levels = between, most_levels

    def __call__(self, image: Tensor, track: AortaTrack) -> ExpectedVessel:
        """
        Args:
            image: `MetaTensor` (1, X, Y, Z) in RAS+ axes, scaled to [-1, 1] (`ScaleByPercentiles`).
            track: of its aorta, on its own grid.

        Raises:
            ShortTrackError: when the track is empty, or too short for its far slices to predict a course.
            ValueError: when the image is no RAS+ volume.
        """
        slice_mm = float(RasVolume(image).spacing[2])
        slices, heights, course = predicted_course(track, slice_mm, self.prior, self.gap_mm)
        levels = levels_of(heights, self.step_mm)
        if self.most_levels is not None and len(levels) > self.most_levels:
            levels = levels[np.linspace(0, len(levels) - 1, self.most_levels).round().astype(int)]
        if not self.between:
            slices, heights, course = slices[levels], heights[levels], course[levels]
            levels = np.arange(len(levels))
        patches = cut_along(image, slices, course, PATCH, PIXEL_MM)
        mask = square_mask(self.hole, shape=patches.pixels.shape[2:])
        if self.search is None or self.generator is None:
            none = (None,) * len(levels)
            return ExpectedVessel(levels, heights, course, patches, mask, patches.pixels, none, None)
        found = _searched(self.search, self.generator, patches, levels, heights, mask)
        where = torch.from_numpy(heights.astype(np.float32))
        images = self.search.images(found, self.generator, patches.pixels, mask, where)
        painted = self.blending(images, patches.pixels, mask.expand_as(patches.pixels))
        discs = [measure_disc(image[0].numpy(), PIXEL_MM, reach_mm=REACH_MM) for image in painted[levels]]
        return ExpectedVessel(levels, heights, course, patches, mask, painted, tuple(discs), found)


def check_levels(hole: int, step_mm: float) -> None:
    """Refuse what no vessel can be expected with.

    Args:
        hole: side of the hole, pixels of 1 mm.
        step_mm: distance of the levels.

    Raises:
        ValueError: when the hole does not fit into a patch, or the step is not positive.
    """
    if not step_mm > 0:
        raise ValueError(f"the levels lie {step_mm} mm apart: expected more than 0.")
    square_mask(hole, shape=(PATCH, PATCH))


def _searched(
    search: VesselSearch | AmortisedVessel,
    generator: nn.Module,
    patches: CoursePatches,
    levels: np.ndarray,
    heights: np.ndarray,
    mask: Tensor,
) -> InpaintedVessel:
    device = next(generator.parameters()).device
    positions = torch.from_numpy(heights[levels].astype(np.float32)).to(device)
    return search(patches.pixels[levels].to(device), mask, generator, positions, patches.valid[levels])


def levels_of(heights_mm: np.ndarray, step_mm: float) -> np.ndarray:
    """Rows of the slices nearest to levels every so many mm, the first half a step below the top; of a shorter vessel its middle.

    Args:
        heights_mm: (N,) of the slices below the top, increasing from 0.
        step_mm: distance of the levels.

    Example:
        >>> levels_of(np.arange(0.0, 31.0, 1.5), 10.0).tolist()
        [3, 10, 17]
    """
    last = float(heights_mm[-1])
    wanted = np.arange(step_mm / 2, last, step_mm) if last > step_mm / 2 else np.array([last / 2])
    return np.unique(np.abs(heights_mm[None] - wanted[:, None]).argmin(1))


def predicted_course(
    track: AortaTrack, slice_mm: float, prior: VesselPrior, gap_mm: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The course on every slice from the track's first to its last one, from the top down, each from its far slices alone.

    Args:
        track: what was found.
        slice_mm: distance of its slices.
        prior: the mean course of people.
        gap_mm: slices nearer than this have no part in it.

    Returns:
        Slices (N,), heights below the top (N,), mm, and centres (N, 2), mm.

    Raises:
        ShortTrackError: when the track is empty or too short.
    """
    if not len(track):
        raise ShortTrackError("no aorta was found: give a point inside it (--corrections).")
    slices = np.arange(track.slices[-1], track.slices[0] - 1, -1)
    heights = (track.slices[-1] - slices) * slice_mm
    known = (track.slices[-1] - track.slices) * slice_mm
    found = predict_beyond_gap(known, track.centres_mm - prior.course_at(known), heights, gap_mm, COURSE)
    if not np.isfinite(found.values).all():
        raise ShortTrackError(
            f"the track is {heights[-1]:.0f} mm long: too short to predict its course from slices at least {gap_mm:g} mm away; "
            "give a volume that shows more of the aorta."
        )
    return slices, heights, found.values + prior.course_at(heights)
