import json
import re

import pytest

from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.data.person import checked_person

GIVEN = {"sex": "f", "age": "54", "height": "172", "weight": "70.5", "date": "2024-03-09"}
READ = {"sex": "female", "age": 54.0, "height": 172.0, "weight": 70.5, "date": "2024-03-09"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["csv", "tsv", "json"])
def test_every_kind_of_list_says_who_was_scanned(tmp_path, ending, separator):
    path = tmp_path / f"list.{ending}"
    row = {"image": "a.nii", **GIVEN}
    if ending == "json":
        path.write_text(json.dumps({"training": [row, {"image": "b.nii", "age": 54, "height": None}]}))
    else:
        empty = dict.fromkeys(GIVEN, "") | {"age": "54"}
        rows = [row, row, {"image": "b.nii", **empty}][1:]
        path.write_text("\n".join(separator.join(line) for line in (row, *(each.values() for each in rows))) + "\n")
    first, second = read_datalist(path)
    assert first == {"image": str(tmp_path / "a.nii"), "subject": "a", **READ}
    assert second == {"image": str(tmp_path / "b.nii"), "subject": "b", "age": 54.0}


@pytest.mark.parametrize(
    ("word", "sex"),
    [("m", "male"), ("M", "male"), ("Male", "male"), ("f", "female"), (" F ", "female"), ("FEMALE", "female")],
)
def test_a_sex_is_one_of_two_words_however_it_is_written(word, sex):
    assert checked_person("here", {"sex": word}) == {"sex": sex}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sex", "x", "has the sex 'x', expected one of m, male, f, female; leave it empty where it is not known"),
        ("sex", "0", "has the sex '0'"),
        ("age", "-1", "has the age '-1', expected a number from 0 to 120 years"),
        ("age", "1962", "has the age '1962', expected a number from 0 to 120"),
        ("age", "old", "has the age 'old'"),
        ("age", "nan", "has the age 'nan'"),
        ("height", "1.72", r"has the height '1.72', which seems to be in metres; give centimetres \(172\)"),
        ("height", "1720", "has the height '1720', expected a number from 40 to 250 cm"),
        ("weight", "70500", "has the weight '70500', expected a number from 1 to 400 kg"),
        ("weight", "0", "has the weight '0'"),
        ("date", "9.3.2024", "has the date '9.3.2024', expected year, month and day as 2026-11-27"),
        ("date", "2024-13-09", "has the date '2024-13-09', expected year"),
        ("date", "2999-01-01", "has the date '2999-01-01', expected the day of the scan, between 1977-01-01 and today"),
        ("date", "1912-01-01", "has the date '1912-01-01', expected the day of the scan"),
    ],
)
def test_what_no_person_is_names_its_row_and_does_not_stop_the_others(tmp_path, field, value, message):
    (tmp_path / "list.csv").write_text(f"image,{field}\na.nii,{value}\nb.nii,\n")
    bad, good = read_datalist(tmp_path / "list.csv")
    assert re.search(f"list.csv, entry 2: {message}", bad["error"])
    assert good == {"image": str(tmp_path / "b.nii"), "subject": "b"}
