import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.aorta import measure_disc
from monai_cardiac_gan.transforms.lesion_shapes import (
    LESIONS,
    REACH_DIAMETERS,
    VesselSlice,
    narrowed_share,
    source_share,
)

SIDE, CENTRE, DIAMETER = 128, np.array([63.7, 64.2]), 22.0
RADIUS = DIAMETER / 2
BLOOD, TISSUE = 0.8, -0.6
WARPS = ("dilation", "aneurysm", "narrowing", "displacement")


def vessel(noise=0.0, spacing=1.0, seed=0):
    """A bright disc on dark ground, with noise where it is asked for."""
    source = np.random.default_rng(seed)
    rows, columns = np.ogrid[: round(SIDE / spacing), : round(SIDE / spacing)]
    away = np.hypot(rows * spacing - CENTRE[0], columns * spacing - CENTRE[1])
    image = TISSUE + (BLOOD - TISSUE) * np.clip((RADIUS - away) / spacing + 0.5, 0, 1)
    unit = source.standard_normal(image.shape)
    return VesselSlice(image + noise * unit, np.full(2, spacing), CENTRE, DIAMETER, unit)


def shown(found):
    return measure_disc(found.image.astype(np.float32))


@given(factor=st.floats(0.5, 2.0), diameter=st.floats(12.0, 35.0))
@settings(deadline=None, max_examples=50)
def test_nothing_folds_and_nothing_moves_beyond_the_reach(factor, diameter):
    away = np.linspace(0, 90, 500)
    source = away * source_share(away, factor, diameter)
    assert (np.diff(source) > 0).all()
    far = away >= REACH_DIAMETERS * diameter
    np.testing.assert_allclose(source[far], away[far])
    assert source[1] / away[1] == pytest.approx(1 / factor)


@given(factor=st.floats(0.5, 0.99), diameter=st.floats(12.0, 35.0))
@settings(deadline=None, max_examples=50)
def test_a_narrowing_smears_nothing(factor, diameter):
    away = np.linspace(0, 90, 2001)
    source = away * narrowed_share(away, factor, diameter)
    slopes = np.diff(source) / np.diff(away)
    assert slopes.min() >= 0.8
    assert slopes.max() <= 1 / factor + 1e-9
    far = away >= REACH_DIAMETERS * diameter
    np.testing.assert_allclose(source[far], away[far])


@pytest.mark.parametrize("kind", LESIONS)
@given(amount=st.floats(0.05, 1.0), direction=st.floats(-7, 7))
@settings(deadline=None, max_examples=10)
def test_laws_of_all_lesions(kind, amount, direction):
    """Far away nothing changes, the truth is not empty, and a turn by 360 degrees is none."""
    before = vessel(noise=0.05)
    found = LESIONS[kind](before, amount, direction)
    assert found.image.shape == found.truth.shape == before.image.shape
    assert found.truth.any()
    assert np.isfinite(found.image).all()
    far = before.distance_mm > 62
    np.testing.assert_allclose(found.image[far], before.image[far], atol=1e-9)
    again = LESIONS[kind](before, amount, direction + 2 * np.pi)
    np.testing.assert_allclose(again.image, found.image, atol=1e-6)


@pytest.mark.parametrize("kind", LESIONS)
def test_more_of_a_lesion_takes_at_least_as_many_pixels_and_changes_more(kind):
    before = vessel()
    found = [LESIONS[kind](before, amount, 0.4) for amount in (0.25, 0.5, 1.0)]
    areas = [each.truth.sum() for each in found]
    changes = [np.abs(each.image - before.image).sum() for each in found]
    assert areas == sorted(areas)
    assert changes == sorted(changes)


@pytest.mark.parametrize(("kind", "factor"), [("dilation", 1.6), ("narrowing", 0.55)])
@pytest.mark.parametrize("amount", [0.3, 1.0])
def test_a_vessel_becomes_wider_or_narrower_by_its_factor(kind, factor, amount):
    found = LESIONS[kind](vessel(), amount, 0.0)
    expected = DIAMETER * (1 + amount * (factor - 1))
    assert shown(found).diameter_mm == pytest.approx(expected, rel=0.03)
    np.testing.assert_allclose(shown(found).centre, CENTRE, atol=0.2)
    assert found.truth.sum() == pytest.approx(np.pi / 4 * abs(expected**2 - DIAMETER**2), rel=0.05)


