import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.data.table import read_table, write_table

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00", exclude_categories=("Cs",)), max_size=8)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=4), separator=st.sampled_from(",;\t"), mark=st.booleans())
@settings(deadline=None, max_examples=60)
def test_what_a_spreadsheet_writes_is_read(tmp_path_factory, rows, separator, mark):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerows([("subject", "x"), *rows])
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    path.write_text(text.getvalue(), encoding="utf-8-sig" if mark else "utf-8", newline="")
    expected = [{"subject": a.strip(), "x": b.strip()} for a, b in rows]
    assert read_table(path, ["subject"]) == expected


def test_a_missing_column_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("subject;x;z\nann;1;2\n")
    with pytest.raises(ValueError, match=r"has the columns \['subject', 'x', 'z'\], .* 'subject', 'y'; missing: y\."):
        read_table(tmp_path / "t.csv", ["subject", "y"])


def test_another_encoding_is_told(tmp_path):
    (tmp_path / "t.csv").write_bytes("subject,x\nMüller,1\n".encode("latin-1"))
    with pytest.raises(ValueError, match="byte 11 is not UTF-8; save the table as 'CSV UTF-8'"):
        read_table(tmp_path / "t.csv", ["subject"])


def test_an_empty_file_has_no_columns(tmp_path):
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(ValueError, match=r"has the columns \[\]"):
        read_table(tmp_path / "t.csv", ["subject"])


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-Ann", "'-Ann"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("a=b", "a=b"),
        (-0.125, "-0.12"),
        (-0.001, "0.0"),
        (float("nan"), ""),
        (float("inf"), ""),
        (None, ""),
        (7, "7"),
        (True, "yes"),
        (False, "no"),
        ('Ann "A", b', 'Ann "A", b'),
    ],
)
def test_a_cell_is_data_whatever_stands_in_it(tmp_path, value, cell):
    path = write_table(tmp_path / "a.csv", ["name", "value"], [{"name": "x", "value": value}, {"name": "y"}])
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == [{"name": "x", "value": cell}, {"name": "y", "value": ""}]


def test_a_column_that_is_not_named_is_refused(tmp_path):
    with pytest.raises(ValueError, match="fields not in fieldnames: 'other'"):
        write_table(tmp_path / "a.csv", ["name"], [{"other": 1}])
