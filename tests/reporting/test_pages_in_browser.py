"""All pages as a person sees them, in headless Chromium: names, sorting, light and dark, telephones, paper."""

import numpy as np
import pytest

from monai_cardiac_gan.data import read_corrections
from monai_cardiac_gan.reporting import CohortRow, write_cohort_page, write_contact_sheet, write_subject_page
from monai_cardiac_gan.reporting.page import Section, write_page
from monai_cardiac_gan.reporting.subject_results import AnswerKind

AWKWARD = """</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2"> "J" 'O' &amp; $&"""
TELEPHONE = 390


@pytest.fixture(scope="module")
def cohort_page(make_subject, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    names = {"lost": AnswerKind.CANNOT_TELL, "s10": AnswerKind.EXPECTED, "s9": AnswerKind.WIDER}
    rows = [CohortRow.from_results(make_subject(kind, name), name) for name, kind in names.items()]
    return write_cohort_page(folder, [*rows, CohortRow.from_failure("torn", "/data/torn.nii", "cannot be read")])


def test_names_are_text_wherever_they_stand(show, make_subject, tmp_path):
    page = show(write_subject_page(make_subject(AnswerKind.WIDER, AWKWARD), tmp_path))
    assert page.evaluate("window.hacked") is None
    assert page.locator("h1").inner_text() == AWKWARD
    page.locator("img.overview").click(position={"x": 100, "y": 50})
    page.locator("img.overview").click(position={"x": 110, "y": 50})
    (tmp_path / "c.csv").write_text(page.locator("#lines").input_value(), encoding="utf-8")
    (row,) = read_corrections(tmp_path / "c.csv")
    assert (row["subject"], row["x"], row["image"]) == (AWKWARD, "10.0", f"/data/{AWKWARD}.nii.gz")
    rows = [CohortRow.from_results(make_subject(AnswerKind.EXPECTED, AWKWARD), AWKWARD)]
    cohort = show(write_cohort_page(tmp_path, [*rows, CohortRow.from_failure(AWKWARD, AWKWARD, AWKWARD)]))
    assert cohort.evaluate("window.hacked") is None
    assert cohort.locator("table.cohort a").inner_text() == AWKWARD
    assert cohort.locator("table.failures td").all_inner_texts() == [AWKWARD] * 2


def names(page):
    return [text for text in page.locator("#cohort tbody tr:visible th").all_inner_texts() if text]


def test_the_cohort_is_sorted_by_any_heading_and_filtered(show, cohort_page):
    page = show(cohort_page)
    assert names(page) == ["lost", "s10", "s9"]
    heading = page.get_by_role("button", name="farthest z")
    heading.click()
    assert names(page) == ["s10", "s9", "lost"]
    heading.click()
    assert names(page) == ["s9", "s10", "lost"]  # what is not known stays at the end
    assert page.locator("th[aria-sort]").all_inner_texts() == ["farthest z"]
    page.get_by_role("button", name="subject").focus()
    page.keyboard.press("Enter")
    assert names(page) == ["lost", "s9", "s10"]  # numbers in names by their value
    page.select_option("#shown", "as expected")
    assert names(page) == ["s10"]
    page.select_option("#shown", "")
    assert len(names(page)) == 3


def luminance(colour):
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_stand_out_in_light_and_dark(show, wide_page, scheme):
    """WCAG 2.2 asks for a contrast of 4.5."""
    page = show(wide_page, scheme=scheme)
    pairs = page.evaluate(
        """() => [...document.querySelectorAll("h1, .quiet, .notice, .answer h2, .facts dd, td, a, kbd")].map(part => {
            let ground = part;
            while (ground && getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
            return [getComputedStyle(part).color, getComputedStyle(ground).backgroundColor];
        })"""
    )
    grounds = {luminance(ground) > 0.5 for _, ground in pairs}
    assert grounds == {scheme == "light"}
    for pair in {tuple(pair) for pair in pairs}:
        darker, lighter = sorted(luminance(colour) for colour in pair)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, pair


@pytest.mark.parametrize("kind", [AnswerKind.EXPECTED, AnswerKind.WIDER, AnswerKind.CANNOT_TELL])
def test_nothing_is_wider_than_a_telephone(show, make_subject, tmp_path, kind):
    page = show(write_subject_page(make_subject(kind, "a" * 120), tmp_path), TELEPHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE


def test_the_other_pages_fit_a_telephone_too(show, cohort_page, tmp_path):
    sheet, *_ = write_contact_sheet(tmp_path, [])
    report = write_page(tmp_path / "r.html", "report.html.j2", sections=[Section("a", "b", [])])
    for path in (cohort_page, sheet, report):
        assert show(path, TELEPHONE).evaluate("document.documentElement.scrollWidth") <= TELEPHONE


def test_paper_shows_everything_and_no_controls(show, wide_page):
    page = show(wide_page, scheme="dark")
    assert not page.locator("details dl").first.is_visible()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("details dl").first.is_visible()
    for control in ("#slice", "#window", "#lines", "#mark", "kbd >> nth=0"):
        assert page.locator(control).is_hidden()
    for kept in ("tbody th >> nth=0", "#picture-acquired", "svg.wide", "img.overview"):
        assert page.locator(kept).is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_thumbnails_keep_their_shape_on_paper(show, cohort_page):
    page = show(cohort_page, 700)
    page.emulate_media(media="print")
    box = page.locator(".picture img").first.bounding_box()
    assert (box["width"], box["height"]) == (72, 72)


def test_every_control_and_picture_has_a_name(show, wide_page, cohort_page):
    for path in (wide_page, cohort_page):
        page = show(path)
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, textarea, canvas, img, svg:not([aria-hidden])")]
                .filter(part => !(part.ariaLabel || part.alt || part.labels?.length || part.innerText?.trim()))
                .map(part => part.outerHTML.slice(0, 80))"""
        )
        assert nameless == []
