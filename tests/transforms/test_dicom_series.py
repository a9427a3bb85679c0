import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from monai_cardiac_gan.transforms import LoadVolume, VolumeError
from monai_cardiac_gan.transforms.dicom_series import series_in_order

pydicom = pytest.importorskip("pydicom")

SHAPE = (5, 6, 8)
VOXELS = np.random.default_rng(0).integers(0, 4000, SHAPE).astype(np.uint16)


def remove(*names):
    def change(data, level):
        for name in names:
            delattr(data, name)

    return change


def put(**values):
    def change(data, level):
        for name, value in values.items():
            setattr(data, name, value(level) if callable(value) else value)

    return change


def refused(folder, message, **stated):
    with pytest.raises(VolumeError, match=message) as caught:
        LoadVolume(**stated)(folder)
    assert str(folder) in str(caught.value)


@settings(max_examples=10, deadline=None)
@given(st.tuples(*[st.floats(-180, 180)] * 3), st.booleans())
def test_every_voxel_of_an_oblique_series_lies_where_its_slice_says(
    tmp_path_factory, write_series, angles, is_backward
):
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    axes[2] *= -1 if is_backward else 1  # the slices may be numbered against the normal
    spacing = (0.9, 1.1, 1.3)
    image = LoadVolume()(write_series(tmp_path_factory.mktemp("dicom"), VOXELS, spacing, axes))
    voxels = VOXELS[:, :, ::-1] if is_backward else VOXELS
    np.testing.assert_array_equal(image[0].numpy(), voxels)
    lps = np.column_stack([axes[0] * spacing[0], axes[1] * spacing[1], axes[2] * spacing[2]])
    for index in np.ndindex(2, 2, 2):
        corner = np.array(index) * (np.array(SHAPE) - 1)
        placed = corner if not is_backward else corner * (1, 1, -1) + (0, 0, SHAPE[2] - 1)
        expected = np.array([-1, -1, 1]) * (lps @ placed)
        np.testing.assert_allclose((image.affine.numpy() @ [*corner, 1])[:3], expected, atol=1e-4)


def test_file_names_and_other_files_do_not_matter(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOXELS)
    paths = sorted(folder.iterdir())
    for path, name in zip(paths, np.random.default_rng(1).permutation(len(paths)), strict=True):
        path.rename(folder / f"1.2.840.{name}")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (folder / "notes.txt").write_text("not an image")
    np.testing.assert_array_equal(LoadVolume()(folder)[0].numpy(), VOXELS)


def test_reports_beside_the_images_are_left_alone(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOXELS)
    report = pydicom.dcmread(next(folder.iterdir()))
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = pydicom.uid.BasicTextSRStorage
    del report.PixelData, report.Rows, report.Columns
    report.save_as(folder / "report.dcm")
    assert LoadVolume()(folder).shape == (1, *SHAPE)


def test_slices_without_a_preamble_are_read(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOXELS)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[132:])
    np.testing.assert_array_equal(LoadVolume()(folder)[0].numpy(), VOXELS)


def test_slices_of_other_rescaling_keep_their_fractions(tmp_path, write_series):
    """The first slice has whole numbers; its type must not be that of the others."""
    change = put(RescaleSlope=lambda level: 1 if level == 0 else 0.25, RescaleIntercept=0)
    image = LoadVolume()(write_series(tmp_path / "a", VOXELS, change=change))
    np.testing.assert_allclose(image[0].numpy(), VOXELS * np.where(np.arange(SHAPE[2]) == 0, 1, 0.25))


@pytest.mark.parametrize("lost", [[3], [2, 3, 4], [1]])
def test_missing_slices_are_named_with_their_gap(tmp_path, write_series, lost):
    folder = write_series(tmp_path / "a", VOXELS)
    for level in lost:
        (folder / f"{level:04d}.dcm").unlink()
    low, high = 3 * (lost[0] - 1), 3 * (lost[-1] + 1)
    refused(
        folder,
        f"not evenly spaced, expected one distance: {high - low} mm between the slices at {low} and {high} mm .*, 3 mm between "
        f"most; about {len(lost)} slices are missing: export the whole series",
    )


def test_one_missing_slice_of_many_thin_ones_is_found(tmp_path, write_series):
    folder = write_series(tmp_path / "a", np.repeat(VOXELS, 10, axis=2), (1.0, 1.0, 0.4))
    (folder / "0040.dcm").unlink()
    refused(
        folder, "0.8 mm between the slices at 15.6 and 16.4 mm along the normal, 0.4 mm between most; about 1 slices"
    )


