import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.anomaly import Alignment, Vessel, align_vessels, growth_between

SAME = Alignment(0.0, "the same levels")
TWO_YEARS = ("2020-01-01", "2022-01-01")  # 731 days


def course(length=240.0, step=2.0, seed=0):
    """A winding vessel from the arch down, (n, 3)."""
    down = np.arange(0, length, step)
    phase = np.random.default_rng(seed).uniform(0, 6, 2)
    right = 12 * np.sin(down / 55 + phase[0]) + 3 * np.sin(down / 23)
    front = 15 * np.cos(down / 70 + phase[1])
    return np.stack([right, front, -down], 1)


def tube(diameter, is_arch_seen=True, length=200.0):
    line = np.stack([np.zeros(21), np.zeros(21), -np.linspace(0, length, 21)], 1)
    return Vessel(line, np.full(21, diameter), is_arch_seen)


@given(first=st.floats(15, 40), growth=st.floats(-2, 6), error=st.floats(0.1, 2), years=st.integers(1, 10))
def test_growth_of_a_straight_tube_has_the_interval_of_its_closed_form(first, growth, error, years):
    dates = ("2010-03-01", f"{2010 + years}-03-01")
    elapsed = years * 365.25
    found = growth_between(tube(first), tube(first + growth), dates, error, SAME)[7]
    half = 1.959964 * np.sqrt(2) * error / years
    assert found.earlier_mm == pytest.approx(first)
    assert found.mm_per_year == pytest.approx(growth / years, rel=1 / elapsed, abs=1e-9)
    assert found.high_mm_per_year - found.mm_per_year == pytest.approx(half, rel=0.003)
    assert found.mm_per_year - found.low_mm_per_year == pytest.approx(half, rel=0.003)


def test_a_taper_that_is_matched_roughly_widens_the_interval():
    line = tube(20.0).centres_mm
    tapered = Vessel(line, np.linspace(24, 14, 21), True)  # 0.05 mm a mm
    found = growth_between(tapered, tapered, TWO_YEARS, 0.3, SAME, position_sd_mm=10.0)[10]
    half = 1.959964 * np.sqrt(2 * 0.3**2 + (0.05 * 10) ** 2) / (731 / 365.25)
    assert found.mm_per_year == pytest.approx(0, abs=1e-9)
    assert found.high_mm_per_year == pytest.approx(half, rel=1e-4)


def test_each_level_has_its_own_error():
    errors = np.linspace(0.1, 2.1, 21)
    found = growth_between(tube(20.0), tube(21.0), TWO_YEARS, errors, SAME)
    widths = np.array([level.high_mm_per_year - level.low_mm_per_year for level in found])
    np.testing.assert_allclose(widths / widths[0], errors / errors[0], rtol=1e-6)


def test_the_interval_holds_the_true_growth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(100):
        noisy = [Vessel(tube(20.0).centres_mm, d + rng.normal(0, 0.5, 21), True) for d in (20.0, 22.0)]
        # the slopes here are noise, and the position is exact
        levels = growth_between(*noisy, TWO_YEARS, 0.5, SAME, position_sd_mm=0.0)
        held += sum(level.low_mm_per_year < 2 / (731 / 365.25) < level.high_mm_per_year for level in levels)
    assert held / 2100 == pytest.approx(0.95, abs=0.015)


def test_two_courses_from_the_arch_that_do_not_fit_are_told():
    """A bow of 20 mm beside a straight line: about its straight part, root mean square 20 * sqrt(4 / 45) = 6.0 mm."""
    line = tube(20.0).centres_mm
    bow = line + np.stack([20 * (1 - np.linspace(-1, 1, 21) ** 2), np.zeros(21), np.zeros(21)], 1)
    rule = align_vessels(tube(20.0), Vessel(bow, np.full(21, 20.0), True)).rule
    assert "distance from the aortic arch" in rule
    assert rule.endswith("is it the same person, and the aorta in both?")
    assert float(rule.split("courses lie ")[1].split(" mm")[0]) == pytest.approx(6.0, abs=0.5)
    assert "same person" not in align_vessels(tube(20.0), tube(24.0)).rule
    assert "same person" not in align_vessels(tube(20.0, length=100.0), tube(24.0)).rule


