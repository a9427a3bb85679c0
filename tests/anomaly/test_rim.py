import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.anomaly.rim import ANGLES, Rim, around_rim

TURN = np.arange(720) * 2 * np.pi / 720


def ellipse(rows, columns, middle=(32.0, 30.0)):
    return np.array(middle) + np.stack([rows * np.cos(TURN), columns * np.sin(TURN)], 1)


@given(radius=st.floats(3, 20), row=st.floats(25, 35), column=st.floats(25, 35))
def test_a_circle_is_even_wherever_it_lies(radius, row, column):
    rim = Rim.of(ellipse(radius, radius, (row, column)))
    np.testing.assert_allclose(rim.middle, [row, column], atol=1e-9)
    np.testing.assert_allclose(rim.radii, radius, rtol=1e-3)
    assert rim.unevenness < 1e-3


@given(rows=st.floats(6, 12), columns=st.floats(6, 12), turn=st.integers(0, 719))
def test_an_ellipse_has_its_radii_wherever_the_contour_begins(rows, columns, turn):
    rim = Rim.of(np.roll(ellipse(rows, columns), turn, 0))
    rays = np.arange(ANGLES) * 2 * np.pi / ANGLES
    wanted = rows * columns / np.hypot(columns * np.cos(rays), rows * np.sin(rays))
    np.testing.assert_allclose(rim.radii, wanted, rtol=2e-3)


def test_of_a_cone_each_offset_has_its_height():
    """A picture of the distance from a place: what lies s beyond a circle of radius r around it is r + s."""
    rows, columns = np.indices((64, 64))
    cone = np.hypot(rows - 32.0, columns - 30.0)
    values, places = around_rim(cone, Rim.of(ellipse(10, 10)), np.array([-4.0, 0.0, 6.0]))
    np.testing.assert_allclose(values, np.tile([6.0, 10.0, 16.0], (ANGLES, 1)), atol=0.05)
    np.testing.assert_allclose(np.hypot(*np.moveaxis(places - [32.0, 30.0], -1, 0)), values, atol=0.05)


def test_beyond_the_middle_and_the_image_there_is_nothing():
    values, _ = around_rim(np.ones((64, 64)), Rim.of(ellipse(10, 10)), np.array([-12.0, 0.0, 60.0]))
    assert np.isnan(values[:, 0]).all()
    np.testing.assert_allclose(values[:, 1], 1.0)
    assert np.isnan(values[:, 2]).all()


@pytest.mark.parametrize("contour", [np.zeros((2, 2)), np.zeros((5, 3)), np.zeros(4)])
def test_no_contour_is_refused(contour):
    with pytest.raises(ValueError, match=r"expected \(k, 2\) with at least three points"):
        Rim.of(contour)
