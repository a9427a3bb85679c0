import gzip
import logging

import itk
import nibabel
import numpy as np
import pytest
from monai.transforms import Orientation
from scipy.spatial.transform import Rotation

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


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
def test_endings_in_capitals_are_the_same_formats(tmp_path, voxels, name):
    path = write(tmp_path / name, voxels).rename(tmp_path / name.upper())
    np.testing.assert_array_equal(LoadVolume()(path)[0].numpy(), voxels)


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


META_IMAGE_LINES = (
    ("ElementSpacing", "1.5 1.5 3"),
    ("TransformMatrix", "-1 0 0 0 -1 0 0 0 1"),
    ("Offset", "1 2 3"),
    ("DimSize", "5 6 7"),
    ("ElementType", "MET_SHORT"),
    ("ElementDataFile", "LOCAL"),
)
NRRD_LINES = (
    ("type", "int16"),
    ("dimension", "3"),
    ("space", "left-posterior-superior"),
    ("sizes", "5 6 7"),
    ("space directions", "(-1.5,0,0) (0,-1.5,0) (0,0,3)"),
    ("space origin", "(1,2,3)"),
    ("endian", "little"),
    ("encoding", "raw"),
)
STATED = np.array([[1.5, 0, 0, -1], [0, 1.5, 0, -2], [0, 0, 3, 3], [0, 0, 0, 1]])
"""What both headers state, in RAS+."""


def write_mha(path, voxels, *, without=(), data=None, **others):
    lines = {"ObjectType": "Image", "NDims": 3, "BinaryData": True, "BinaryDataByteOrderMSB": False, **others}
    lines |= {name: others.get(name, value) for name, value in META_IMAGE_LINES if name not in without}
    if data is not None:
        lines["ElementDataFile"] = data
    text = "".join(f"{name} = {value}\n" for name, value in lines.items())
    path.write_bytes(text.encode() + (voxels.T.tobytes() if data is None else b""))
    return path


def write_nrrd(path, voxels, *, without=(), end="\n", data=None, **others):
    others = {name.replace("_", " "): value for name, value in others.items()}
    lines = {**{name: value for name, value in NRRD_LINES if name not in without}, **others}
    if data is not None:
        lines["data file"] = data
    text = f"NRRD0004{end}" + "".join(f"{name}: {value}{end}" for name, value in lines.items()) + end
    path.write_bytes(text.encode() + (voxels.T.tobytes() if data is None else b""))
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_hand_written_headers_are_read_as_they_state(tmp_path, voxels, end):
    (tmp_path / "a.raw").write_bytes(voxels.T.tobytes())
    for path in (
        write_mha(tmp_path / "a.mha", voxels),
        write_mha(tmp_path / "a.mhd", voxels, data="a.raw"),
        write_nrrd(tmp_path / "a.nrrd", voxels, end=end),
        write_nrrd(tmp_path / "a.nhdr", voxels, end=end, data="a.raw"),
    ):
        image = LoadVolume()(path)
        np.testing.assert_array_equal(image[0].numpy(), voxels)
        np.testing.assert_allclose(image.affine.numpy(), STATED)


@pytest.mark.parametrize("name", ["ElementSpacing", "TransformMatrix", "Offset"])
@pytest.mark.parametrize("ending", ["mha", "mhd"])
def test_a_meta_image_that_does_not_state_its_geometry_is_refused(tmp_path, voxels, name, ending):
    (tmp_path / "a.raw").write_bytes(voxels.T.tobytes())
    path = write_mha(tmp_path / f"a.{ending}", voxels, without=[name], data="a.raw" if ending == "mhd" else None)
    message = rf"a\.{ending}: the header holds no usable affine .*: without {name}\), expected one; give both"
    with pytest.raises(VolumeError, match=message):
        LoadVolume()(path)
    assert LoadVolume("RAS", (1, 2, 3))(path).pixdim.tolist() == [1, 2, 3]