def test_levels_that_the_earlier_scan_does_not_show_have_no_growth():
    found = growth_between(tube(20.0, length=100.0), tube(20.0), TWO_YEARS, 0.5, SAME)
    assert [level is None for level in found] == [False] * 11 + [True] * 10


@given(tilt=st.floats(-8, 8), cut=st.integers(0, 35), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=20)
def test_a_course_that_lies_elsewhere_and_shows_less_is_matched_to_3_mm(tilt, cut, seed):
    line = course(seed=seed)
    angle = np.deg2rad(tilt)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    jitter = np.random.default_rng(seed).normal(0, 0.3, line.shape)
    whole = Vessel(line, np.full(len(line), 20.0), True)
    part = Vessel(((line + jitter) @ turn.T + [7, -30, 55])[cut:], np.full(len(line) - cut, 26.0), False)
    found = align_vessels(part, whole)
    assert found.shift_mm == pytest.approx(whole.along_mm[cut], abs=3.0)
    assert "not both scans reach the aortic arch" in found.rule


def test_where_both_scans_begin_at_the_arch_levels_are_counted_from_there():
    alignment = align_vessels(tube(20.0), tube(22.0))
    assert alignment.shift_mm == 0.0
    assert "distance from the aortic arch" in alignment.rule


def test_courses_that_do_not_fit_are_not_matched():
    bent = course()
    bent[:, 0] += 40 * np.sin(np.arange(len(bent)) / 6)
    assert align_vessels(Vessel(bent, np.full(len(bent), 20.0), False), tube(20.0)) is None


def test_jitter_of_centres_makes_a_vessel_hardly_longer():
    line = course()
    exact = np.linalg.norm(np.diff(line, axis=0), axis=1).sum()
    jittered = Vessel(line + np.random.default_rng(0).normal(0, 0.5, line.shape), np.full(len(line), 20.0), True)
    assert jittered.along_mm[-1] == pytest.approx(exact, rel=0.01)
    straight = tube(20.0)
    np.testing.assert_allclose(straight.along_mm, -straight.centres_mm[:, 2], atol=1e-9)


@pytest.mark.parametrize(
    ("dates", "error", "message"),
    [
        (
            ("2020-01-01", "yesterday"),
            0.5,
            r"the dates are \['2020-01-01', 'yesterday'\]: expected two of the form 2026-11-27",
        ),
        (("2020-01-01", "2020-01-01"), 0.5, "expected the earlier scan first, and a day between them"),
        (("2022-01-01", "2020-01-01"), 0.5, "expected the earlier scan first"),
        (TWO_YEARS, -0.5, "the errors are -0.5 mm of a diameter and 3.0 mm of a position: expected 0 or more"),
    ],
)
def test_dates_and_errors_that_make_no_growth_are_refused(dates, error, message):
    with pytest.raises(ValueError, match=message):
        growth_between(tube(20.0), tube(21.0), dates, error, SAME)


@pytest.mark.parametrize(
    ("centres", "diameters", "message"),
    [
        (np.zeros((1, 3)), np.ones(1), r"centres have shape \(1, 3\), diameters \(1,\): expected \(n, 3\) and \(n,\)"),
        (np.zeros((3, 2)), np.ones(3), r"centres have shape \(3, 2\)"),
        (np.zeros((2, 3)), np.array([20.0, np.nan]), "a centre or diameter is not finite: leave out levels"),
    ],
)
def test_what_is_no_vessel_is_refused(centres, diameters, message):
    with pytest.raises(ValueError, match=message):
        Vessel(centres, diameters, True)