def test_slices_that_drift_apart_are_refused(tmp_path, write_series):
    change = put(ImagePositionPatient=lambda level: [0, 0, 3 * level + 0.05 * level**2])
    refused(write_series(tmp_path / "a", VOXELS, change=change), "slices are not evenly spaced")


def test_rounded_positions_are_even(tmp_path, write_series):
    change = put(ImagePositionPatient=lambda level: [0, 0, round(1.3333 * level, 2)])
    image = LoadVolume()(write_series(tmp_path / "a", VOXELS, (1.5, 1.5, 1.3333), change=change))
    assert float(image.pixdim[2]) == pytest.approx(1.3333, abs=0.002)


@pytest.mark.parametrize(
    ("tag", "values", "told"),
    [
        (
            "ImageType",
            (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]),
            r"ImageType \(ORIGINAL\\PRIMARY\\M; ",
        ),
        ("TemporalPositionIdentifier", (1, 2), r"TemporalPositionIdentifier \(1; 2\)"),
        ("TriggerTime", (310.5, 612), r"TriggerTime \(310\.5; 612\)"),
        ("EchoTime", (2.5, 4.6), r"EchoTime \(2\.5; 4\.6\)"),
        ("AcquisitionNumber", (1, 2), r"AcquisitionNumber \(1; 2\)"),
        ("FlipAngle", (20, 90), r"FlipAngle \(20; 90\)"),
        ("RepetitionTime", (3, 9), r"RepetitionTime \(3; 9\)"),
        ("ProtocolName", ("a", "b"), r"ProtocolName \(a; b\)"),
        ("PatientPosition", ("HFS", "FFS"), r"PatientPosition \(FFS; HFS\)"),
        ("ComplexImageComponent", ("MAGNITUDE", "PHASE"), r"ComplexImageComponent \(MAGNITUDE; PHASE\)"),
        ("PatientID", ("12345678", "12345679"), "PatientID[;,]"),
        ("StudyInstanceUID", ("1.2", "1.20"), "StudyInstanceUID[;,]"),
        ("AcquisitionTime", ("120000.5", "120000.6"), "AcquisitionTime[;,]"),
    ],
)
def test_two_volumes_in_one_series_are_refused_with_the_tag_that_differs(tmp_path, write_series, tag, values, told):
    first, second = (put(**{tag: value}) for value in values)
    write_series(tmp_path / "same", VOXELS, change=first)
    write_series(tmp_path / "same", VOXELS[:, :, ::-1], first=20, change=second)
    refused(tmp_path / "same", f"holds 16 images at 8 positions, expected one at each: .* they differ in {told}")

    def between(data, level):
        second(data, level)
        data.ImagePositionPatient = [0, 0, 3 * level + 1.5]

    if tag in ("FlipAngle", "PatientID"):  # the second lies above the first

        def above(data, level):
            second(data, level)
            data.ImagePositionPatient = [0, 0, 3 * (level + SHAPE[2])]

        write_series(tmp_path / "above", VOXELS, change=first)
        write_series(tmp_path / "above", VOXELS, first=20, change=above)
        refused(tmp_path / "above", f"images of one series differ in {told}")

    write_series(tmp_path / "between", VOXELS, change=first)
    write_series(tmp_path / "between", VOXELS, first=20, change=between)
    refused(tmp_path / "between", f"(differ in|take turns in) {told}")


def test_an_unfinished_second_volume_is_found(tmp_path, write_series):
    write_series(tmp_path / "a", VOXELS)
    write_series(tmp_path / "a", VOXELS[:, :, :3], first=20, change=put(EchoTime=4.6))
    refused(tmp_path / "a", r"holds 11 images at 8 positions.* they differ in EchoTime \(4\.6; absent\)")


def test_copies_of_slices_are_refused(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOXELS)
    (folder / "copy.dcm").write_bytes((folder / "0003.dcm").read_bytes())
    refused(folder, "holds 9 images at 8 positions.*they differ in none of ImageType, EchoTime")


