import pytest

from monai_cardiac_gan.data import corrected, read_corrections

RECORDS = [
    {"subject": "ann", "image": "/data/a1.nii"},
    {"subject": "ann", "image": "/data/a2.nii"},
    {"subject": "bob", "image": "/data/b.nii", "seed": [1.0, 2.0, 3.0]},
]


def test_rows_are_read_and_go_to_their_volumes(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("subject,x,y,z,image\nbob, 10,-20.5, 30\nann,1,2,3,a2.nii\n\nann,,,,a1.nii\n")
    one, two, three = corrected(RECORDS, read_corrections(path))
    assert one["error"] == "/data/a1.nii: excluded by a correction."
    assert two["correction"] == [1, 2, 3]
    assert three["correction"] == [10, -20.5, 30]
    assert RECORDS[2] == {"subject": "bob", "image": "/data/b.nii", "seed": [1.0, 2.0, 3.0]}


def test_the_later_row_counts():
    rows = [{"subject": "bob", "x": str(x), "y": "0", "z": "0"} for x in (1, 2)]
    assert corrected(RECORDS, rows)[2]["correction"] == [2, 0, 0]


def test_images_may_be_shown_under_other_names():
    rows = [{"subject": "ann", "x": "1", "y": "2", "z": "3", "image": "k2"}]
    assert corrected(RECORDS, rows, ["k1", "k2", "k3"])[1]["correction"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"subject": "eve", "x": "1", "y": "2", "z": "3"},
            "of 'eve' fits 0 volumes, expected one; the subjects are ann, bob",
        ),
        ({"subject": "ann", "x": "1", "y": "2", "z": "3"}, "of 'ann' fits 2 volumes, expected one"),
        ({"subject": "bob", "x": "1", "y": "", "z": "3"}, r"of 'bob' is \['1', '', '3'\]: expected three numbers"),
    ],
)
def test_rows_that_fit_no_volume_are_refused(row, message):
    with pytest.raises(ValueError, match=message):
        corrected(RECORDS, [row])


def test_files_without_the_columns_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file; give a CSV with the columns subject, x, y, z"):
        read_corrections(tmp_path / "c.csv")
    (tmp_path / "c.csv").write_text("subject,x,y\n")
    with pytest.raises(ValueError, match=r"expected at least 'subject', 'x', 'y', 'z'; missing: z"):
        read_corrections(tmp_path / "c.csv")
