"""Figure: a volume, the course of its descending aorta, and the patches cut from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.patches import Circle

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.visualize.display import as_array
from monai_cardiac_gan.visualize.panels import AORTA, mark_directions, scale_bar, show_patch

__all__ = ["figure_of_volume"]

COLUMNS = 5
"""Axial slices, and patches, in a row."""
BRIGHTEST = 0.995
"""Quantile shown as white; above it lie single voxels of inflow."""


def figure_of_volume(
    volume: np.ndarray,
    spacing: Sequence[float] | np.ndarray,
    track: AortaTrack,
    patches: Sequence[tuple[int, np.ndarray]] = (),
    name: str = "",
    patch_slice_mm: float | None = None,
) -> Figure:
    """Coronal and sagittal view along the aorta, axial slices with the fitted circle, and patches.

    The two views follow the aorta: each of their rows is taken at the aorta's centre on that slice, so that the whole course
    is seen in one picture. Axes are millimetres from the first voxel's centre, drawn in radiological convention. Slices are
    those of the volume, counted from the feet, with their height above the first; patches, which may lie on a grid of
    their own, have the nearest of these slices and their own height.

    Args:
        volume: (X, Y, Z) in RAS+ axes.
        spacing: (3,) mm.
        track: course of the aorta in this volume.
        patches: slice number and patch (H, W) of some patches; the first five are shown, the uppermost slice first, each
            in its own window.
        name: of the volume or its subject, written above.
        patch_slice_mm: distance of the slices that the patches' numbers count; that of the volume's by default.

    Raises:
        ValueError: when the volume is not three-dimensional or the track is empty.
    """
    volume = np.asarray(volume)
    if volume.ndim != 3:
        raise ValueError(f"the volume has shape {volume.shape}: expected (X, Y, Z).")
    if not len(track):
        raise ValueError("the track is empty: there is no aorta to draw; leave this volume out.")
    spacing = np.asarray(spacing, dtype=np.float64)
    figure = Figure(figsize=(10, 10.5 if patches else 8), layout="constrained")
    grid = figure.add_gridspec(3 if patches else 2, 1, height_ratios=[2, 1.3, 0.9][: 3 if patches else 2])
    if name:
        figure.suptitle(name, fontsize=11)
    window = _window(volume)
    views = GridSpecFromSubplotSpec(1, 2, grid[0])
    for place, axis in enumerate((0, 1)):
        _draw_view(figure.add_subplot(views[place]), volume, spacing, track, axis, window)
    slices = GridSpecFromSubplotSpec(1, COLUMNS, grid[1])
    for place, row in enumerate(np.linspace(0, len(track) - 1, min(COLUMNS, len(track))).round().astype(int)[::-1]):
        _draw_slice(figure.add_subplot(slices[place]), volume, spacing, track, int(row), window)
    if patches:
        cells = GridSpecFromSubplotSpec(1, COLUMNS, grid[2])
        step = float(spacing[2]) if patch_slice_mm is None else patch_slice_mm
        for place, (level, patch) in enumerate(sorted(patches[:COLUMNS], key=lambda pair: -pair[0])):
            title = f"patch, {_height(level * step, spacing[2])}"
            show_patch(figure.add_subplot(cells[place]), patch, title, _window(as_array(patch)))
    return figure


def _height(height_mm: float, slice_mm: float) -> str:
    """The nearest slice of the volume, and the height above its first."""
    return f"slice {round(height_mm / slice_mm)} ({round(height_mm, 1):g} mm)"


def _window(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(np.quantile(values, BRIGHTEST))


def _draw_view(
    axes: Axes, volume: np.ndarray, spacing: np.ndarray, track: AortaTrack, axis: int, window: tuple[float, float]
) -> None:
    """The coronal (axis 0 across) or sagittal (axis 1 across) view, with centre line and band of the diameter."""
    levels = np.arange(volume.shape[2])
    other = np.interp(levels, track.slices, track.centres_mm[:, 1 - axis]) / spacing[1 - axis]
    index = np.clip(np.rint(other).astype(int), 0, volume.shape[1 - axis] - 1)
    image = volume[:, index, levels] if axis == 0 else volume[index, :, levels].T
    _show_mm(axes, image, spacing[[axis, 2]], window)
    heights, centres, radii = track.slices * spacing[2], track.centres_mm[:, axis], track.diameters_mm / 2
    axes.fill_betweenx(heights, centres - radii, centres + radii, color=AORTA, alpha=0.25, linewidth=0)
    axes.plot(centres, heights, color=AORTA, linewidth=1.2)
    axes.set_title("coronal, along the aorta" if axis == 0 else "sagittal, along the aorta", fontsize=9)
    mark_directions(axes, *(("R", "L") if axis == 0 else ("A", "P")), "H", "F")
    scale_bar(axes)


def _draw_slice(
    axes: Axes, volume: np.ndarray, spacing: np.ndarray, track: AortaTrack, row: int, window: tuple[float, float]
) -> None:
    level, diameter = int(track.slices[row]), float(track.diameters_mm[row])
    _show_mm(axes, volume[:, :, level], spacing[:2], window)
    axes.add_patch(Circle(tuple(track.centres_mm[row]), diameter / 2, fill=False, edgecolor=AORTA, linewidth=1.2))
    axes.set_title(f"{_height(level * spacing[2], spacing[2])}\ndiameter {diameter:.1f} mm", fontsize=9)
    mark_directions(axes, "R", "L", "A", "P")
    scale_bar(axes)


def _show_mm(axes: Axes, image: np.ndarray, spacing: np.ndarray, window: tuple[float, float]) -> None:
    """An image (across, up) on axes of millimetres; both directions across grow leftwards in radiological convention."""
    across, up = (np.array(image.shape) - 0.5) * spacing
    extent = (-0.5 * spacing[0], across, -0.5 * spacing[1], up)
    axes.imshow(image.T, cmap="gray", vmin=window[0], vmax=window[1], origin="lower", extent=extent)
    axes.set_xlim(across, -0.5 * spacing[0])
    axes.set_axis_off()
