"""Whole-heart phantom: seeded volumes whose descending aorta is known exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from monai_cardiac_gan.aorta.track import AortaTrack
from monai_cardiac_gan.phantom.abdomen import paint_abdomen
from monai_cardiac_gan.phantom.anatomy import Anatomy, draw_anatomy
from monai_cardiac_gan.phantom.canvas import Canvas
from monai_cardiac_gan.phantom.contrast import acquire, add_texture
from monai_cardiac_gan.phantom.course import AORTA_MAXIMUM_MM, AORTA_MINIMUM_MM, Dilation
from monai_cardiac_gan.phantom.files import write_volume
from monai_cardiac_gan.phantom.grid import Grid
from monai_cardiac_gan.phantom.heart import paint_heart
from monai_cardiac_gan.phantom.lung_vessels import paint_lung_vessels, paint_mediastinal_clutter
from monai_cardiac_gan.phantom.mediastinum import paint_mediastinum
from monai_cardiac_gan.phantom.phantom_volume import PhantomVolume
from monai_cardiac_gan.phantom.spine import paint_spine
from monai_cardiac_gan.phantom.thorax import paint_thorax
from monai_cardiac_gan.phantom.vessels import paint_aorta, paint_great_vessels
from monai_cardiac_gan.phantom.view import View, draw_view

__all__ = ["WholeHeartPhantom"]

AXES = 3
DILATION_RANGE = (0.5, 2.5)  # from a severe coarctation to a large aneurysm of an aorta of usual width
DILATION_LENGTH_MM = 50.0
DILATION_SHARE_RANGE = (0.3, 0.7)  # of the visible length: healthy vessel on both sides
NOISE = 0.009  # of blood, in each receiver channel: a signal-to-noise ratio of 110 before the coil's fall-off


class WholeHeartPhantom:
    """Draw thoraces as bright-blood whole-heart MR shows them, with the truth about their descending aorta.

    A seed decides everything: the body, the field of view, the voxel size and the noise. The same seed gives the same
    bytes on the same machine. All organs but the spine and the aorta are bent by a smooth random deformation; the
    aorta is a circle in every axial slice, so that its truth is exact.

    Args:
        shape: (X, Y, Z) voxels; drawn for every seed when None.
        spacing: (3,) voxel size in millimetres; drawn, isotropic, when None.
        noise: standard deviation of each receiver channel as a fraction of the signal of blood; 0 for none.
        bias: strength of the coil's fall-off; 0 for none, 1 as in a scanner.
        ghosting: strength of breathing ghosts in the phase-encoding direction (back to front); 0 for none.
        aorta_diameter_mm: diameter at the level of the four chambers, 16 to 38; drawn from N(24, 3.5) when None.
        dilation: factor of the diameter in the middle of a stretch of the descending aorta, 0.5 to 2.5, with smooth ends; below 1
            it is narrowed, None and 1 leave it as it is. All else of a seed stays as it is without.
        dilation_length_mm: length over which at least half of the widening is seen.
        dilation_at: place of the stretch's middle as a share of the visible length, from 0 at the top to 1 at the bottom; drawn
            from 0.3 to 0.7 when None.

    Raises:
        ValueError: when a shape, spacing, strength, diameter or dilation is out of range.

    Example:
        >>> phantom = WholeHeartPhantom(shape=(64, 72, 80), spacing=(2.5, 3.0, 2.5), aorta_diameter_mm=24.0)
        >>> volume = phantom(seed=7)
        >>> volume.image.shape, round(float(np.median(volume.aorta.diameters_mm)))
        ((64, 72, 80), 24)
    """

    def __init__(
        self,
        *,
        shape: Sequence[int] | None = None,
        spacing: Sequence[float] | None = None,
        noise: float = NOISE,
        bias: float = 1.0,
        ghosting: float = 1.0,
        aorta_diameter_mm: float | None = None,
        dilation: float | None = None,
        dilation_length_mm: float = DILATION_LENGTH_MM,
        dilation_at: float | None = None,
    ) -> None:
        _refuse_odd_grid(shape, spacing)
        _refuse_odd_dilation(dilation, dilation_length_mm, dilation_at)
        for name, strength in (("noise", noise), ("bias", bias), ("ghosting", ghosting)):
            if not (np.isfinite(strength) and strength >= 0):
                raise ValueError(f"{name} is {strength}: give a finite strength of at least 0 (0 switches it off).")
        if aorta_diameter_mm is not None and not AORTA_MINIMUM_MM <= aorta_diameter_mm <= AORTA_MAXIMUM_MM:
            raise ValueError(
                f"aorta_diameter_mm is {aorta_diameter_mm}: give {AORTA_MINIMUM_MM} to {AORTA_MAXIMUM_MM} mm, "
                "or None to draw it."
            )
        self.shape, self.spacing = shape, spacing
        self.noise, self.bias, self.ghosting = noise, bias, ghosting
        self.aorta_diameter_mm = aorta_diameter_mm
        self.dilation, self.dilation_length_mm, self.dilation_at = dilation, dilation_length_mm, dilation_at

    def __call__(self, seed: int) -> PhantomVolume:
        """Make the volume of a seed.

        Raises:
            ValueError: when the seed is negative, or the given shape and spacing cannot hold the aorta.
        """
        if seed < 0:
            raise ValueError(f"seed is {seed}: give an integer of at least 0.")
        # One stream a stage: a change of noise or contrast leaves the anatomy of a seed as it is.
        bodies, views, bending, filling, scanning, illness = (
            np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(6)
        )
        anatomy = draw_anatomy(bodies, self.aorta_diameter_mm)
        view = draw_view(views, anatomy.scale, self.shape, self.spacing)
        anatomy = self._dilated(anatomy, view, illness)
        labels, signal = _paint(anatomy, view, bending, filling)
        add_texture(scanning, signal, labels, view.axes_mm())
        image = acquire(scanning, signal, view.axes_mm(), noise=self.noise, bias=self.bias, ghosting=self.ghosting)
        affine = np.diag([*view.spacing_mm, 1.0])
        affine[:3, 3] = view.first_voxel_mm
        return PhantomVolume(image, labels, view.spacing_mm, affine, true_track(anatomy, view), seed)

    def _dilated(self, anatomy: Anatomy, view: View, rng: np.random.Generator) -> Anatomy:
        """The subject with the stretch that was asked for."""
        if self.dilation is None or self.dilation == 1:
            return anatomy
        share = rng.uniform(*DILATION_SHARE_RANGE) if self.dilation_at is None else self.dilation_at
        bottom, highest = (float(end) / anatomy.scale for end in view.axes_mm()[2][[0, -1]])
        top = min(anatomy.aorta.top_mm, highest)
        dilation = Dilation(self.dilation, top - share * (top - bottom), self.dilation_length_mm / anatomy.scale)
        return replace(anatomy, aorta=replace(anatomy.aorta, dilation=dilation))

    def write(self, folder: str | Path, seeds: Iterable[int]) -> list[Path]:
        """Write one image file a seed, and its truth where a search of the folder for images does not find it.

        Args:
            folder: gets ``phantom_0000.nii.gz`` and so on, named by the seed; created when missing. Label map and track
                go to the sibling folder ``<folder>_truth``.
            seeds: the volumes to write.

        Returns:
            The image files, in the seeds' order.
        """
        shown = tqdm(list(seeds), desc="phantoms", unit="volume", disable=None)  # no bar where no terminal shows it
        return [write_volume(self(seed), Path(folder)) for seed in shown]


def true_track(anatomy: Anatomy, view: View) -> AortaTrack:
    """The descending aorta in every slice below the arch, in patient millimetres from the first voxel."""
    heights = view.axes_mm()[2] / anatomy.scale
    (slices,) = np.nonzero(np.asarray(heights, dtype=np.float32) <= anatomy.aorta.top_mm)
    centres = anatomy.aorta.centres_mm(heights[slices]) * anatomy.scale - view.first_voxel_mm[:2]
    diameters = anatomy.aorta.diameters_mm(heights[slices]) * anatomy.scale
    return AortaTrack(slices, centres, diameters, np.ones(len(slices)), 1.0)


def _paint(
    anatomy: Anatomy, view: View, bending: np.random.Generator, filling: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and noise-free signal; later organs cover earlier ones."""
    grid = Grid(bending, [axis / anatomy.scale for axis in view.axes_mm()])
    canvas = Canvas(grid)
    paint_thorax(canvas, anatomy)
    paint_abdomen(canvas, anatomy, filling)
    paint_mediastinum(canvas)
    paint_spine(canvas, anatomy)
    paint_lung_vessels(canvas, filling)
    paint_heart(canvas, anatomy)
    paint_great_vessels(canvas, anatomy)
    paint_mediastinal_clutter(canvas, filling)
    paint_aorta(canvas, anatomy)
    return canvas.labels, canvas.signal


def _refuse_odd_dilation(factor: float | None, length_mm: float, share: float | None) -> None:
    low, high = DILATION_RANGE
    if factor is not None and not low <= factor <= high:
        raise ValueError(f"dilation is {factor}: give a factor of {low} to {high}, or None for a healthy aorta.")
    if not 0 < length_mm < np.inf:
        raise ValueError(f"dilation_length_mm is {length_mm}: give a length above 0 mm.")
    if share is not None and not 0 <= share <= 1:
        raise ValueError(f"dilation_at is {share}: give a share of the visible length, 0 to 1, or None to draw it.")


def _refuse_odd_grid(shape: Sequence[int] | None, spacing: Sequence[float] | None) -> None:
    if shape is not None and (len(shape) != AXES or any(int(count) != count or count < 1 for count in shape)):
        raise ValueError(f"shape is {tuple(shape)}: give three whole numbers of at least 1, or None to draw them.")
    if spacing is not None and (len(spacing) != AXES or not all(0 < step < np.inf for step in spacing)):
        raise ValueError(f"spacing is {tuple(spacing)}: give three lengths above 0 mm, or None to draw them.")
