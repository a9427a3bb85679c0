"""The slices and the curve of a subject's page as a person uses them, in headless Chromium."""

import json
from itertools import pairwise

import numpy as np
import pytest
from matplotlib import colormaps

from monai_cardiac_gan.data import read_corrections
from monai_cardiac_gan.reporting import write_subject_page
from monai_cardiac_gan.reporting.subject_results import AnswerKind

DESK, TELEPHONE = 1280, 390
ZOOMED, SIZE, HOLE_MIDDLE = 64, 80, 40.5
"""Side of what is shown, of the pictures, and middle of what was hidden; pixels of 1 mm."""


def place(page):
    """Slice and height that the page says it shows."""
    return page.locator("#slice-text").inner_text().split(";")[0]


def pixel(page, kind, x, y):
    """Colour at a place of a picture, as fractions of its side."""
    return page.evaluate(
        """([kind, x, y]) => {
            const canvas = document.getElementById(`picture-${kind}`);
            const context = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
            context.drawImage(canvas, -Math.floor(x * canvas.width), -Math.floor(y * canvas.height));
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }""",
        [kind, x, y],
    )


def set_range(page, name, value):
    page.evaluate(
        """([name, value]) => {
            const range = document.getElementById(name);
            range.value = value;
            range.dispatchEvent(new Event("input"));
        }""",
        [name, value],
    )


def windowed(value, window, level):
    return 255 * ((value - level) / window + 0.5)


def test_it_opens_where_most_differs_and_the_slider_moves(show, wide_page):
    page = show(wide_page)
    assert place(page) == "slice 95 (as in the file), 110.0 mm from the top"
    marker = page.locator("svg.wide .marker")
    before = marker.get_attribute("transform")
    page.focus("#slice")
    page.keyboard.press("ArrowRight")
    assert place(page) == "slice 94 (as in the file), 112.0 mm from the top"
    assert marker.get_attribute("transform") != before
    assert "29.3 mm, expected 21.2, z +6.3" in page.locator("#slice-text").inner_text()
    assert page.locator("tr[aria-current]").get_attribute("data-mm") == "110.0"
    set_range(page, "slice", 0)
    assert place(page) == "slice 155 (as in the file), -10.0 mm from the top"
    assert "nothing painted here" in page.locator("#slice-text").inner_text()


def test_keys_step_and_switch(show, wide_page):
    page = show(wide_page)
    page.keyboard.press("ArrowLeft")
    assert place(page).startswith("slice 96")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert place(page).startswith("slice 94")
    page.focus(".viewer")
    for key, start in (("ArrowUp", 95), ("Home", 155), ("ArrowUp", 155), ("End", 60), ("ArrowDown", 60)):
        page.keyboard.press(key)
        assert place(page).startswith(f"slice {start} ")
    for key, box in (("c", "circle"), ("h", "hole"), ("Z", "whole")):
        before = page.is_checked(f"#{box}")
        page.keyboard.press(key)
        assert page.is_checked(f"#{box}") != before
    page.focus("#window")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("c")
    assert (page.locator("#window").input_value(), page.is_checked("#circle")) == ("257", True)
    assert place(page).startswith("slice 60 ")
    page.keyboard.press("r")
    assert [page.is_checked(f"#{box}") for box in ("circle", "hole", "whole")] == [True, True, False]


def test_keys_leave_alone_who_types(show, wide_page):
    page = show(wide_page)
    page.focus("#lines")
    page.keyboard.type("bcz")
    assert page.locator("#lines").input_value().startswith("bcz")
    assert page.is_checked("#circle")
    assert page.locator("#view-blend").get_attribute("aria-pressed") == "false"


def test_window_and_level_change_the_pixels_as_they_should(show, wide_page):
    """Tissue is 60 and the vessel 200."""
    page = show(wide_page)
    for name in ("circle", "hole"):
        page.uncheck(f"#{name}")
    for window, level in ((256, 128), (256, 60), (400, 100)):
        set_range(page, "window", window)
        set_range(page, "level", level)
        assert pixel(page, "acquired", 0.8, 0.25) == pytest.approx([windowed(60, window, level)] * 3, abs=1)
        assert pixel(page, "acquired", 0.5, 0.4) == pytest.approx([min(255, windowed(200, window, level))] * 3, abs=1)


def test_a_drag_changes_window_and_level(show, wide_page):
    page = show(wide_page)
    page.locator("#picture-expected").scroll_into_view_if_needed()
    box = page.locator("#picture-expected").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y - 20, steps=4)
    page.mouse.up()
    assert (page.locator("#window").input_value(), page.locator("#level").input_value()) == ("296", "108")
    assert page.locator("#lines").input_value().count("\n") == 1


