import logging

import nibabel
import numpy as np
import pytest

from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.data.folder_scan import names_a_label_map, records_from_folder
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import LoadVolume

DICOM = bytes(128) + b"DICM"
"""What makes a file a DICOM file for a scan."""


def put(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def files(folder, contents):
    return put(folder, **{name.replace("/", "__"): content for name, content in contents.items()})


def found(folder):
    return [(record[Field.SUBJECT], record[Field.IMAGE]) for record in records_from_folder(folder)]


def passed_over(folder, caplog):
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        records_from_folder(folder)
    return [record.getMessage() for record in caplog.records]


def test_a_folder_gives_one_record_per_volume_in_the_order_of_names(tmp_path):
    files(tmp_path, dict.fromkeys(("b.nii.gz", "a.nrrd", "c.MHA", "d.mgz", "notes.txt", ".hidden.nii"), b""))
    names = ("a.nrrd", "b.nii.gz", "c.MHA", "d.mgz")
    assert found(tmp_path) == [(name.split(".")[0], str(tmp_path / name)) for name in names]
    assert found(tmp_path) == [(r["subject"], r["image"]) for r in read_datalist(tmp_path)]


def test_a_series_is_found_as_a_folder_and_in_a_folder(tmp_path):
    files(tmp_path / "there", {"1.2.840.113619.2.17": DICOM, "1.2.840.113619.2.18": DICOM})
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "patient").symlink_to(tmp_path / "there")
    assert found(tmp_path / "all") == [("patient", str(tmp_path / "all" / "patient"))]
    assert found(tmp_path / "all" / "patient") == [("there", str(tmp_path / "all" / "patient"))]


def test_series_below_a_sub_folder_belong_to_its_person(tmp_path):
    places = ("ann/first", "ann/study/second", "bob/first")
    files(tmp_path, {f"{place}/{number}": DICOM for place in places for number in range(2)})
    files(tmp_path, {"ann/.trash/1": DICOM, "bob/notes.txt": b""})
    (tmp_path / "bob" / "loop").symlink_to(tmp_path / "bob")
    assert found(tmp_path) == [(place[:3], str(tmp_path / place)) for place in places]


@pytest.mark.parametrize("name", ["stray.dcm", "DICOMDIR", "IM0001"])
def test_one_stray_dicom_file_hides_no_volume(tmp_path, caplog, name):
    files(tmp_path, {"a.nii": b"", "b.nii": b"", name: DICOM})
    assert [subject for subject, _ in found(tmp_path)] == ["a", "b"]
    messages = passed_over(tmp_path, caplog)
    assert len(messages) == 1
    assert name in messages[0]


def test_a_series_beside_volumes_is_one_more_record(tmp_path):
    files(tmp_path / "p", {"a.nii": b"", "1.dcm": DICOM, "2.dcm": DICOM, "DICOMDIR": DICOM})
    assert found(tmp_path / "p") == [("p", str(tmp_path / "p")), ("a", str(tmp_path / "p" / "a.nii"))]


def test_an_archive_with_its_directory_gives_its_series(tmp_path):
    files(tmp_path, {"DICOMDIR": DICOM, "DICOM/ST0/SE0/IM0": DICOM, "DICOM/ST0/SE0/IM1": DICOM})
    assert found(tmp_path) == [("DICOM", str(tmp_path / "DICOM" / "ST0" / "SE0"))]


def test_series_without_a_preamble_are_found(tmp_path):
    files(
        tmp_path, {"p/1": b"\x02\x00\x00\x00UL\x04\x00\xb0\x00\x00\x00", "q/1": b"\x08\x00\x08\x00CS\x12\x00ORIGINAL"}
    )
    assert [subject for subject, _ in found(tmp_path)] == ["p", "q"]


def test_what_is_passed_over_is_told_with_the_reason(tmp_path, caplog):
    files(
        tmp_path,
        {
            "a.nii": b"", "b.par": b"", "b.rec": b"", "c.img": b"", "notes.txt": b"",
            "empty/readme.md": b"", "nested/x.nii.gz": b"", "nested/y.mha": b"",
        },
    )  # fmt: skip
    first, second, third = sorted(passed_over(tmp_path, caplog), key=len)
    assert first == f"{tmp_path}: passed over empty (a folder without volumes)"
    assert second.startswith(f"{tmp_path}: passed over b.par, b.rec, c.img (not read here; expected .nii.gz")
    assert third == (
        f"{tmp_path}: passed over 2 volumes in nested (sub-folders are searched for DICOM only; name their volumes, and who they "
        "belong to, in a CSV list)"
    )


def test_a_long_list_is_cut(tmp_path, caplog):
    files(tmp_path, {"a.nii": b"", **{f"{number:02d}.png": b"" for number in range(13)}})
    (message,) = passed_over(tmp_path, caplog)
    assert "08.png, 09.png and 3 more (not read here" in message


def test_files_that_belong_to_a_volume_are_not_passed_over(tmp_path, caplog):
    files(
        tmp_path,
        {
            "a.mhd": b"NDims = 3\nElementDataFile = a.zraw\n", "a.zraw": b"",
            "b.nhdr": b"NRRD0004\ndata file: b%d.raw 1 2 1\n", "b1.raw": b"", "b2.raw": b"",
            "c.hdr": b"", "c.img": b"",
        },
    )  # fmt: skip
    assert [subject for subject, _ in found(tmp_path)] == ["a", "b", "c"]
    assert passed_over(tmp_path, caplog) == []


def test_a_link_that_leads_nowhere_is_a_record(tmp_path):
    (tmp_path / "gone.nii.gz").symlink_to(tmp_path / "nowhere")
    (tmp_path / "gone.mhd").symlink_to(tmp_path / "nowhere")
    assert [subject for subject, _ in found(tmp_path)] == ["gone", "gone"]


def test_a_folder_without_volumes_is_refused(tmp_path):
    files(tmp_path, {"notes.txt": b"", "DICOMDIR": DICOM})
    with pytest.raises(
        ValueError, match=r"holds no volumes; expected \.nii\.gz.* files or sub-folders with DICOM series"
    ):
        records_from_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p1_label.nii.gz", True),
        ("p1.seg.nrrd", True),
        ("labelmap-p1.mha", True),
        ("Segmentation.nrrd", True),
        ("p1_aortaMask.nii", True),
        ("patient001_frame01_gt.nii.gz", True),
        ("p1_MASK.nii", True),
        ("label2.nii", True),
        ("p1_image.nii.gz", False),
        ("masked_p1.nii", False),
        ("segmented.nii", False),
        ("gtx.nii", False),
    ],
)
def test_label_maps_are_known_by_a_word_of_their_name(tmp_path, name, expected):
    files(tmp_path, {name: b""})
    (record,) = records_from_folder(tmp_path)
    assert names_a_label_map(tmp_path / name) is expected
    assert (Field.ERROR in record) is expected
    if expected:
        assert record[Field.ERROR].startswith(
            f"{tmp_path / name}: is a label map by its name, expected an image; if it is one"
        )


def test_records_of_a_nested_series_can_be_read(tmp_path, write_series):
    voxels = np.random.default_rng(0).integers(0, 1000, (5, 6, 7))
    write_series(tmp_path / "patient" / "series", voxels)
    nibabel.save(nibabel.MGHImage(voxels.astype(np.float32), np.diag([1.5, 1.5, 3, 1])), tmp_path / "other.mgz")
    (_, mgz), (_, series) = found(tmp_path)
    np.testing.assert_array_equal(LoadVolume()(series)[0].numpy(), voxels)
    np.testing.assert_array_equal(LoadVolume()(mgz)[0].numpy(), voxels)