def test_a_field_with_too_few_numbers_is_no_statement(tmp_path, voxels):
    """MetaIO then forgets the spacing, too."""
    path = write_mha(tmp_path / "a.mha", voxels, Offset="1 2")
    with pytest.raises(VolumeError, match=r"a\.mha: the header holds no usable affine .*: without Offset\)"):
        LoadVolume()(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr"])
def test_a_qform_without_voxel_sizes_is_refused(tmp_path, voxels, name):
    """nibabel replaces sizes of zero by one."""
    kind = nibabel.Nifti1Pair if name.endswith("hdr") else nibabel.Nifti1Image
    image = kind(voxels, None)
    image.header.set_sform(None, code=0)
    image.header.set_qform(np.diag([1.5, 1.5, 3.0, 1.0]), code=1)
    nibabel.save(image, tmp_path / name)
    assert LoadVolume()(tmp_path / name).pixdim.tolist() == [1.5, 1.5, 3.0]
    zipped = name.endswith("gz")
    content = bytearray(gzip.decompress((tmp_path / name).read_bytes()) if zipped else (tmp_path / name).read_bytes())
    content[80:92] = bytes(12)  # pixdim[1] to pixdim[3] of NIfTI-1
    (tmp_path / name).write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(VolumeError, match=f"{name}: the header holds no usable affine .*: without pixdim"):
        LoadVolume()(tmp_path / name)


def test_other_names_of_the_same_field_are_statements(tmp_path, voxels):
    lines = {"ElementSize": "1.5 1.5 3", "Rotation": "-1 0 0 0 -1 0 0 0 1", "Position": "1 2 3"}
    path = write_mha(tmp_path / "a.mha", voxels, without=["ElementSpacing", "TransformMatrix", "Offset"], **lines)
    np.testing.assert_allclose(LoadVolume()(path).affine.numpy(), STATED)


@pytest.mark.parametrize(
    ("without", "others", "told"),
    [
        (["space directions"], {}, "space directions"),
        (["space origin"], {}, "space origin"),
        (
            ["space directions", "space origin", "space"],
            {"spacings": "1.5 1.5 3"},
            "space directions, space origin, space with the axes of the body",
        ),
        ([], {"space": "scanner-xyz"}, "space with the axes of the body"),
        ([], {"space_directions": "(-1.5,0,0) (0,-1.5,0) none"}, "space directions"),
        ([], {"space_directions": "(nan,nan,nan) (nan,nan,nan) (nan,nan,nan)"}, "space directions"),
        ([], {"space_origin": "none"}, "space origin"),
        ([], {"space_origin": "(nan,nan,nan)"}, "space origin"),
    ],
)
@pytest.mark.parametrize("ending", ["nrrd", "nhdr"])
def test_a_nrrd_that_does_not_state_its_geometry_is_refused(tmp_path, voxels, without, others, told, ending):
    (tmp_path / "a.raw").write_bytes(voxels.T.tobytes())
    data = "a.raw" if ending == "nhdr" else None
    path = write_nrrd(tmp_path / f"a.{ending}", voxels, without=without, data=data, **others)
    with pytest.raises(VolumeError, match=rf"a\.{ending}: the header holds no usable affine .*: without {told}\)"):
        LoadVolume()(path)


def test_all_worlds_of_the_body_are_the_same_place(tmp_path, voxels):
    ras = {"space": "RAS", "space_directions": "(1.5,0,0) (0,1.5,0) (0,0,3)", "space_origin": "(-1,-2,3)"}
    las = {
        "space": "left-anterior-superior",
        "space_directions": "(-1.5,0,0) (0,1.5,0) (0,0,3)",
        "space_origin": "(1,-2,3)",
    }
    for lines in (ras, las):
        image = LoadVolume()(write_nrrd(tmp_path / "a.nrrd", voxels, **lines))
        np.testing.assert_allclose(image.affine.numpy(), STATED)


def test_lengths_in_other_units_become_millimetres(tmp_path, voxels):
    directions = {"space_directions": "(-0.15,0,0) (0,-0.15,0) (0,0,0.3)", "space_origin": "(0.1,0.2,0.3)"}
    (tmp_path / "a.raw").write_bytes(voxels.T.tobytes())
    centimetres = {**directions, "space_units": '"cm" "cm" "cm"'}
    mixed = {
        "space_directions": "(-0.15,0,0) (0,-1.5,0) (0,0,3000)",
        "space_origin": "(0.1,2,3000)",
        "space_units": '"cm" "mm" "um"',
    }
    for path in (
        write_nrrd(tmp_path / "a.nrrd", voxels, **centimetres),
        write_nrrd(tmp_path / "a.nhdr", voxels, data="a.raw", **centimetres),
        write_nrrd(tmp_path / "c.nrrd", voxels, **mixed),
        write_nrrd(tmp_path / "d.nrrd", voxels, space_units='"mm" "mm" "mm"'),
        write_mha(tmp_path / "a.mha", voxels, ElementSpacing="0.15 0.15 0.3", Offset="0.1 0.2 0.3", DistanceUnits="cm"),
        write_mha(
            tmp_path / "b.mha", voxels, ElementSpacing="1500 1500 3000", Offset="1000 2000 3000", DistanceUnits="um"
        ),
        write_mha(tmp_path / "c.mha", voxels, DistanceUnits="mm"),
    ):
        np.testing.assert_allclose(LoadVolume()(path).affine.numpy(), STATED, err_msg=path.name)


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1000), ("mm", 1), ("micron", 0.001), ("unknown", 1)])
def test_the_unit_of_a_nifti_is_believed(tmp_path, voxels, unit, factor):
    affine = np.diag([1 / factor, 1 / factor, 1 / factor, 1]) @ STATED
    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(LoadVolume()(tmp_path / "a.nii").affine.numpy(), STATED, rtol=1e-6)
    stated = LoadVolume("RAS", (1, 2, 3))(tmp_path / "a.nii")
    assert stated.pixdim.tolist() == [1, 2, 3]