def test_the_blend_lies_between_both(show, wide_page):
    """13 mm beside the middle the acquired vessel is still there, and the expected one has ended."""
    page = show(wide_page)
    page.uncheck("#circle")
    beside = 0.5 + 13 / ZOOMED
    assert pixel(page, "acquired", beside, 0.5) == pytest.approx([windowed(200, 256, 128)] * 3, abs=2)
    assert pixel(page, "expected", beside, 0.5) == pytest.approx([windowed(60, 256, 128)] * 3, abs=2)
    page.keyboard.press("b")
    assert page.locator("#picture-acquired").is_hidden()
    for share in (0, 25, 100):
        set_range(page, "share", share)
        mixed = 200 + share / 100 * (60 - 200)
        assert pixel(page, "blend", beside, 0.5) == pytest.approx([windowed(mixed, 256, 128)] * 3, abs=2)


def test_the_difference_has_the_colours_of_its_bar(show, wide_page):
    page = show(wide_page)
    page.uncheck("#circle")
    ends = [page.locator(f"#bar-{end}").inner_text() for end in ("low", "high")]
    assert ends == ["\N{MINUS SIGN}140", "+140"]  # vessel on tissue
    colours = colormaps["berlin"](np.linspace(0, 1, 256), bytes=True)[:, :3]
    assert pixel(page, "difference", 0.5 + 13 / ZOOMED, 0.5) == pytest.approx(colours[255].tolist(), abs=2)
    assert pixel(page, "difference", 0.8, 0.25) == pytest.approx(colours[128].tolist(), abs=2)
    set_range(page, "slice", 0)
    assert pixel(page, "difference", 0.5 + 13 / ZOOMED, 0.5) == pytest.approx(colours[128].tolist(), abs=2)


@pytest.fixture(scope="module")
def unusual_page(make_subject, tmp_path_factory):
    return write_subject_page(make_subject(AnswerKind.UNUSUAL), tmp_path_factory.mktemp("unusual"))


def test_the_anomaly_map_is_shown_first_and_can_be_left(show, unusual_page):
    page = show(unusual_page)
    page.uncheck("#circle")
    ends = [page.locator(f"#bar-{end}") for end in ("low", "high", "unit")]
    assert [each.inner_text() for each in ends[:2]] == ["\N{MINUS SIGN}6", "+6"]
    assert "in spreads of what may be expected" in ends[2].inner_text()
    colours = colormaps["berlin"](np.linspace(0, 1, 256), bytes=True)[:, :3].tolist()
    assert pixel(page, "difference", 0.5, 0.5) == pytest.approx(colours[64], abs=2)  # a quarter of the way from -6 to 6
    assert pixel(page, "difference", 0.75, 0.5) == pytest.approx(colours[128], abs=2)
    page.click("#map-grey")
    assert page.locator("#map-grey").get_attribute("aria-pressed") == "true"
    assert ends[0].inner_text() != "\N{MINUS SIGN}6"
    assert ends[2].inner_text() == "difference in grey values of 0 to 255"
    assert pixel(page, "difference", 0.5, 0.5) == pytest.approx(colours[128], abs=2)
    page.keyboard.press("m")
    assert pixel(page, "difference", 0.5, 0.5) == pytest.approx(colours[64], abs=2)


def test_without_anomaly_maps_grey_values_are_shown(show, wide_page):
    page = show(wide_page)
    assert page.locator("#map-spreads").count() == 0
    page.keyboard.press("m")
    assert page.locator("#bar-unit").inner_text() == "difference in grey values of 0 to 255"


def test_the_verdict_stands_first_and_leads_to_what_stands_out(show, unusual_page):
    page = show(unusual_page)
    text = page.locator(".answer").inner_text()
    assert text.startswith("Alarm: more unusual than all 60 known normal people (p = 0.016)")
    page.click("text=unusual, 85")
    assert "105" in page.locator("#slice-text").inner_text() or "104" in page.locator("#slice-text").inner_text()
    assert "stands out by the dark parts in the lumen" in page.locator("#slice-text").inner_text()


