import json

import pytest
from fake_examiner import FakeExaminer, write_cohort, write_page
from report import FIRST, OTHER, PAGE, WHOLE, measure, summary

from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.reporting import CohortReport


@pytest.fixture
def cohort(tmp_path):
    for folder in ("in", "calls"):
        (tmp_path / folder).mkdir()
    for name in ("ann", "bob"):
        (tmp_path / "in" / f"{name}.nii").write_text(json.dumps({"diameter": 22.0}))
    return lambda: CohortReport(
        read_datalist(tmp_path / "in"),
        str(tmp_path / "out"),
        FakeExaminer(tmp_path / "calls"),
        write_page=write_page,
        write_cohort=write_cohort,
    )


def test_the_stages_of_each_subject_make_up_its_whole(cohort):
    rows = measure(cohort())
    assert len(rows) == 2
    for row in rows:
        assert row[WHOLE] == pytest.approx(row[OTHER] + row[PAGE])


def test_what_is_up_to_date_is_no_measurement(cohort):
    measure(cohort())
    with pytest.raises(ValueError, match="2 of 0 volumes were reported"):
        measure(cohort())


def test_the_summary_has_medians_and_the_first_subject():
    rows = [
        {"load": 1.0, WHOLE: 9.0},
        {"load": 2.0, "search": 3.0, WHOLE: 5.0},
        {"load": 3.0, "search": 5.0, WHOLE: 8.0},
    ]
    found = summary(rows)
    assert found["load"] == {"median": 2.0, "largest": 3.0}
    assert found["search"] == {"median": 3.0, "largest": 5.0}
    assert found[FIRST]["median"] == 9.0
