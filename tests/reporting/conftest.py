import base64
import io
import os
import shutil
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from monai_cardiac_gan.anomaly import NormalRange
from monai_cardiac_gan.reporting import write_subject_page
from monai_cardiac_gan.reporting.subject_results import (
    Answer,
    AnswerKind,
    LevelResult,
    Overview,
    Pictures,
    Scan,
    SlicePicture,
    Stretch,
    Subject,
    SubjectResults,
    VerdictResult,
)

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
BROWSER_VARIABLE = "MONAI_CARDIAC_GAN_BROWSER"
"""``required``: tests in the browser fail, where they would be skipped without one."""
SIZE, SLICE_MM, TOP_MM, HOLE = 80, 2.0, 100.0, 49
"""Pixels of 1 mm; height of the top of the vessel in the scanner; the vessel stands in the picture's middle."""
MIDDLE = SIZE // 2
HEIGHTS = [10.0 * number for number in range(18)]
NAMES = ("isthmus", "mid-thoracic", "diaphragm")
STRETCH = Stretch(AnswerKind.WIDER, 85.0, 125.0, 4)
"""Half a step beyond its outer levels, as `anomaly.answer_of` gives them."""


def data_url(image: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def disc(diameter: float) -> np.ndarray:
    """A vessel of 200 on 60."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    inside = np.hypot(rows - MIDDLE, columns - MIDDLE) < diameter / 2
    return np.where(inside, 200, 60).astype(np.uint8)


def diameter_at(mm: float, is_wide: bool) -> float:
    bump = 9.0 * np.exp(-(((mm - 105) / 15) ** 2)) if is_wide else 0.0
    return 24.0 - mm / 40 + bump


def level(mm: float, is_wide: bool) -> LevelResult:
    is_compared = mm >= 20
    expected = 24.0 - mm / 40
    acquired = float(diameter_at(mm, is_wide) + 0.4 * np.sin(mm))
    known = {
        "expected_mm": expected, "low_mm": expected - 2.1, "high_mm": expected + 2.1, "z": (acquired - expected) / 1.28,
        "painted_mm": expected + 0.5, "own_mm": expected - 0.3, "displacement_mm": 1.2,
    }  # fmt: skip
    return LevelResult(
        mm, int(150 - mm / SLICE_MM), NAMES[min(2, int(mm // 60))], (-12.0, 8.0, TOP_MM - mm), acquired - 0.6, acquired,
        np.pi / 4 * acquired**2, 0.21, 0.93, is_compared, None if is_compared else "belongs to the arch",
        **(known if is_compared else {}),
        normals=(
            NormalRange("female", 18.9 - mm / 50, 14.9 - mm / 50, 22.9 - mm / 50, "Davis et al. 2014"),
            NormalRange("male", 20.6 - mm / 50, 15.0 - mm / 50, 26.2 - mm / 50, "Davis et al. 2014"),
        ),
    )  # fmt: skip


def picture(mm: float, radius: float) -> SlicePicture:
    hole = (MIDDLE - HOLE // 2, MIDDLE - HOLE // 2, HOLE, HOLE) if 20 <= mm <= 170 else None
    origin = (-12.0 + MIDDLE, 8.0 + MIDDLE, TOP_MM - mm)
    return SlicePicture(
        int(150 - mm / SLICE_MM), mm, origin, (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (float(MIDDLE),) * 2, radius, hole
    )


def pictures(is_wide: bool) -> Pictures:
    heights = np.arange(-10.0, 182.0, SLICE_MM)
    widths = [diameter_at(mm, is_wide) for mm in heights]
    acquired = np.concatenate([disc(width) for width in widths])
    expected = np.concatenate([disc(24.0 - mm / 40) for mm in heights])
    axial = {"left": 0, "origin": [120.0, 110.0, 90.0], "right": [-1.0, 0, 0], "down": [0, -1.0, 0], "middle": None}
    view = {"left": 244, "origin": [0.0, 0.0, 130.0], "right": [0, 0, 0], "down": [0, 0, -1.0], "middle": 120.0}
    tiles = tuple({**tile, "width": 240, "height": 240} for tile in (axial, view))
    overview = Overview(data_url(np.full((240, 484), 90, np.uint8)), tiles)
    slices = tuple(picture(float(mm), width / 2) for mm, width in zip(heights, widths, strict=True))
    return Pictures(SIZE, 1.0, data_url(acquired), data_url(expected), slices, overview)


def expected_subject(name: str) -> SubjectResults:
    answer = Answer(AnswerKind.EXPECTED, "diameters within what is expected at all 16 levels", ("largest |z| is 0.3",))
    reasons = {"signal_to_noise": 61.0, "edge_width_mm": 2.4, "blood_contrast": 0.71}
    return SubjectResults(
        Subject(name, f"/data/{name}.nii.gz", "female", 61.0, 168.0, 70.0, "2026-03-01"), answer,
        Scan(3.4, "image-measures-1", reasons, 0.91, 170.0, 0.88, (256, 256, 151), (0.9, 0.9, 2.0), 2),
        tuple(level(mm, False) for mm in HEIGHTS), (), ("the arch, 0 to 20 mm from the top",),
        "levels are named by thirds of the length", "the interval holds 95 % of healthy vessels", pictures(False),
        {"monai_cardiac_gan": "0.2.0", "seed": 0, "weights": {"generator.pt": "ab" * 32}}, {"expected volume": "expected.nii.gz"},
    )  # fmt: skip


def wide_subject(name: str) -> SubjectResults:
    answer = Answer(AnswerKind.WIDER, "wider than expected at 85-125 mm from the top", ("4 levels beyond",), (STRETCH,))
    levels = tuple(level(mm, True) for mm in HEIGHTS)
    return replace(expected_subject(name), answer=answer, levels=levels, pictures=pictures(True))


ANOMALY_RANGE = 6.0


def unusual_subject(name: str) -> SubjectResults:
    """As wide as expected, with an alarm at 85 to 125 mm; the anomaly maps show a square of 3 spreads, darker, in the middle."""
    subject = expected_subject(name)
    stretch = Stretch(AnswerKind.UNUSUAL, 85.0, 125.0, 4)
    sentence = "more unusual than all 60 known normal people (p = 0.016); 85-125 mm from the top stand out"
    verdict = VerdictResult(sentence, "hearts", 4.2, 2.5, 0.0164, 60, 8, 0.05, True, (stretch,))
    levels = tuple(
        replace(each, anomaly=4.2, stands_out=True, sign="lumen")
        if 85 <= each.mm_from_top <= 125
        else replace(each, anomaly=1.1)
        if each.is_compared
        else each
        for each in subject.levels
    )
    maps = np.full((SIZE, SIZE), 128, np.uint8)
    maps[MIDDLE - 5 : MIDDLE + 6, MIDDLE - 5 : MIDDLE + 6] = round(255 * (0.5 - 3 / ANOMALY_RANGE / 2))
    strip = data_url(np.concatenate([maps] * len(subject.pictures.slices)))
    return replace(
        subject,
        answer=Answer(AnswerKind.UNUSUAL, "unusual at 85-125 mm from the top", ("diameters as expected",), (stretch,)),
        verdict=verdict,
        levels=levels,
        pictures=replace(subject.pictures, anomaly=strip, anomaly_range=ANOMALY_RANGE),
        files=subject.files | {"anomaly map": "anomaly.nii.gz"},
    )


def unclear_subject(name: str) -> SubjectResults:
    answer = Answer(AnswerKind.CANNOT_TELL, "cannot tell, because no vessel was found", ("confidence 0.00 below 0.50",))
    scan = Scan(None, None, {}, 0.0, 0.0, None, (64, 64, 20), (1.0, 1.0, 5.0), 2)
    return replace(
        expected_subject(name), subject=Subject(name, f"/data/{name}.nii.gz"), answer=answer, scan=scan, levels=(),
        naming=None, interval=None, pictures=None, files={},
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_subject() -> Callable[[str, str], SubjectResults]:
    """Results by kind of answer and name."""
    makers = {
        AnswerKind.EXPECTED: expected_subject,
        AnswerKind.WIDER: wide_subject,
        AnswerKind.UNUSUAL: unusual_subject,
        AnswerKind.CANNOT_TELL: unclear_subject,
    }
    return lambda kind, name="ann": makers[kind](name)


# of a module, not of the session: while Playwright runs, its thread has an event loop that tests of Dask must not find
@pytest.fixture(scope="module")
def browser():
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if os.environ.get(BROWSER_VARIABLE) != "required":
        pytest.importorskip("playwright", reason="playwright is not installed: it drives the browser")
        if chromium is None:
            pytest.skip("chromium is not installed: it shows the pages")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def show(browser):
    """Open a page; at the end nothing was asked of any network, and no script complained."""
    opened = []

    def show(path, width=1280, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        seen = {"requests": [], "errors": []}
        page.on("request", lambda request: seen["requests"].append(request.url))
        page.on("pageerror", lambda error: seen["errors"].append(str(error)))
        page.on("console", lambda message: seen["errors"].append(message.text) if message.type != "log" else None)
        page.goto(path.as_uri())
        if page.locator("#viewer-data").count():
            page.wait_for_selector("html[data-ready]", state="attached")
        opened.append((page, seen))
        return page

    yield show
    for page, seen in opened:
        assert seen["errors"] == []
        assert [url for url in seen["requests"] if not url.startswith(("file:", "data:", "blob:"))] == []
        page.close()


@pytest.fixture(scope="module")
def wide_page(make_subject, tmp_path_factory):
    return write_subject_page(make_subject(AnswerKind.WIDER), tmp_path_factory.mktemp("wide"))