def test_circle_and_hole_are_drawn_where_they_lie(show, wide_page):
    page = show(wide_page)
    radius = page.evaluate("JSON.parse(document.getElementById('viewer-data').textContent).slices[60].radius")
    left = HOLE_MIDDLE - ZOOMED / 2
    on_circle = ((SIZE // 2 + radius + 0.5 - left) / ZOOMED, (SIZE // 2 + 0.5 - left) / ZOOMED)
    red, green, blue = pixel(page, "expected", *on_circle)
    assert red > 200 > green > 100 > blue  # amber
    page.uncheck("#circle")
    grey = pixel(page, "expected", *on_circle)
    assert max(grey) - min(grey) <= 1
    on_edge = (HOLE_MIDDLE + 24.5 - left) / ZOOMED
    column = [pixel(page, "acquired", on_edge, 0.3 + share / 100) for share in range(8)]
    assert any(blue > red + 60 for red, _, blue in column)  # dashed
    page.uncheck("#hole")
    column = [pixel(page, "acquired", on_edge, 0.3 + share / 100) for share in range(8)]
    assert all(blue == red for red, _, blue in column)


def test_a_click_in_the_curve_goes_to_that_level(show, wide_page):
    for width, name in ((DESK, "wide"), (TELEPHONE, "narrow")):
        page = show(wide_page, width)
        curve = page.locator(f"svg.{name}")
        box, view = curve.bounding_box(), [float(number) for number in curve.get_attribute("viewBox").split()]
        left, right, first, last = (
            float(curve.get_attribute(f"data-{each}")) for each in ("left", "right", "first-mm", "last-mm")
        )
        x = (left + (50.0 - first) / (last - first) * (right - left)) / view[2] * box["width"]
        curve.click(position={"x": x, "y": box["height"] / 3})
        assert place(page).endswith("50.0 mm from the top")
        assert page.locator(f"svg.{'narrow' if name == 'wide' else 'wide'}").is_hidden()


def test_buttons_of_stretches_and_levels_go_there(show, wide_page):
    page = show(wide_page)
    page.click("tbody button[data-to-mm='40.0']")
    assert place(page).endswith("40.0 mm from the top")
    page.keyboard.press("ArrowDown")
    assert place(page).endswith("42.0 mm from the top")
    page.click(".jumps button")
    assert place(page).endswith("104.0 mm from the top")


def test_clicks_into_the_overview_write_one_line_that_corrections_read(show, wide_page, tmp_path):
    page = show(wide_page)
    overview = page.locator("img.overview")
    overview.click(position={"x": 100, "y": 50})
    overview.click(position={"x": 300, "y": 30})
    overview.click(position={"x": 300, "y": 200})
    lines = page.locator("#lines").input_value()
    assert lines == "subject,x,y,z,image,bottom,top\nann,20.0,60.0,90.0,/data/ann.nii.gz,-70.0,100.0\n"
    (tmp_path / "c.csv").write_text(lines, encoding="utf-8")
    (row,) = read_corrections(tmp_path / "c.csv")
    assert (row["x"], row["y"], row["z"], row["bottom"], row["top"]) == ("20.0", "60.0", "90.0", "-70.0", "100.0")


def test_a_click_into_the_acquired_picture_marks_the_vessel_once_that_is_switched_on(show, wide_page):
    page = show(wide_page)
    canvas, lines = page.locator("#picture-acquired"), page.locator("#lines")
    middle = canvas.bounding_box()["width"] / 2
    canvas.click(position={"x": middle, "y": middle})
    assert lines.input_value().count("\n") == 1
    page.click("#mark")
    canvas.click(position={"x": middle, "y": middle})
    # the middle of what was hidden is pixel 40, where the vessel's centre lies, 110 mm below the top
    assert lines.input_value().splitlines()[1] == "ann,-12.0,8.0,-10.0,/data/ann.nii.gz,,"
    page.keyboard.press("z")
    canvas.click(position={"x": middle * 1.5, "y": middle / 2})
    # the whole picture: column 60 less half a pixel, row 20 less half a pixel
    assert lines.input_value().splitlines()[1] == "ann,-31.5,28.5,-10.0,/data/ann.nii.gz,,"
    page.keyboard.press("z")
    page.locator("img.overview").click(position={"x": 300, "y": 30})
    assert lines.input_value().splitlines()[1:] == ["ann,-31.5,28.5,-10.0,/data/ann.nii.gz,,100.0"]


def test_the_corrections_are_saved_as_a_file(show, wide_page):
    page = show(wide_page)
    page.locator("img.overview").click(position={"x": 100, "y": 50})
    with page.expect_download() as saved:
        page.click("#save-lines")
    assert saved.value.suggested_filename == "corrections.csv"
    assert saved.value.path().read_text(encoding="utf-8") == page.locator("#lines").input_value()


def test_pages_without_pictures_have_no_viewer_and_no_complaint(show, make_subject, tmp_path):
    page = show(write_subject_page(make_subject(AnswerKind.CANNOT_TELL), tmp_path))
    assert page.locator("canvas").count() == 0
    assert page.locator("svg.wide").count() == 0
    page.keyboard.press("ArrowRight")
    assert "cannot tell" in page.locator("#headline").inner_text()


def test_pictures_carry_name_slice_and_height(show, wide_page):
    """What is written on a picture can not be read back: the calls that write it are recorded."""
    page = show(wide_page)
    page.evaluate(
        """() => {
            window.written = [];
            const write = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
                window.written.push([this.canvas.id, text]);
                return write.call(this, text, ...place);
            };
        }"""
    )
    page.keyboard.press("ArrowRight")
    written = json.loads(page.evaluate("JSON.stringify(window.written)"))
    for kind in ("acquired", "expected", "difference"):
        texts = [text for canvas, text in written if canvas == f"picture-{kind}"]
        assert sorted(texts) == sorted(["R", "L", "A", "P", "20 mm", "ann", "slice 94", "112.0 mm", kind])


def test_the_scale_bar_is_as_long_as_it_says(show, wide_page):
    """White pixels in its row: 20 of the 64 mm that are shown."""
    page = show(wide_page)
    row = [min(pixel(page, "difference", share / 400, 0.96)) for share in range(1, 150)]
    changes = [place for place, (one, next_) in enumerate(pairwise(value > 200 for value in row)) if one != next_]
    assert (changes[1] - changes[0]) / 400 == pytest.approx(20 / ZOOMED, abs=0.01)
