import pytest

from monai_cardiac_gan.data.image_headers import meta_image_header, nrrd_header


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("a.raw", ["a.raw"]),
        ("a.zraw", ["a.zraw"]),
        ("two words.raw", ["two words.raw"]),
        ("slices/a%03d.raw 1 3 1", ["slices/a001.raw", "slices/a002.raw", "slices/a003.raw"]),
        ("a%d.raw 4 0 -2", ["a4.raw", "a2.raw", "a0.raw"]),
        ("LIST\nb.raw\na.raw", ["b.raw", "a.raw"]),
        ("LIST 2\nb.raw\na.raw\n", ["b.raw", "a.raw"]),
    ],
)
def test_the_files_with_the_voxels_are_those_that_the_header_names(tmp_path, entry, names, end):
    (tmp_path / "a.mhd").write_text(f"NDims = 3\nElementDataFile = {entry}\n".replace("\n", end), newline="")
    (tmp_path / "a.nhdr").write_text(f"NRRD0004\ndimension: 3\ndata file: {entry}\n".replace("\n", end), newline="")
    expected = tuple(tmp_path / name for name in names)
    assert meta_image_header(tmp_path / "a.mhd").files == expected
    assert nrrd_header(tmp_path / "a.nhdr").files == expected


def test_voxels_behind_the_header_are_neither_files_nor_fields(tmp_path):
    (tmp_path / "a.mha").write_bytes(b"NDims = 3\nElementDataFile = LOCAL\nx = 3\n" + bytes(range(256)))
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\nDimension: 3\nkey:=a value: with colons\n\ndata file: b.raw\n")
    assert meta_image_header(tmp_path / "a.mha").fields == {"NDims": "3", "ElementDataFile": "LOCAL"}
    assert nrrd_header(tmp_path / "a.nrrd").fields == {"nrrd0004": "", "dimension": "3", "key": "a value: with colons"}
    assert meta_image_header(tmp_path / "a.mha").files == nrrd_header(tmp_path / "a.nrrd").files == ()


def test_what_is_no_header_is_read_for_a_moment_only(tmp_path):
    (tmp_path / "a.mha").write_bytes(bytes(1 << 20))
    assert meta_image_header(tmp_path / "a.mha").files == ()
    assert meta_image_header(tmp_path / "a.mha").fields == {}
