import json
from dataclasses import replace

import pytest

from monai_cardiac_gan.anomaly import AnswerKind
from monai_cardiac_gan.reporting.subject_results import FORMAT, GrowthResult, read_results, write_results

GROWTH = (GrowthResult(15.0, 20.0, 21.0, 0.5, -0.2, 1.2, "2024-01-10"),)


@pytest.mark.parametrize("kind", [AnswerKind.EXPECTED, AnswerKind.WIDER, AnswerKind.CANNOT_TELL])
def test_what_is_written_is_read_as_it_was(make_subject, tmp_path, kind):
    results = replace(make_subject(kind, "ann"), growth=GROWTH, growth_rule="by the arch")
    path = write_results(tmp_path / "results.json", results)
    assert read_results(path) == results
    assert json.loads(path.read_text())["format"] == FORMAT
    again = write_results(tmp_path / "again.json", read_results(path))
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is damaged, no JSON in UTF-8 .*: report it again"),
        ("[]", "format is 'list': expected results of a subject, format 1"),
        ('{"format": 2}', "format is 2: expected results of a subject, format 1; report it again"),
        ('{"format": 1}', "holds no results of a subject .*: report it again"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        read_results(path)


@pytest.mark.parametrize(
    ("field", "value"), [("levels", [1]), ("subject", ["ann"]), ("answer", {"kind": "as expected"}), ("pictures", 3)]
)
def test_damaged_results_are_refused(make_subject, tmp_path, field, value):
    path = write_results(tmp_path / "results.json", make_subject(AnswerKind.EXPECTED, "ann"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    with pytest.raises(ValueError, match="holds no results of a subject"):
        read_results(path)
