import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from fake_vessel import AORTA_MM, ORIGIN, measured_vessel
from PIL import Image

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.reporting.subject_pictures import data_url, no_pictures, overview_of, pictures_of
from monai_cardiac_gan.transforms import FileSlices

GAP = range(12, 18)


@pytest.fixture(scope="module")
def parts():
    image, vessel, expected = measured_vessel([*range(GAP.start), *range(GAP.stop, 30)])
    return FileSlices.of(image), vessel, expected


def strip_of(url):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def test_brightness_runs_from_black_to_white(parts):
    files, vessel, expected = parts
    pixels = torch.full_like(expected.patches.pixels, -1.0)
    pixels[1], pixels[2], pixels[3] = 0.0, 1.0, 3.0
    found = pictures_of(replace(expected, painted=pixels), vessel, files)
    shown = strip_of(found.expected).reshape(len(found.slices), -1)
    assert [np.unique(each).tolist() for each in shown[:4]] == [[0], [128], [255], [255]]


def test_the_patients_right_is_on_the_left_and_the_front_on_top(parts):
    """Rows of a patch run to the right, columns to the front."""
    files, vessel, expected = parts
    pixels = torch.full_like(expected.patches.pixels, -1.0)
    pixels[0, 0, 120, 100] = 1.0
    found = pictures_of(replace(expected, painted=pixels), vessel, files)
    ((row, column),) = np.argwhere(strip_of(found.expected)[:128] == 255)
    assert (row, column) == (27, 7)
    first = found.slices[0]
    place = np.array(first.origin_mm) + column * np.array(first.right_mm) + row * np.array(first.down_mm)
    assert place == pytest.approx((expected.patches.affines[0] @ [120, 100, 0, 1])[:3], abs=1e-3)


def test_where_the_track_is_interrupted_no_circle_is_drawn(parts):
    files, vessel, expected = parts
    found = pictures_of(expected, vessel, files).slices
    assert [each.slice for each in found if each.centre is None] == [*reversed(GAP)]
    assert all((each.centre is None) == (each.radius is None) for each in found)
    assert found[0].radius == pytest.approx(11.0, abs=0.1)
    assert found[0].centre == pytest.approx((63, 63), abs=0.5)


def test_nothing_is_marked_as_hidden_where_nothing_was_painted(parts):
    files, vessel, expected = parts
    assert expected.search is None
    assert {each.hole for each in pictures_of(expected, vessel, files).slices} == {None}
    mask = torch.zeros(128, 128, dtype=torch.bool)
    mask[40:89, 50:60] = True
    found = pictures_of(replace(expected, mask=mask, search="a search"), vessel, files).slices[0]
    assert found.hole == (127 - 88, 127 - 59, 49, 10)


@pytest.mark.parametrize(
    ("slice_mm", "shown"), [(0.1 + 0.2, range(0, 30, 7)), (1.0 - 1e-7, range(0, 30, 2)), (2.5, range(30))]
)
def test_pictures_are_2_mm_apart_and_the_levels_are_among_them(parts, slice_mm, shown):
    files, vessel, expected = parts
    squeezed = replace(expected, heights_mm=np.arange(30) * slice_mm, levels=np.array([1, 17]))
    found = pictures_of(squeezed, vessel, files)
    assert [29 - each.slice for each in found.slices] == sorted({*shown, 1, 17})


def test_without_patches_the_overview_is_left(parts):
    image, *_ = measured_vessel()
    overview = overview_of(image, AortaTrack.empty())
    found = no_pictures(overview)
    assert (found.slices, found.acquired, found.overview) == ((), "", overview)
    first = overview.tiles[0]
    assert strip_of(overview.image).shape[1] >= first["left"] + first["width"]


def test_a_picture_in_a_url_is_the_same_picture():
    grey = np.arange(24, dtype=np.uint8).reshape(4, 6)
    url = data_url(Image.fromarray(grey))
    assert url.startswith("data:image/png;base64,")
    np.testing.assert_array_equal(strip_of(url), grey)


def test_the_aorta_lies_where_the_tests_say():
    assert np.add(ORIGIN[:2], AORTA_MM).tolist() == [-20.0, -10.0]
