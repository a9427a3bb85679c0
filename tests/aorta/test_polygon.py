import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask
from skimage.measure import regionprops

from monai_cardiac_gan.aorta.polygon import polygon_area, polygon_eccentricity, polygon_inscribed_circle


def ellipse(first, second, angle=0.0, centre=(0.0, 0.0), points=720):
    around = np.arange(points) * 2 * np.pi / points
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.stack([first * np.cos(around), second * np.sin(around)], -1) @ turn.T + centre


@given(
    first=st.floats(5, 20),
    ratio=st.floats(0.3, 1),
    angle=st.floats(0, np.pi),
    x=st.floats(-100, 100),
    y=st.floats(-100, 100),
)
@settings(deadline=None, max_examples=40)
def test_an_ellipse_has_the_measures_of_its_closed_forms(first, ratio, angle, x, y):
    rim, second = ellipse(first, first * ratio, angle, (x, y)), first * ratio
    centre, radius = polygon_inscribed_circle(rim)
    assert polygon_area(rim) == pytest.approx(np.pi * first * second, rel=1e-4)
    assert polygon_eccentricity(rim) ** 2 == pytest.approx(1 - ratio**2, abs=1e-4)
    assert radius == pytest.approx(second, rel=2e-3)
    # of an ellipse much flatter than a circle there is one place for it
    np.testing.assert_allclose(centre, [x, y], atol=0.02 * first if ratio < 0.8 else 0.2 * first)


def test_the_order_of_the_corners_does_not_matter():
    rim = ellipse(14, 11, 0.4)
    assert polygon_area(rim[::-1]) == pytest.approx(polygon_area(rim))
    assert polygon_eccentricity(rim[::-1]) == pytest.approx(polygon_eccentricity(rim))


def test_a_keyhole_is_as_wide_inside_as_its_round_part():
    hole = ellipse(10, 10)
    keyhole = np.where((np.abs(hole[:, :1]) < 2) & (hole[:, 1:] > 0), hole * [1, 2], hole)
    centre, radius = polygon_inscribed_circle(keyhole)
    assert radius == pytest.approx(10, abs=0.3)
    np.testing.assert_allclose(centre, [0, 0], atol=0.5)


def test_the_moments_are_those_of_scikit_image_for_any_polygon():
    corners = np.array([[50.0, 60.0], [420.0, 90.0], [300.0, 350.0], [120.0, 300.0]])
    (reference,) = regionprops(polygon2mask((500, 500), corners).astype(int))
    assert polygon_area(corners) == pytest.approx(reference.area, rel=0.01)
    assert polygon_eccentricity(corners) == pytest.approx(reference.eccentricity, abs=0.005)
