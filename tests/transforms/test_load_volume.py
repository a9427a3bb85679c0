import gzip

import itk
import nibabel
import numpy as np
import pytest
from monai.transforms import Orientation

from monai_cardiac_gan.transforms import LoadVolume, VolumeError

AFFINE = np.array([[0, 0, -2.0, 10], [1.5, 0, 0, -20], [0, 1.25, 0, 30], [0, 0, 0, 1]])


@pytest.fixture
def voxels():
    return np.random.default_rng(0).integers(0, 1000, (5, 6, 7)).astype(np.int16)


def write(path, voxels, affine=AFFINE):
    """The same image in any format; ITK's world is LPS+, its arrays are reversed."""
    if ".nii" in path.name:
        nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
        return path
    image = itk.image_from_array(np.ascontiguousarray(voxels.T))
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing([float(size) for size in spacing])
    image.SetOrigin([float(place) for place in lps[:3, 3]])
    image.SetDirection(itk.matrix_from_array(np.ascontiguousarray(lps[:3, :3] / spacing)))
    itk.imwrite(image, str(path))
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
def test_every_format_gives_the_same_voxels_at_the_same_places(tmp_path, voxels, name):
    image = LoadVolume()(write(tmp_path / name, voxels))
    assert image.shape == (1, 5, 6, 7)
    np.testing.assert_array_equal(image[0].numpy(), voxels)
    np.testing.assert_allclose(image.affine.numpy(), AFFINE, atol=1e-9)


def test_a_dicom_series_is_one_volume_sorted_along_the_body(dicom_series):
    image = LoadVolume()(dicom_series)
    assert image.shape == (1, 128, 128, 128)
    reader = itk.ImageSeriesReader[itk.Image[itk.SS, 3]].New()
    names = itk.GDCMSeriesFileNames.New(Directory=str(dicom_series))
    reader.SetImageIO(itk.GDCMImageIO.New())
    reader.SetFileNames(names.GetInputFileNames())
    reader.Update()
    np.testing.assert_array_equal(image[0].numpy(), itk.array_from_image(reader.GetOutput()).T)
    np.testing.assert_allclose(image.pixdim.numpy(), 1.0)


def test_stated_axes_and_spacing_replace_the_header_and_keep_the_middle(tmp_path, voxels):
    image = LoadVolume(axes="asr", spacing=(1.0, 2.0, 3.0))(write(tmp_path / "a.nii", voxels))
    assert nibabel.aff2axcodes(image.affine.numpy()) == ("A", "S", "R")
    np.testing.assert_allclose(image.pixdim.numpy(), [1.0, 2.0, 3.0])
    middle = np.array([2.0, 2.5, 3.0, 1.0])
    np.testing.assert_allclose(image.affine.numpy() @ middle, AFFINE @ middle)
    np.testing.assert_array_equal(image.meta["original_affine"], image.affine)


def test_a_file_without_an_affine_is_refused_unless_both_are_stated(tmp_path, voxels):
    image = nibabel.Nifti1Image(voxels, None)
    image.header.set_sform(None, code=0)
    image.header.set_qform(None, code=0)
    nibabel.save(image, tmp_path / "a.nii")
    with pytest.raises(VolumeError, match=r"a\.nii: the header holds no usable affine.*give both `axes` and `spacing`"):
        LoadVolume()(tmp_path / "a.nii")
    assert LoadVolume("RAS", (1, 1, 1))(tmp_path / "a.nii").pixdim.tolist() == [1.0, 1.0, 1.0]


def test_an_sform_that_disagrees_with_the_voxel_sizes_is_taken_as_it_is(tmp_path, voxels):
    """MONAI's reader replaces it by the qform, even by one that says nothing: left and right would be exchanged."""
    image = nibabel.Nifti1Image(voxels, None)
    image.header.set_sform(np.diag([-1.5625, -1.5625, 3.0, 1.0]), code=1)
    image.header.set_qform(None, code=0)
    image.header.set_zooms((1.56, 1.56, 3.0))
    image.set_sform(np.diag([-1.5625, -1.5625, 3.0, 1.0]), code=1, update_affine=True)
    nibabel.save(image, tmp_path / "a.nii")
    loaded = LoadVolume()(tmp_path / "a.nii")
    np.testing.assert_allclose(loaded.affine.numpy(), np.diag([-1.5625, -1.5625, 3.0, 1.0]))


@pytest.mark.parametrize("size", [0.001, 30.0])
def test_voxels_in_another_unit_are_refused(tmp_path, voxels, size):
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 1.0, size, 1.0])), tmp_path / "a.nii")
    with pytest.raises(VolumeError, match=r"a\.nii: has voxels of .* expected 0\.1 to 20\.0 mm .*check the unit"):
        LoadVolume()(tmp_path / "a.nii")


