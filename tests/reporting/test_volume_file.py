import gzip
import itertools

import itk
import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Orientation, Spacing

from monai_cardiac_gan.reporting import write_volume
from monai_cardiac_gan.transforms import LoadVolume

SHAPE = (11, 9, 7)
LABELS = (("L", "R"), ("P", "A"), ("I", "S"))


def oblique(codes):
    """Voxels of 0.9 x 1.1 x 2 mm, turned by 10 degrees, in axes of these names."""
    angle = np.deg2rad(10)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    axes = nibabel.orientations.inv_ornt_aff(nibabel.orientations.axcodes2ornt(codes), SHAPE)
    affine = np.eye(4)
    affine[:3, :3] = turn @ axes[:3, :3] @ np.diag([0.9, 1.1, 2.0])
    affine[:3, 3] = [-31.5, 12.25, 80.0]
    return affine


def values(seed=0):
    return np.random.default_rng(seed).integers(0, 900, SHAPE).astype(np.int16)


def save(path, array, affine, codes=(1, 1), **scaling):
    image = nibabel.Nifti1Image(array, affine)
    image.set_qform(affine, codes[0])
    image.set_sform(affine, codes[1])
    image.header["descrip"] = b"a person's name"
    if scaling:
        image.header.set_slope_inter(scaling["slope"], scaling["inter"])
    nibabel.save(image, path)
    return path


def turned(volume):
    return Orientation("RAS", labels=LABELS)(volume)


def itk_positions(path):
    """Value at each voxel's position, by another library: LPS millimetres (3,) -> value."""
    image = itk.imread(str(path))
    return lambda lps: image.GetPixel(image.TransformPhysicalPointToIndex([float(each) for each in lps]))


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "SAL"])
def test_a_turned_volume_comes_back_with_the_files_axes_place_and_type(tmp_path, codes):
    acquired = save(tmp_path / "acquired.nii.gz", values(), oblique(codes), (1, 2))
    volume = turned(LoadVolume()(str(acquired)))
    changed = volume.clone()
    changed[0, 2, 3, 4] += 100.4
    written = nibabel.load(write_volume(tmp_path / "expected.nii.gz", changed, volume))
    original = nibabel.load(acquired)
    assert written.get_data_dtype() == np.int16
    assert (int(written.header["qform_code"]), int(written.header["sform_code"])) == (1, 2)
    np.testing.assert_allclose(written.get_sform(), original.affine, atol=1e-4)
    np.testing.assert_allclose(written.get_qform(), original.affine, atol=1e-4)
    difference = np.asarray(written.dataobj).astype(int) - np.asarray(original.dataobj)
    assert np.count_nonzero(difference) == 1
    assert difference.max() == 100  # rounded
    place = (np.asarray(volume.affine) @ [2, 3, 4, 1])[:3]
    index = np.argwhere(difference)[0]
    np.testing.assert_allclose((written.affine @ [*index, 1])[:3], place, atol=1e-3)
    assert written.header["descrip"].item() == b""


@pytest.mark.parametrize("codes", ["RAS", "PIL"])
def test_another_library_finds_each_voxel_where_it_was_acquired(tmp_path, codes):
    volume = turned(LoadVolume()(str(save(tmp_path / "acquired.nii", values(), oblique(codes)))))
    at = itk_positions(write_volume(tmp_path / "expected.nii.gz", volume, volume))
    for index in itertools.product((0, 5, 10), (0, 8), (0, 3, 6)):
        index = tuple(np.minimum(index, np.array(volume.shape[1:]) - 1))
        right, front, head = (np.asarray(volume.affine) @ [*index, 1])[:3]
        assert at((-right, -front, head)) == int(volume[0][index])


@pytest.mark.parametrize(
    ("stored", "scaling", "dtype"),
    [
        (np.uint8, {}, np.uint8),
        (np.int32, {}, np.int32),
        (np.float32, {}, np.float32),
        (np.int16, {"slope": 0.5, "inter": 3.0}, np.float32),  # half numbers
        (np.int16, {"slope": 2.0, "inter": 0.0}, np.int16),  # whole ones again
    ],
)
def test_the_number_type_of_the_file_is_kept_where_it_has_one(tmp_path, stored, scaling, dtype):
    array = (values() % 250).astype(stored)
    volume = LoadVolume()(str(save(tmp_path / "acquired.nii", array, oblique("RAS"), **scaling)))
    written = nibabel.load(write_volume(tmp_path / "expected.nii", volume, volume))
    assert written.get_data_dtype() == dtype
    np.testing.assert_array_equal(written.get_fdata(), volume[0].numpy())


