import html
import json
import re
from dataclasses import replace

import pytest

from monai_cardiac_gan.reporting import write_subject_page
from monai_cardiac_gan.reporting.subject_results import AnswerKind, GrowthResult, read_results, write_results

DASH = "\N{EN DASH}"
AWKWARD = """</script><script>alert(1)</script> "Jane" 'O' & <b>"""


def text_of(page):
    """What a reader sees, more or less: no scripts, styles or tags."""
    text = re.sub(r"<(script|style).*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


@pytest.mark.parametrize("kind", [AnswerKind.EXPECTED, AnswerKind.WIDER, AnswerKind.CANNOT_TELL])
def test_the_page_can_be_made_again_from_the_file_alone(make_subject, tmp_path, kind):
    subject = make_subject(kind)
    first = write_subject_page(subject, tmp_path / "first")
    written = read_results(write_results(tmp_path / "results.json", subject))
    second = write_subject_page(written, tmp_path / "second")
    assert first.read_text(encoding="utf-8") == second.read_text(encoding="utf-8")
    assert subject.answer.headline in text_of(first)
    assert "not for diagnosis" in text_of(first)


def test_numbers_stand_where_they_belong(make_subject, tmp_path):
    text = text_of(write_subject_page(make_subject(AnswerKind.WIDER), tmp_path))
    assert f"largest diameter 29.4 mm 100 mm from the top, expected 21.5 (19.4{DASH}23.6)" in text
    assert "levels compared 16 of 18" in text
    assert "image quality 3.4 of 4" in text
    assert f"110.0 95 mid-thoracic 29.3 21.2 19.1{DASH}23.4 +6.3 ▲ wider than expected" in text
    assert "no: belongs to the arch" in text
    assert "edge width (mm) 2.40" in text
    assert "generator.pt abab" in text
    assert "healthy men, mean ± 2 SD" in text


def test_cannot_tell_has_no_empty_curve_slices_or_tables(make_subject, tmp_path):
    write_subject_page(make_subject(AnswerKind.WIDER), tmp_path)
    page = write_subject_page(make_subject(AnswerKind.CANNOT_TELL), tmp_path)
    text = text_of(page)
    assert "? cannot tell, because no vessel was found" in text
    for missing in ("Diameter along the vessel", "Slices along", "Levels", "Corrections", "Files", "None"):
        assert missing not in text
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]  # the earlier curve is gone


def test_levels_without_expectation_still_have_a_curve(make_subject, tmp_path):
    subject = make_subject(AnswerKind.EXPECTED)
    plain = tuple(
        replace(
            level, is_compared=False, reason="search unsure", expected_mm=None, low_mm=None, high_mm=None, z=None,
            painted_mm=None, own_mm=None, displacement_mm=None, normals=(),
        )
        for level in subject.levels
    )  # fmt: skip
    text = text_of(write_subject_page(replace(subject, levels=plain), tmp_path))
    assert "Diameter along the vessel" in text
    assert "expected, with its interval" not in text
    assert "healthy men" not in text
    assert "farthest from expected" not in text
    assert "painted" not in text.lower().replace("nothing painted", "")


def test_an_overview_is_shown_where_no_slices_were_cut(make_subject, tmp_path):
    subject = make_subject(AnswerKind.EXPECTED)
    pictures = replace(subject.pictures, slices=(), size=0, acquired="", expected="")
    text = text_of(write_subject_page(replace(subject, pictures=pictures), tmp_path))
    assert "Is it the right vessel?" in text
    assert "Slices along the vessel" not in text


def test_why_there_is_no_growth_is_said_where_it_would_stand(make_subject, tmp_path):
    reason = "no growth is given since the scan of 2024-01-02: is it the same person?"
    subject = make_subject(AnswerKind.EXPECTED)
    text = text_of(write_subject_page(replace(subject, growth_rule=reason), tmp_path))
    assert f"Growth since an earlier scan {reason}" in " ".join(text.split())
    assert "change mm a year" not in " ".join(text.split())
    assert "Growth since" not in text_of(write_subject_page(subject, tmp_path))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff{}", b'{"format": 1, "pictures": null, "answer": []}'])
def test_damaged_results_are_named(tmp_path, content):
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"results\.json: .*: report it again"):
        read_results(tmp_path / "results.json")


def test_growth_has_its_interval(make_subject, tmp_path):
    growth = (GrowthResult(90.0, 25.0, 28.0, 1.4, -0.3, 2.5, "2024-01-02"),)
    text = text_of(write_subject_page(replace(make_subject(AnswerKind.WIDER), growth=growth), tmp_path))
    assert "90.0 2024-01-02 25.0 28.0 +1.40 -0.30 to +2.50" in text


def test_names_are_escaped_in_text_attributes_and_data(make_subject, tmp_path):
    subject = make_subject(AnswerKind.WIDER, AWKWARD)
    page = write_subject_page(subject, tmp_path).read_text(encoding="utf-8")
    assert "alert(1)</script>" not in page
    assert page.count("</script>") == 2  # data and scripts
    assert "<b>" not in page
    data = json.loads(re.search(r'<script type="application/json" id="viewer-data">(.*?)</script>', page, re.DOTALL)[1])
    assert (data["subject"], data["image"]) == (AWKWARD, f"/data/{AWKWARD}.nii.gz")
    assert html.unescape(re.search(r'data-subject="([^"]*)"', page)[1]) == AWKWARD


def test_links_to_files_hold_names_with_signs(make_subject, tmp_path):
    subject = replace(make_subject(AnswerKind.EXPECTED), files={"expected volume": 'a b#"c.nii.gz'})
    page = write_subject_page(subject, tmp_path).read_text(encoding="utf-8")
    assert 'href="./a%20b%23%22c.nii.gz"' in page


def test_nothing_is_fetched(make_subject, tmp_path):
    page = write_subject_page(make_subject(AnswerKind.WIDER), tmp_path).read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert not re.findall(r'(?:src|href)="(?!data:|\./)[^"]*"', page)
    assert not re.findall(r"@import|url\(", page)


def test_the_colours_of_the_difference_are_matplotlib_s(make_subject, tmp_path):
    page = write_subject_page(make_subject(AnswerKind.WIDER), tmp_path).read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="viewer-data">(.*?)</script>', page, re.DOTALL)[1])
    colours = data["colours"]
    assert len(colours) == 256
    assert max(colours[127]) < 40  # black where nothing differs
    assert colours[0][2] > 2 * min(colours[0][:2]) - 255  # blue end
    assert colours[0][2] > colours[0][0]
    assert colours[-1][0] > colours[-1][2]
    assert data["slices"][data["start"]]["mm"] == 110.0