def test_complex_numbers_are_refused(tmp_path, voxels):
    nibabel.save(nibabel.Nifti1Image(voxels.astype(np.complex64), AFFINE), tmp_path / "a.nii")
    with pytest.raises(VolumeError, match=r"a\.nii: holds complex numbers.*write the magnitude image"):
        LoadVolume()(tmp_path / "a.nii")


def test_a_nrrd_without_directions_is_refused(tmp_path, voxels):
    header = "NRRD0004\ntype: short\ndimension: 3\nsizes: 5 6 7\nencoding: raw\nendian: little\n\n"
    (tmp_path / "a.nrrd").write_bytes(header.encode() + voxels.T.tobytes())
    with pytest.raises(VolumeError, match=r"a\.nrrd: the header holds no usable affine"):
        LoadVolume()(tmp_path / "a.nrrd")


def test_a_degenerate_affine_is_refused(tmp_path, voxels):
    affine = AFFINE.copy()
    affine[:3, 0] = affine[:3, 1]
    with pytest.raises(VolumeError, match="no usable affine"):
        LoadVolume()(write(tmp_path / "a.nii", voxels, affine))


@pytest.mark.realdata
def test_the_decathlons_lying_header_comes_out_right(real_hearts):
    """The data set's own header claims RAS; the axes are A, S, R."""
    stated = LoadVolume(axes="ASR")(real_hearts / "original_header" / "la_003.nii.gz")
    right = LoadVolume()(real_hearts / "images" / "la_003.nii.gz")
    turned = Orientation("RAS", labels=None)(stated)
    np.testing.assert_array_equal(turned.numpy(), right.numpy())
    np.testing.assert_allclose(turned.pixdim.numpy(), right.pixdim.numpy(), rtol=1e-6)


def truncated(path, voxels):
    write(path, voxels)
    path.write_bytes(path.read_bytes()[:-200])


def test_files_that_cannot_be_used_are_named_with_what_to_do(tmp_path, voxels):
    cases = {
        "missing.nii": (lambda path: None, "no such file or folder; check the path"),
        "text.nii": (lambda path: path.write_text("hello"), "cannot be read .*truncated or damaged: copy or export"),
        "short.nii": (lambda path: truncated(path, voxels), "cannot be read"),
        "short.mha": (lambda path: truncated(path, voxels), "cannot be read"),
        "short.nii.gz": (lambda path: path.write_bytes(gzip.compress(bytes(4000))[:-10]), "cannot be read"),
        "image.png": (lambda path: path.touch(), r"the format '\.png' is not read here; expected \.nii"),
        "flat.nii": (
            lambda path: write(path, voxels[..., 0]),
            r"has 2 axes of sizes \(5, 6\), expected three|at least two voxels",
        ),
        "single.nii": (
            lambda path: write(path, voxels[..., :1]),
            "expected at least two voxels along each axis|has 2 axes",
        ),
        "film.nii": (lambda path: write(path, np.stack([voxels] * 3, -1)), r"has 4 axes.*extract one time frame"),
        "constant.nii": (lambda path: write(path, np.full_like(voxels, 7)), "every voxel is 7, expected an image"),
        "nan.nii": (
            lambda path: write(path, np.where(voxels > 500, np.nan, voxels.astype(float))),
            "voxels are NaN or infinite",
        ),
        "folder": (lambda path: path.mkdir(), "holds 0 DICOM series, expected exactly one; check that"),
    }
    for name, (make, message) in cases.items():
        make(tmp_path / name)
        with pytest.raises(VolumeError, match=message) as caught:
            LoadVolume()(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


SERIES_INSTANCE_UID = b"\x20\x00\x0e\x00UI"
"""Tag (0020,000E) with its value representation, explicit little endian."""


def test_a_folder_with_two_series_is_refused(dicom_series, tmp_path):
    for number, path in enumerate(sorted(dicom_series.glob("*.dcm"))[:4]):
        content = bytearray(path.read_bytes())
        start = content.index(SERIES_INSTANCE_UID) + len(SERIES_INSTANCE_UID)
        content[start + 2] = ord("1") + number % 2  # first digit of the UID, behind the two bytes of its length
        (tmp_path / path.name).write_bytes(content)
    with pytest.raises(VolumeError, match="holds 2 DICOM series, expected exactly one; put each series into a folder"):
        LoadVolume()(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axes": "RAA"}, "axes 'RAA' does not name three body axes"),
        ({"axes": "RA"}, "does not name three body axes: give one letter of each"),
        ({"axes": "XYZ"}, "does not name three body axes"),
        ({"spacing": (1, 0, 1)}, r"spacing \[1, 0, 1\] is not three positive voxel sizes"),
        ({"spacing": (1, 1)}, "is not three positive voxel sizes"),
    ],
)
def test_odd_statements_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LoadVolume(**arguments)
