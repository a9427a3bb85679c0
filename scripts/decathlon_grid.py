"""Bring the hearts of the Medical Segmentation Decathlon to the grid on which this project's figures were measured.

Usage: python scripts/decathlon_grid.py Task02_Heart OUT [NAME ...]

`Task02_Heart` is the folder that ``monai.apps.DecathlonDataset(root_dir, "Task02_Heart", "training", download=True)`` makes. Its
headers claim RAS axes, the arrays' axes are A, S, R. Each volume is turned to RAS+, and a rim of 32 voxels is cut on the axes A
and S, of 320 voxels each. Millimetres count from the first voxel of the data set's own array, along R, A and S, so that a place
has the same coordinates before and after the cut. Values stay as they are. Without names all volumes of ``imagesTr`` are taken.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
from monai.transforms import Orientation

from monai_cardiac_gan.transforms import LoadVolume
from monai_cardiac_gan.transforms.volume_pipeline import BODY_AXES

RIM = 32
"""Voxels cut at either end of the axes A and S."""
SIDE = 320
"""Voxels of the data set's arrays along these axes."""


def on_grid(path: Path) -> nibabel.Nifti1Image:
    """A volume of the data set on the grid of the figures.

    Raises:
        ValueError: when the array has another size, such as one that was cut before.
    """
    image = Orientation(axcodes="RAS", labels=BODY_AXES)(LoadVolume(axes="ASR")(path))[0]
    if image.shape[1:] != (SIDE, SIDE):
        raise ValueError(
            f"{path}: has {tuple(image.shape)} voxels along R, A and S, expected {SIDE} along the last two; give the data "
            "set's own file."
        )
    affine = np.diag([*(float(size) for size in image.pixdim), 1.0])
    affine[1:3, 3] = RIM * np.diag(affine)[1:3]
    voxels = image.as_tensor()[:, RIM:-RIM, RIM:-RIM].numpy()
    return nibabel.Nifti1Image(np.rint(voxels).astype(np.int16), affine)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the volumes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("names", nargs="*", help="such as la_003")
    options = parser.parse_args(arguments)
    folder = options.dataset / "imagesTr"
    names = options.names or sorted(path.name.removesuffix(".nii.gz") for path in folder.glob("la_*.nii.gz"))
    options.output.mkdir(parents=True, exist_ok=True)
    for name in names:
        nibabel.save(on_grid(folder / f"{name}.nii.gz"), options.output / f"{name}.nii.gz")


if __name__ == "__main__":
    main()
