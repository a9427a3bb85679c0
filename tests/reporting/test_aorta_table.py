import csv
from dataclasses import replace

import pytest
from fake_examiner import results_of

from monai_cardiac_gan.anomaly import NormalRange
from monai_cardiac_gan.reporting.aorta_table import COLUMNS, write_aorta_table
from monai_cardiac_gan.reporting.subject_results import LevelResult


@pytest.fixture
def level():
    normals = (
        NormalRange("male", 20.6, 15.0, 26.2, "Davis 2014"),
        NormalRange("female", 18.9, 14.9, 22.9, "Davis 2014"),
    )
    middle = results_of({"image": "a.nii"}, {"diameter": 30.0}).levels[1]
    return replace(middle, normals=normals, low_mm=19.456, high_mm=24.5, own_mm=22.3333)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_level_is_a_row_with_units_rounded_to_a_hundredth(tmp_path, level):
    (row,) = rows_of(write_aorta_table(tmp_path / "aorta.csv", [level]))
    assert row == {
        "mm_from_top": "10.0",
        "slice": "89",
        "name": "mid-thoracic",
        "x_mm": "-10.12",
        "y_mm": "20.0",
        "z_mm": "89.0",
        "inscribed_mm": "30.0",
        "area_equivalent_mm": "30.0",
        "area_mm2": "380.0",
        "eccentricity": "0.1",
        "expected_mm": "22.0",
        "low_mm": "19.46",
        "high_mm": "24.5",
        "z": "6.15",
        "painted_mm": "",
        "own_mm": "22.33",
        "displacement_mm": "",
        "anomaly": "",
        "stands_out": "",
        "sign": "",
        "confidence": "0.9",
        "is_compared": "yes",
        "reason": "",
        "normal_male_mean_mm": "20.6",
        "normal_male_low_mm": "15.0",
        "normal_male_high_mm": "26.2",
        "normal_female_mean_mm": "18.9",
        "normal_female_low_mm": "14.9",
        "normal_female_high_mm": "22.9",
        "normal_source": "Davis 2014",
    }
    assert list(row) == list(COLUMNS)


def test_every_field_of_a_level_has_its_column():
    assert {*LevelResult.__dataclass_fields__} - {"centre_mm", "normals"} <= {*COLUMNS}


def test_a_level_that_is_not_compared_says_why_and_the_normals_of_one_sex_fill_its_columns(tmp_path, level):
    other = replace(level, is_compared=False, reason="no descending aorta", z=None, normals=level.normals[1:])
    (row,) = rows_of(write_aorta_table(tmp_path / "aorta.csv", [other]))
    assert (row["is_compared"], row["reason"], row["z"]) == ("no", "no descending aorta", "")
    assert (row["normal_male_mean_mm"], row["normal_female_mean_mm"]) == ("", "18.9")


def test_no_levels_are_a_header(tmp_path):
    assert write_aorta_table(tmp_path / "aorta.csv", []).read_text() == ",".join(COLUMNS) + "\n"
