import itertools

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, LoadImaged, Orientationd
from scipy.spatial.transform import Rotation

from monai_cardiac_gan.transforms import FileSlices

RAS = (("L", "R"), ("P", "A"), ("I", "S"))
ORIENTATIONS = [
    "".join(pair[side] for pair, side in zip(order, sides, strict=True))
    for order in itertools.permutations(RAS)
    for sides in itertools.product((0, 1), repeat=3)
]
TURN = np.array([[0.96, -0.2, 0.1], [0.2, 0.97, 0.1], [-0.12, -0.08, 0.98]])
"""Of an oblique scan, by some ten degrees."""
SHAPE = {"R": 4, "A": 5, "S": 7}
SPACING = {"R": 1.0, "A": 1.5, "S": 2.0}


def written(path, codes, turn):
    """A file with these axes whose voxels hold their own index along the axis that runs along the body."""
    names = [next(pair[1] for pair in RAS if code in pair) for code in codes]
    affine = np.eye(4)
    for column, (code, name) in enumerate(zip(codes, names, strict=True)):
        sign = 1 if code == name else -1
        affine[:3, column] = sign * SPACING[name] * turn[:, "RAS".index(name)]
    affine[:3, 3] = [-30.0, 12.0, 55.0]
    axis = names.index("S")
    shape = tuple(SHAPE[name] for name in names)
    nibabel.save(nibabel.Nifti1Image(np.indices(shape)[axis].astype(np.float32), affine), path)
    return axis, shape, [SPACING[name] for name in names], affine


def load(path):
    steps = [
        LoadImaged("image", ensure_channel_first=True, image_only=True),
        Orientationd("image", axcodes="RAS", labels=RAS),
    ]
    return Compose(steps)({"image": path})["image"]


@pytest.mark.parametrize("turn", [np.eye(3), TURN], ids=["straight", "oblique"])
@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_slices_are_numbered_as_in_the_file_whatever_its_axes(tmp_path, codes, turn):
    axis, shape, spacing, affine = written(tmp_path / "scan.nii.gz", codes, turn)
    image = load(tmp_path / "scan.nii.gz")
    files = FileSlices.of(image)
    assert (files.axis, files.shape) == (axis, shape)
    assert files.spacing_mm == pytest.approx(np.linalg.norm(affine[:3, :3], axis=0))
    assert files.spacing_mm == pytest.approx(spacing, rel=0.02)
    np.testing.assert_allclose(files.affine, affine, atol=1e-5)
    for voxel in itertools.product((0, 3), (0, 4), range(7)):
        point = np.asarray(image.affine) @ [*voxel, 1.0]
        assert files.number(point[:3]) == image[0][voxel]


@pytest.mark.parametrize("seed", range(40))
def test_however_a_file_is_slanted_its_slices_are_those_that_the_volume_is_cut_in(seed):
    """Of forty rotations in space two have another axis that is steeper, as planes through the heart may have."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.random(random_state=seed).as_matrix() * [1.0, 1.5, 3.0]
    file = MetaTensor(torch.zeros(1, 7, 8, 9), affine=torch.from_numpy(affine))
    file.meta["original_affine"] = file.affine.clone()
    image = Orientationd("image", axcodes="RAS", labels=RAS)({"image": file})["image"]
    files = FileSlices.of(image)
    points = [np.asarray(image.affine) @ [3, 3, level, 1.0] for level in range(image.shape[3])]
    assert sorted(files.number(point[:3]) for point in points) == list(range(files.shape[files.axis]))


def test_all_orientations_were_tried():
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize(("height", "number"), [(0.0, 0), (0.9, 0), (1.1, 1), (-0.9, 0), (11.9, 6)])
def test_a_point_between_slices_belongs_to_the_nearest(height, number):
    image = MetaTensor(torch.zeros(1, 4, 5, 7), affine=torch.diag(torch.tensor([1.0, 1.5, 2.0, 1.0])))
    assert FileSlices.of(image).number((2.0, 3.0, height)) == number


def test_a_volume_of_no_file_is_its_own_file():
    image = MetaTensor(torch.zeros(1, 4, 5, 7), affine=torch.diag(torch.tensor([1.0, 1.5, 2.0, 1.0])))
    files = FileSlices.of(image)
    assert (files.shape, files.spacing_mm, files.axis) == ((4, 5, 7), (1.0, 1.5, 2.0), 2)
