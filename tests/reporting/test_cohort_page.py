import html
import re

from monai_cardiac_gan.reporting import CohortRow, write_cohort_page
from monai_cardiac_gan.reporting.subject_results import AnswerKind


def cells(row):
    return [html.unescape(value) for value in re.findall(r'<t[hd][^>]* data-value="([^"]*)"', row)]


def rows_of(page):
    return re.findall(r"<tr data-answer.*?</tr>", page.read_text(encoding="utf-8"), re.DOTALL)


def test_a_row_says_what_its_page_says(make_subject):
    row = CohortRow.from_results(make_subject(AnswerKind.WIDER), "ann")
    assert (row.where, row.folder, row.date, row.grade, row.confidence) == (
        "110 mm, mid-thoracic", "ann", "2026-03-01", 3.4, 0.91,
    )  # fmt: skip
    assert (round(row.z, 1), round(row.largest_mm, 1), round(row.expected_mm, 1)) == (6.3, 29.4, 21.5)
    assert row.thumbnail.startswith("data:image/png;base64,")


def test_rows_link_to_their_pages_in_the_given_order(make_subject, tmp_path):
    names = {"b/1": AnswerKind.WIDER, "a #2": AnswerKind.EXPECTED, "javascript:x": AnswerKind.CANNOT_TELL}
    rows = [CohortRow.from_results(make_subject(kind, name), name) for name, kind in names.items()]
    found = rows_of(write_cohort_page(tmp_path, rows))
    assert [re.search(r'href="([^"]*)"', row)[1] for row in found] == [
        "./b/1/report.html", "./a%20%232/report.html", "./javascript%3Ax/report.html",
    ]  # fmt: skip
    assert [cells(row)[0] for row in found] == list(names)
    assert cells(found[2]) == ["javascript:x", "cannot tell", "", "", "", "", "", "0.0", ""]
    assert [row.count("<img") for row in found] == [1, 1, 0]


def test_failures_are_listed_with_their_reason_and_escaped(make_subject, tmp_path):
    rows = [
        CohortRow.from_failure("<script>x</script>", "/d/'a\".nii", "it is <truncated>"),
        CohortRow.from_results(make_subject(AnswerKind.EXPECTED), "ann"),
    ]
    page = write_cohort_page(tmp_path, rows)
    text = page.read_text(encoding="utf-8")
    assert "1 volumes reported: 1 as expected; 1 failed." in text
    assert "it is &lt;truncated&gt;" in text
    assert "<script>x" not in text
    assert len(rows_of(page)) == 1


def test_the_distributions_count_the_subjects(make_subject, tmp_path):
    rows = [CohortRow.from_results(make_subject(AnswerKind.WIDER, name), name) for name in "abc"]
    text = write_cohort_page(tmp_path, rows).read_text(encoding="utf-8")
    assert "<title>29.0 to 30.0: 3</title>" in text
    assert "<title>6.0 to 6.5: 3</title>" in text
    assert "largest diameter, mm (3 volumes)" in text


def test_an_empty_cohort_has_a_page(tmp_path):
    assert "0 volumes reported; 0 failed." in write_cohort_page(tmp_path, []).read_text(encoding="utf-8")


def test_each_answer_has_its_sign_and_its_style(tmp_path):
    signs = {
        AnswerKind.EXPECTED: "fine ✓",
        AnswerKind.WIDER: "differs ▲",
        AnswerKind.NARROWER: "differs ▼",
        AnswerKind.DISPLACED: "differs ◆",
        AnswerKind.SEVERAL: "differs !",
        AnswerKind.UNUSUAL: "differs !",
        AnswerKind.ABOVE_NORMALS: "differs ▲",
        AnswerKind.CANNOT_TELL: "unsure ?",
    }
    assert set(signs) == {value for name, value in vars(AnswerKind).items() if name.isupper()}
    rows = [CohortRow(kind, f"{kind}.nii", folder=kind, answer=kind, headline=kind) for kind in signs]
    page = write_cohort_page(tmp_path, rows).read_text(encoding="utf-8")
    badges = re.findall(r'class="badge (\w+)"><span aria-hidden="true">(.)</span> ([\w ]+)<', page)
    assert {kind: f"{style} {sign}" for style, sign, kind in badges} == signs
