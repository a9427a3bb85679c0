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


def test_contradictory_rows_are_refused_and_repeated_ones_are_not():
    rows = [{"subject": "bob", "x": str(x), "y": "0", "z": "0"} for x in (1, 2)]
    assert corrected(RECORDS, [rows[0], rows[0]])[2]["correction"] == [1, 0, 0]
    with pytest.raises(
        ValueError,
        match=r"two corrections of 'bob' \(/data/b\.nii\): \[1\.0, 0\.0, 0\.0\] and \[2\.0, 0\.0, 0\.0\]; expected one",
    ):
        corrected(RECORDS, rows)
    with pytest.raises(
        ValueError, match=r"two corrections of 'bob' .*: \[1\.0, 0\.0, 0\.0\] and to exclude it; expected one"
    ):
        corrected(RECORDS, [rows[0], {"subject": "bob", "x": "", "y": "", "z": ""}])


VISITS = [{"subject": "ann", "image": f"/data/visit{number}/heart.nii"} for number in (1, 2, 11)]


def test_files_of_one_name_are_told_apart_by_their_folders():
    row = {"subject": "ann", "x": "1", "y": "2", "z": "3", "image": "visit1/heart.nii"}
    one, two, eleven = corrected(VISITS, [row])
    assert one["correction"] == [1, 2, 3]
    assert "correction" not in two
    assert "correction" not in eleven
    full = corrected(VISITS, [row | {"image": "/data/visit2/heart.nii"}])
    assert ["correction" in record for record in full] == [False, True, False]


def test_a_point_for_a_shared_file_name_is_a_hint_to_all_and_an_exclusion_is_refused(caplog):
    row = {"subject": "ann", "x": "1", "y": "2", "z": "3", "image": "heart.nii"}
    assert [record.get("hint") for record in corrected(VISITS, [row])] == [[1, 2, 3]] * 3
    assert (
        "the correction of 'ann' (heart.nii) is a hint to all of /data/visit1/heart.nii, /data/visit2/heart.nii"
        in caplog.text
    )
    with pytest.raises(
        ValueError, match=r"of 'ann' fits 3 volumes \(/data/visit1.*\), expected one; .* with folders where files"
    ):
        corrected(VISITS, [row | {"x": "", "y": "", "z": ""}])


def test_images_may_be_shown_under_other_names():
    rows = [{"subject": "ann", "x": "1", "y": "2", "z": "3", "image": "k2"}]
    assert corrected(RECORDS, rows, ["k1", "k2", "k3"])[1]["correction"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"subject": "eve", "x": "1", "y": "2", "z": "3"},
            r"of 'eve' fits 0 volumes \(none\), expected one; the subjects are ann, bob",
        ),
        (
            {"subject": "ann", "x": "1", "y": "2", "z": "3"},
            r"of 'ann' fits 2 volumes \(/data/a1\.nii, /data/a2\.nii\), expected one",
        ),
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


def test_ends_go_to_their_volume_with_a_point_or_without(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("subject,x,y,z,image,bottom,top\nbob,,,,,-40.5,\nann,1,2,3,a2.nii,,120\nann,,,,a1.nii,,\n")
    one, two, three = corrected(RECORDS, read_corrections(path))
    assert "ends" not in one
    assert one["error"].endswith("excluded by a correction.")
    assert (two["correction"], two["ends"]) == ([1, 2, 3], [None, 120])
    assert three["ends"] == [-40.5, None]
    assert not {"error", "correction"} & set(three)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"bottom": "low", "top": ""}],
            r"ends of 'bob' are \['low', None\]: expected heights \(mm\) in 'bottom' and 'top'",
        ),
        ([{"bottom": "20", "top": "10"}], "ends of 'bob' are 20 and 10 mm: expected a 'bottom' below the 'top'"),
        (
            [{"bottom": "", "top": "9"}, {"bottom": "", "top": "8"}],
            r"two corrections of the ends of 'bob' .*remove the other",
        ),
    ],
)
def test_ends_that_are_no_heights_or_contradict_each_other_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        corrected(RECORDS, [{"subject": "bob", "x": "", "y": "", "z": ""} | row for row in rows])


def test_a_correction_finds_a_name_in_either_form_of_its_letters():
    records = [{"subject": "M\u00fcller", "image": "a.nii"}]
    rows = [{"subject": "Mu\u0308ller", "x": "1", "y": "2", "z": "3"}]
    assert corrected(records, rows)[0]["correction"] == [1, 2, 3]