def test_unknown_units_are_refused(tmp_path, voxels):
    with pytest.raises(
        VolumeError, match=r"a\.nrrd: has the unit of length 'inch', expected millimetres, .*correct the"
    ):
        LoadVolume()(write_nrrd(tmp_path / "a.nrrd", voxels, space_units='"inch" "inch" "inch"'))
    for odd in ({"space_units": '"mm" "mm"'}, {"units": '"cm" "cm" "cm"'}):
        with pytest.raises(VolumeError, match=r"a\.nrrd: cannot be read"):  # ITK itself refuses them
            LoadVolume()(write_nrrd(tmp_path / "a.nrrd", voxels, **odd))
    image = nibabel.Nifti1Image(voxels, AFFINE)
    image.header["xyzt_units"] = 5
    nibabel.save(image, tmp_path / "a.nii")
    with pytest.raises(VolumeError, match=r"a\.nii: has the unit of length 5, expected millimetres"):
        LoadVolume()(tmp_path / "a.nii")


@pytest.mark.parametrize("name", ["a.mgz", "a.mgh", "a.hdr", "a.img"])
def test_mgh_and_nifti_in_two_files_are_read(tmp_path, voxels, name):
    kind = nibabel.MGHImage if ".mg" in name else nibabel.Nifti1Pair
    nibabel.save(kind(voxels.astype(np.float32), AFFINE), tmp_path / name)
    image = LoadVolume()(tmp_path / name)
    np.testing.assert_array_equal(image[0].numpy(), voxels)
    np.testing.assert_allclose(image.affine.numpy(), AFFINE, atol=1e-5)


@pytest.mark.parametrize("name", ["a.mgz", "a.mgh"])
def test_an_mgh_that_does_not_know_its_orientation_is_refused(tmp_path, voxels, name):
    nibabel.save(nibabel.MGHImage(voxels.astype(np.float32), AFFINE), tmp_path / "whole.mgh")
    content = bytearray((tmp_path / "whole.mgh").read_bytes())
    content[28:30] = b"\0\0"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("z") else content)
    with pytest.raises(VolumeError, match=f"{name}: the header holds no usable affine .*: without goodRASFlag"):
        LoadVolume()(tmp_path / name)
    assert LoadVolume("RAS", (1, 2, 3))(tmp_path / name).pixdim.tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", [nibabel.AnalyzeImage, nibabel.Spm99AnalyzeImage])
def test_analyze_has_no_orientation(tmp_path, voxels, kind):
    nibabel.save(kind(voxels, np.diag([1.5, 1.5, 3.0, 1.0])), tmp_path / "a.img")
    with pytest.raises(
        VolumeError, match=r"a\.hdr: the header holds no .* without orientation \(Analyze 7\.5 has none"
    ):
        LoadVolume()(tmp_path / "a.hdr")
    stated = LoadVolume("RAS", (1, 2, 3))(tmp_path / "a.hdr")
    np.testing.assert_array_equal(stated[0].numpy(), voxels)


@pytest.mark.parametrize("name", ["a.nii", "a.nrrd", "a.mha"])
def test_a_sheared_grid_is_refused_in_every_format(tmp_path, voxels, name):
    sheared = STATED.copy()
    sheared[1, 2] = 0.1  # 0.6 mm over seven slices
    if name == "a.nii":
        write(tmp_path / name, voxels, sheared)
    elif name == "a.nrrd":
        write_nrrd(tmp_path / name, voxels, space_directions="(-1.5,0,0) (0,-1.5,0) (0,-0.1,3)")
    else:
        slope = np.array([0, -0.1, 3]) / np.hypot(0.1, 3)
        write_mha(
            tmp_path / name,
            voxels,
            TransformMatrix=f"-1 0 0 0 -1 0 0 {slope[1]:.9f} {slope[2]:.9f}",
            ElementSpacing=f"1.5 1.5 {np.hypot(0.1, 3):.9f}",
        )
    message = r"the axes are not perpendicular \(a sheared grid, its far side 0\.6 mm .*resample it to a straight grid"
    with pytest.raises(VolumeError, match=message):
        LoadVolume()(tmp_path / name)
    assert LoadVolume("RAS", (1, 2, 3))(tmp_path / name).pixdim.tolist() == [1, 2, 3]


def test_stated_sizes_alone_keep_an_oblique_direction(tmp_path, voxels):
    turn = Rotation.from_euler("xyz", [20, 30, 10], degrees=True).as_matrix()
    oblique = np.eye(4)
    oblique[:3, :3] = turn * [9, 9, 9]
    image = LoadVolume(spacing=(1.0, 2.0, 3.0))(write(tmp_path / "a.nii", voxels, oblique))
    np.testing.assert_allclose(image.affine.numpy()[:3, :3], turn * [1, 2, 3], atol=1e-6)


def test_reading_logs_nothing_about_other_readers(tmp_path, voxels, caplog):
    """MONAI's loader makes a reader of every kind; the one for GPUs then logs that there is none."""
    with caplog.at_level(logging.DEBUG):
        LoadVolume()(write(tmp_path / "a.nii", voxels))
    assert "nvImageCodec" not in caplog.text


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
