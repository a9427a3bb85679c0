import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops

from monai_cardiac_gan.aorta import fit_ellipse, measure_disc

FINE = 8
"""Drawn so many times larger, then reduced: partial pixels at the rim."""


def drawn(centre, half_axes, angle, side=128, noise=0.0):
    places = (np.arange(side * FINE) + 0.5) / FINE - 0.5
    down, right = places[:, None] - centre[0], places[None] - centre[1]
    along, across = down * np.cos(angle) + right * np.sin(angle), right * np.cos(angle) - down * np.sin(angle)
    image = ((along / half_axes[0]) ** 2 + (across / half_axes[1]) ** 2 <= 1).astype(float)
    image = image.reshape(side, FINE, side, FINE).mean((1, 3))
    return image + noise * np.random.default_rng(0).normal(size=image.shape)


@given(
    row=st.floats(58, 70),
    column=st.floats(58, 70),
    large=st.floats(9, 15),
    ratio=st.floats(0.75, 0.97),
    angle=st.floats(0, np.pi),
)
@settings(deadline=None, max_examples=25)
def test_drawn_ellipses_are_measured(row, column, large, ratio, angle):
    image = drawn((row, column), (large, ratio * large), angle, noise=0.05)
    disc = measure_disc(image)
    assert disc is not None or (1 - ratio) * large > 3  # half axes that differ by more are no disc any more
    if disc is None:
        return
    found = fit_ellipse(image, disc)
    np.testing.assert_allclose(found.centre, (row, column), atol=0.3)
    np.testing.assert_allclose(found.diameters_mm, (2 * large, 2 * ratio * large), atol=0.8)
    assert found.area_mm2 == pytest.approx(np.pi * large**2 * ratio, rel=0.06)
    assert found.eccentricity == pytest.approx(np.sqrt(1 - ratio**2), abs=0.2 if ratio > 0.9 else 0.08)
    if ratio < 0.85:
        assert abs((found.angle - angle + np.pi / 2) % np.pi - np.pi / 2) < 0.2


def test_it_agrees_with_the_moments_of_the_region():
    image = drawn((62.3, 66.1), (14, 11), 0.6)
    found = fit_ellipse(image, measure_disc(image))
    (region,) = regionprops((image > 0.5).astype(int))
    np.testing.assert_allclose(found.centre, region.centroid, atol=0.1)
    assert found.diameters_mm == pytest.approx((region.axis_major_length, region.axis_minor_length), abs=0.4)
    assert found.eccentricity == pytest.approx(region.eccentricity, abs=0.03)


def test_a_circle_has_the_disc_s_numbers():
    image = drawn((63.5, 63.5), (12, 12), 0.0)
    disc = measure_disc(image)
    found = fit_ellipse(image, disc)
    assert found.perimeter_mm == pytest.approx(disc.perimeter_mm, rel=0.01)
    assert found.area_mm2 == pytest.approx(disc.area_mm2, rel=0.02)
    assert found.eccentricity < 0.2


def test_millimetres_follow_the_pixels():
    image = drawn((63.5, 63.5), (15, 12), 0.3)
    one, half = (fit_ellipse(image, measure_disc(image, size), size) for size in (1.0, 0.5))
    np.testing.assert_allclose(np.array(half.diameters_mm) * 2, one.diameters_mm, rtol=0.03)
    np.testing.assert_allclose(half.centre, one.centre, atol=0.2)


def test_a_rim_that_is_half_hidden_is_completed():
    image = drawn((63.5, 63.5), (13, 10), 0.0)
    image[:, 70:] = np.maximum(image[:, 70:], 0.95)  # as bright a neighbour at one side
    found = fit_ellipse(image, measure_disc(drawn((63.5, 63.5), (13, 10), 0.0)))
    assert found is None or found.diameters_mm[0] == pytest.approx(26, abs=2.5)


def test_no_rim_is_an_answer():
    disc = measure_disc(drawn((63.5, 63.5), (12, 12), 0.0))
    assert fit_ellipse(np.zeros((128, 128)), disc) is None
