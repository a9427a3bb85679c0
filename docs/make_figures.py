"""Draw the pictures of the README: a phantom beside a real volume, and a phantom with its aorta and patches.

Usage: python docs/make_figures.py OUTPUT_FOLDER [--real VOLUME]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from monai_cardiac_gan.aorta import AortaTrack, localise_aorta
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.phantom import WholeHeartPhantom
from monai_cardiac_gan.transforms import standard_volume
from monai_cardiac_gan.visualize import save_figure

PHANTOM_SEED = 12
LEVELS = (0.25, 0.5, 0.75, 0.95)
"""Heights of the axial slices, from the diaphragm to the arch, as shares of the aorta's track."""


def draw_row(panels: np.ndarray, volume: np.ndarray, spacing: np.ndarray, track: AortaTrack, name: str) -> None:
    """Axial slices along the aorta, then the coronal and the sagittal plane through its middle."""
    brightest = np.percentile(volume, 99.7)
    x, y = (int(place) for place in np.median(track.centres_mm, axis=0) / spacing[:2])
    planes = [volume[:, :, track.slices[int(share * (len(track) - 1))]] for share in LEVELS]
    planes += [volume[:, y + int(50 / spacing[1]), :], volume[x]]  # the heart lies 50 mm in front
    sizes = [(spacing[0], spacing[1])] * len(LEVELS) + [(spacing[0], spacing[2]), (spacing[1], spacing[2])]
    for panel, plane, (across, up) in zip(panels, planes, sizes, strict=True):
        panel.imshow(plane.T[:, ::-1], origin="lower", cmap="gray", vmin=0, vmax=brightest, aspect=up / across)
        panel.set_axis_off()
    panels[0].set_title(name, loc="left", fontsize=10)


def side_by_side(real: Path) -> Figure:
    """A real volume above a phantom; patient's left at the right of the picture."""
    image = standard_volume()({Field.IMAGE: str(real)})[Field.IMAGE]
    phantom = WholeHeartPhantom()(PHANTOM_SEED)
    figure = Figure(figsize=(12, 5.2))
    widths = [1.0] * len(LEVELS) + [1.2, 1.8]  # the last two planes are upright ones
    panels = figure.subplots(2, len(widths), gridspec_kw={"width_ratios": widths, "wspace": 0.02})
    array, spacing = image[0].as_tensor().numpy(), image.pixdim.numpy()
    source = "Medical Segmentation Decathlon, Task02 Heart, CC BY-SA 4.0"
    draw_row(
        panels[0], array, spacing, localise_aorta(array, spacing), f"acquired: {real.name.split('.')[0]} ({source})"
    )
    draw_row(panels[1], phantom.image, np.array(phantom.spacing), phantom.aorta, f"phantom, seed {PHANTOM_SEED}")
    return figure


def main() -> None:
    """Draw what can be drawn with the volumes at hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--real", type=Path, required=True)
    arguments = parser.parse_args()
    save_figure(side_by_side(arguments.real), arguments.output / "phantom_beside_real.png")


if __name__ == "__main__":
    main()
