import numpy as np
import pytest

from monai_cardiac_gan.transforms import person_from_dicom

VOLUME = np.zeros((4, 4, 2), dtype=np.uint16)


def said(**values):
    def change(dataset, _):
        for name, value in values.items():
            setattr(dataset, name, value)

    return change


WHOLE = {
    "PatientSex": "F",
    "PatientAge": "054Y",
    "PatientSize": "1.72",
    "PatientWeight": "70.5",
    "StudyDate": "20240309",
}


def test_a_header_says_who_was_scanned_in_the_units_of_a_list(tmp_path, write_series):
    write_series(tmp_path, VOLUME, change=said(**WHOLE))
    assert person_from_dicom(tmp_path) == {
        "sex": "female",
        "age": 54.0,
        "height": 172.0,
        "weight": 70.5,
        "date": "2024-03-09",
    }


@pytest.mark.parametrize(("text", "years"), [("018M", 1.5), ("026W", 26 * 7 / 365.25), ("100D", 100 / 365.25)])
def test_an_age_may_be_given_in_months_weeks_or_days(tmp_path, write_series, text, years):
    write_series(tmp_path, VOLUME, change=said(PatientAge=text))
    assert person_from_dicom(tmp_path)["age"] == pytest.approx(years)


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("PatientSex", "O", "sex"),
        ("PatientAge", "054", "age"),
        ("PatientSize", "0", "height"),
        ("PatientSize", "172", "height"),
        ("PatientWeight", "0", "weight"),
        ("StudyDate", "19000101", "date"),
    ],
)
def test_what_no_person_is_is_left_out_without_showing_it(tmp_path, write_series, caplog, name, value, field):
    write_series(tmp_path, VOLUME, change=said(**{**WHOLE, name: value}))
    caplog.clear()
    caplog.set_level("INFO")
    found = person_from_dicom(tmp_path)
    assert field not in found
    assert len(found) == 4
    assert caplog.messages == [f"{tmp_path}: the header's {field} is not used"]


def test_where_there_is_no_dicom_image_nothing_is_known(tmp_path):
    assert person_from_dicom(tmp_path) == {}
    (tmp_path / "heart.nii.gz").write_bytes(b"no image")
    assert person_from_dicom(tmp_path / "heart.nii.gz") == {}