def test_values_stay_in_the_range_of_their_type(tmp_path):
    volume = LoadVolume()(str(save(tmp_path / "acquired.nii", values().astype(np.uint8), oblique("RAS"))))
    changed = volume.clone()
    changed[0, 0, 0, 0], changed[0, 1, 0, 0] = 300.0, -4.0
    written = nibabel.load(write_volume(tmp_path / "expected.nii", changed, volume))
    assert np.asarray(written.dataobj)[:2, 0, 0].tolist() == [255, 0]


def test_a_label_map_has_its_own_type(tmp_path):
    volume = turned(LoadVolume()(str(save(tmp_path / "acquired.nii.gz", values(), oblique("LPS")))))
    painted = torch.zeros(volume.shape, dtype=torch.bool)
    painted[0, 3, 4, 5] = True
    written = nibabel.load(write_volume(tmp_path / "painted.nii.gz", painted, volume, np.uint8))
    assert written.get_data_dtype() == np.uint8
    assert np.asarray(written.dataobj).sum() == 1
    place = (written.affine @ [*np.argwhere(np.asarray(written.dataobj))[0], 1])[:3]
    np.testing.assert_allclose(place, (np.asarray(volume.affine) @ [3, 4, 5, 1])[:3], atol=1e-3)


def test_other_formats_get_the_smallest_type_and_scanner_coordinates(tmp_path):
    image = itk.image_from_array(np.ascontiguousarray(values().transpose()))
    image.SetSpacing([0.9, 1.1, 2.0])
    image.SetOrigin([5.0, -7.0, 11.0])
    itk.imwrite(image, str(tmp_path / "acquired.nrrd"))
    volume = turned(LoadVolume()(str(tmp_path / "acquired.nrrd")))
    written = nibabel.load(write_volume(tmp_path / "expected.nii.gz", volume, volume))
    assert written.get_data_dtype() == np.int16
    assert (int(written.header["qform_code"]), int(written.header["sform_code"])) == (1, 1)
    at = itk_positions(tmp_path / "expected.nii.gz")
    for index in itertools.product((0, 5, 10), (0, 8), (0, 3, 6)):
        assert at(image.TransformIndexToPhysicalPoint([int(each) for each in index])) == int(values()[index])


def test_volumes_are_compressed_fast(tmp_path):
    """Level 1 of gzip, which its header notes: 4 is the fastest algorithm, 2 the smallest (RFC 1952)."""
    volume = LoadVolume()(str(save(tmp_path / "acquired.nii", values(), oblique("RAS"))))
    path = write_volume(tmp_path / "expected.nii.gz", volume, volume)
    assert path.read_bytes()[8] == 4
    assert len(gzip.decompress(path.read_bytes())) == 352 + 2 * np.prod(SHAPE)


def test_a_volume_on_another_grid_than_its_file_is_refused(tmp_path):
    volume = LoadVolume()(str(save(tmp_path / "acquired.nii", values(), oblique("RAS"))))
    finer = Spacing(pixdim=1.0)(volume)
    with pytest.raises(ValueError, match=r"the volume lies up to .* mm from the grid of its file.*spacing=None"):
        write_volume(tmp_path / "expected.nii.gz", finer, finer)
    with pytest.raises(ValueError, match=r"the voxels are \(1, 2, 2, 2\), the acquired volume \(1, 11, 9, 7\)"):
        write_volume(tmp_path / "expected.nii.gz", torch.zeros(1, 2, 2, 2), volume)
    assert not (tmp_path / "expected.nii.gz").exists()


def test_a_volume_that_no_file_holds_is_written_as_it_lies(tmp_path):
    volume = MetaTensor(torch.rand(1, *SHAPE), affine=torch.from_numpy(oblique("RAS")))
    written = nibabel.load(write_volume(tmp_path / "expected.nii", volume, volume))
    np.testing.assert_allclose(written.affine, oblique("RAS"), atol=1e-4)
    np.testing.assert_array_equal(written.get_fdata(dtype=np.float32), volume[0].numpy())
