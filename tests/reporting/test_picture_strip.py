import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from monai_cardiac_gan.reporting.picture_strip import nearest_picture, thumbnail
from monai_cardiac_gan.reporting.subject_results import AnswerKind


def shown(url):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))


def test_a_thumbnail_is_cut_around_the_vessel_of_its_slice(make_subject):
    pictures = make_subject(AnswerKind.EXPECTED).pictures
    strip = shown(pictures.acquired)
    for index in (0, 50):
        rows = strip[80 * index + 8 : 80 * index + 72, 8:72]
        np.testing.assert_array_equal(shown(thumbnail(pictures, index)), rows)


def test_at_the_edge_it_stays_inside_its_slice(make_subject):
    pictures = make_subject(AnswerKind.EXPECTED).pictures
    slices = [*pictures.slices]
    slices[3] = replace(slices[3], centre=(2.0, 79.0))
    slices[4] = replace(slices[4], centre=None)
    moved = replace(pictures, slices=tuple(slices))
    strip = shown(pictures.acquired)
    np.testing.assert_array_equal(shown(thumbnail(moved, 3)), strip[80 * 3 + 16 : 80 * 4, :64])
    np.testing.assert_array_equal(shown(thumbnail(moved, 4)), strip[80 * 4 + 8 : 80 * 4 + 72, 8:72])


def test_the_nearest_picture(make_subject):
    slices = make_subject(AnswerKind.EXPECTED).pictures.slices
    assert slices[nearest_picture(slices, 50.9)].mm_from_top == 50.0
    assert nearest_picture(slices, -500.0) == 0


def test_another_kind_of_picture_is_refused(make_subject):
    pictures = replace(make_subject(AnswerKind.EXPECTED).pictures, acquired="http://elsewhere/strip.png")
    with pytest.raises(
        ValueError, match=r"the pictures begin with 'http://elsewhere/strip.p': expected a PNG as a data URL"
    ):
        thumbnail(pictures, 0)
