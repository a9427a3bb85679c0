import pytest

from monai_cardiac_gan.data.volume_files import is_dicom_image, subject_of, volume_files


@pytest.mark.parametrize(
    ("name", "content", "others"),
    [
        ("a.nii.gz", "", []),
        ("a.mgz", "", []),
        ("a.mhd", "ElementDataFile = b.raw\n", ["b.raw"]),
        ("a.MHA", "ElementDataFile = LOCAL\n", []),
        ("a.nhdr", "NRRD0004\ndata file: b.raw.gz\n", ["b.raw.gz"]),
        ("a.nrrd", "NRRD0004\n\n", []),
        ("a.hdr", "", ["a.img"]),
        ("a.IMG", "", ["a.hdr"]),
    ],
)
def test_a_volume_is_all_of_its_files(tmp_path, name, content, others):
    (tmp_path / name).write_text(content)
    for other in others:
        (tmp_path / other).touch()
    assert volume_files(tmp_path / name) == [tmp_path / name, *(tmp_path / other for other in others)]


def test_a_header_alone_is_one_file(tmp_path):
    (tmp_path / "a.hdr").touch()
    assert volume_files(tmp_path / "a.hdr") == [tmp_path / "a.hdr"]


def test_a_series_is_the_files_directly_in_its_folder(tmp_path):
    (tmp_path / "deeper").mkdir()
    for name in ("b", "a", "deeper/c"):
        (tmp_path / name).touch()
    assert volume_files(tmp_path) == [tmp_path / "a", tmp_path / "b"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a", bytes(128) + b"DICM", True),
        ("a", b"\x02\x00\x00\x00UL\x04\x00\xb0\x00\x00\x00", True),
        ("a", b"\x08\x00\x08\x00CS\x12\x00ORIGINAL", True),
        ("a", b"\x08\x00\x08\x00\x12\x00\x00\x00ORIGINAL", True),
        ("a", b"\x08\x00\x08\x00\xff\xff\x00\x00", False),
        ("a", b"", False),
        ("a", b"\x5c\x01\x00\x00" + bytes(344), False),
        ("a", b"subject,age\nann,34\n", False),
        ("DICOMDIR", bytes(128) + b"DICM", False),
        ("a", bytes(128) + b"DICM" + b"UI\x14\x001.2.840.10008.1.3.10", False),
        ("a", bytes(128) + b"DICM" + b"UI\x14\x001.2.840.10008.5.1.4.1.1.88.11\0", False),
        ("a", bytes(128) + b"DICM" + b"UI\x1a\x001.2.840.10008.5.1.4.1.1.4\0", True),
        ("a", bytes(128) + b"DICM" + b"UI\x1a\x001.2.840.10008.5.1.4.1.1.481.1\0", True),
    ],
)
def test_images_are_known_by_their_first_bytes(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    assert is_dicom_image(tmp_path / name) is expected


def test_a_folder_is_no_image(tmp_path):
    assert not is_dicom_image(tmp_path)


def test_names_lose_the_ending_of_their_format_only(tmp_path):
    names = ("p.01.nii.gz", "x.NRRD", "series", "a.mgz", "b.hdr", "c.img")
    assert [subject_of(tmp_path / name) for name in names] == ["p.01", "x", "series", "a", "b", "c"]