def test_slices_acquired_one_by_one_are_one_volume(tmp_path, write_series):
    """Each slice has its own trigger time, and the lower half another acquisition: nothing says two volumes."""
    change = put(TriggerTime=lambda level: 600 + level, AcquisitionNumber=lambda level: 1 + level // 4)
    assert LoadVolume()(write_series(tmp_path / "a", VOXELS, change=change)).shape == (1, *SHAPE)


def test_numbers_written_in_two_ways_are_one_value(tmp_path, write_series):
    change = put(EchoTime=lambda level: "2.5" if level % 2 else "2.50")
    assert LoadVolume()(write_series(tmp_path / "a", VOXELS, change=change)).shape == (1, *SHAPE)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (remove("ImagePositionPatient"), "ImagePositionPatient"),
        (remove("ImageOrientationPatient"), "ImageOrientationPatient"),
        (remove("PixelSpacing"), "PixelSpacing"),
        (put(ImageOrientationPatient=[0, 0, 0, 0, 0, 0]), "ImageOrientationPatient"),
        (put(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), "ImageOrientationPatient"),
        (put(PixelSpacing=[0, 1.5]), "PixelSpacing"),
        (
            remove("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"),
            "ImageOrientationPatient, ImagePositionPatient, PixelSpacing",
        ),
    ],
)
def test_a_geometry_that_no_header_states_is_not_made_up(tmp_path, write_series, change, told):
    folder = write_series(tmp_path / "a", VOXELS, change=change)
    message = (
        rf"the headers hold no usable {told} \(orientation, voxel size and place\).*give both `axes` and `spacing`"
    )
    refused(folder, message)
    refused(folder, message, axes="RAS")
    image = LoadVolume("RAS", (1.5, 1.5, 3.0))(folder)
    np.testing.assert_array_equal(image[0].numpy(), VOXELS)
    np.testing.assert_allclose(np.asarray(image.affine)[:3, :3], np.diag([1.5, 1.5, 3.0]))


def test_one_slice_without_its_position_is_enough(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOXELS)
    remove_one = pydicom.dcmread(folder / "0003.dcm")
    del remove_one.ImagePositionPatient
    remove_one.save_as(folder / "0003.dcm")
    refused(folder, "the headers hold no usable ImagePositionPatient")


def test_slices_without_positions_need_consecutive_numbers(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOXELS, change=remove("ImagePositionPatient"))
    (folder / "0003.dcm").unlink()
    refused(folder, "neither positions nor consecutive values of InstanceNumber", axes="RAS", spacing=(1, 1, 1))


@pytest.mark.parametrize("step", [0.1, 1.0])
def test_slices_that_shift_sideways_are_refused(tmp_path, write_series, step):
    change = put(ImagePositionPatient=lambda level: [0, step * level, 3 * level])
    folder = write_series(tmp_path / "a", VOXELS, change=change)
    refused(
        folder,
        f"slices shift sideways by up to {7 * step:.4g} mm .*, expected slices straight above each other; resample",
    )
    refused(folder, "slices shift sideways", axes="RAS")
    assert LoadVolume("RAS", (1.5, 1.5, 3.0))(folder).pixdim.tolist() == [1.5, 1.5, 3.0]


def test_slices_of_other_directions_are_refused(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOXELS)
    write_series(folder, VOXELS[:, :, :2], axes=np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]), first=20)
    refused(folder, "slices differ in ImageOrientationPatient, expected parallel slices; put each stack")


def test_series_frames_and_colours_are_told_apart(tmp_path, write_series):
    write_series(tmp_path / "two", VOXELS, series="1.2.1")
    write_series(tmp_path / "two", VOXELS, series="1.2.2", first=20)
    refused(tmp_path / "two", "holds 2 DICOM series, expected exactly one; put each series into a folder of its own")
    frames = write_series(tmp_path / "frames", VOXELS)
    data = pydicom.dcmread(frames / "0000.dcm")
    data.NumberOfFrames, data.PixelData = 2, data.PixelData * 2
    data.save_as(frames / "0000.dcm")
    refused(frames, r"holds a file with several frames \(enhanced DICOM\).*convert it to NIfTI")
    colour = write_series(tmp_path / "colour", VOXELS)
    for path in colour.iterdir():
        data = pydicom.dcmread(path)
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
        data.PixelData = data.PixelData * 3
        data.save_as(path)
    refused(colour, "holds colour images, expected one channel")


def test_a_truncated_slice_is_told(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOXELS)
    path = folder / "0007.dcm"  # the last one: without it the others are an even stack
    path.write_bytes(path.read_bytes()[:-40])
    refused(folder, "1 of 8 DICOM files cannot be read, expected complete images; they may be truncated")


def test_slices_come_in_the_order_of_their_normal(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOXELS, change=put(InstanceNumber=lambda level: 100 - level))
    assert [each.path.name for each in series_in_order(folder)] == [f"{level:04d}.dcm" for level in range(8)]