@pytest.mark.parametrize("direction", [0.0, 2.0])
def test_a_bulge_lies_on_its_side_and_has_its_area(direction):
    before = vessel(spacing=0.5)
    found = LESIONS["aneurysm"](before, 1.0, direction)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 2001)
    rim = RADIUS * (1 + 0.9 * np.cos(angles) ** 2)
    area = np.trapezoid((rim**2 - RADIUS**2) / 2, angles)
    assert found.truth.sum() * 0.25 == pytest.approx(area, rel=0.02)
    along, _ = before.along(direction)
    assert (along[found.truth] > 0).all()
    bright = found.image > (BLOOD + TISSUE) / 2
    assert bright.sum() * 0.25 == pytest.approx(area + np.pi * RADIUS**2, rel=0.03)


@pytest.mark.parametrize("direction", [0.0, 1.0, -2.5])
def test_a_displaced_vessel_is_as_wide_as_before(direction):
    found = LESIONS["displacement"](vessel(), 0.5, direction)
    assert shown(found).diameter_mm == pytest.approx(DIAMETER, rel=0.02)
    offset = 7.0 * np.array([np.cos(direction), np.sin(direction)])
    np.testing.assert_allclose(shown(found).centre, CENTRE + offset, atol=0.3)


def test_a_flap_is_a_dark_line_of_its_thickness_with_slow_flow_on_one_side():
    before = vessel(spacing=0.25)
    found = LESIONS["flap"](before, 1.0, 0.0)
    along, across = before.along(0.0)
    lumen = before.distance_mm <= RADIUS
    rows = np.abs(across) < 0.2  # through the middle
    assert (found.truth & rows).sum() / rows.sum() * np.ptp(along[rows]) == pytest.approx(1.8, abs=0.3)
    deep = found.truth & (np.abs(along - 0.15 * RADIUS - 0.25 / RADIUS * across**2) < 0.3)
    assert np.median(found.image[deep]) < 0.2 * BLOOD + 0.8 * TISSUE + 0.35
    behind, before_flap = lumen & (along > 6) & (np.abs(across) < 3), lumen & (along < -4) & (np.abs(across) < 3)
    assert np.median(found.image[behind]) == pytest.approx(BLOOD - 0.2 * (BLOOD - TISSUE), abs=0.02)
    assert np.median(found.image[before_flap]) == pytest.approx(BLOOD, abs=0.01)


@pytest.mark.parametrize(("kind", "level"), [("thrombus", 0.3), ("wall", 0.3), ("mass", 0.5)])
def test_what_is_painted_has_its_signal_and_as_much_noise_as_blood(kind, level):
    before = vessel(noise=0.04, spacing=0.5)
    found = LESIONS[kind](before, 1.0, 0.6)
    inside = found.truth.copy()
    for axis in (0, 1):  # away from the soft edges
        for step in (-3, 3):
            inside &= np.roll(found.truth, step, axis)
    values = found.image[inside]
    tissue, blood = before.tissue, before.blood
    assert np.median(values) == pytest.approx(tissue + level * (blood - tissue), abs=0.03)
    assert values.std() == pytest.approx(0.04, rel=0.35)


def test_areas_of_wall_mass_and_thrombus():
    before = vessel(spacing=0.5)
    areas = {kind: LESIONS[kind](before, 1.0, 0.3).truth.sum() * 0.25 for kind in ("wall", "mass", "thrombus")}
    assert areas["wall"] == pytest.approx(np.pi * ((RADIUS + 5) ** 2 - RADIUS**2), rel=0.02)
    assert areas["mass"] == pytest.approx(np.pi * 12**2, rel=0.02)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 2001)
    depth = 0.9 * RADIUS * np.cos(angles)
    assert areas["thrombus"] == pytest.approx(np.trapezoid((RADIUS**2 - (RADIUS - depth) ** 2) / 2, angles), rel=0.02)


def test_a_thrombus_leaves_the_outer_wall_and_a_wall_leaves_the_lumen():
    before = vessel(spacing=0.5)
    for kind, kept in (("thrombus", before.distance_mm > RADIUS + 2.5), ("wall", before.distance_mm < RADIUS - 2.5)):
        np.testing.assert_allclose(LESIONS[kind](before, 1.0, 0.0).image[kept], before.image[kept], atol=1e-3)
