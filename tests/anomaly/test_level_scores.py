import math

import numpy as np
import pytest

from monai_cardiac_gan.anomaly import SIGNS, LevelPictures, filtered_maps, score_level

SIDE, MIDDLE, RADIUS = 96, 48, 11.0
ROWS, COLUMNS = np.indices((SIDE, SIDE)) - MIDDLE
DISTANCE = np.hypot(ROWS, COLUMNS)
TURN = np.arange(400) * 2 * np.pi / 400
RIM = MIDDLE + RADIUS * np.stack([np.cos(TURN), np.sin(TURN)], 1)
HOLE = (np.abs(ROWS) <= 24) & (np.abs(COLUMNS) <= 24)


def vessel(tissue=None):
    """A bright disc, in tissue that is bright on one side."""
    tissue = np.where(ROWS > 0, 0.2, -0.8) if tissue is None else tissue
    return np.where(DISTANCE <= RADIUS, 0.6, tissue)


def scores(acquired, expected=None, lumen=RIM, expected_lumen=RIM, spread=0.1, diameter=22.0, counts=HOLE):
    expected = vessel() if expected is None else expected
    deviation = np.where(counts, (acquired - expected) / spread, 0.0)
    along, broad = filtered_maps(np.stack([deviation] * 3))
    level = LevelPictures(acquired, expected, along[1], broad[1], counts, lumen, expected_lumen, RADIUS)
    return score_level(level, diameter, 22.0, 0.5)


def test_what_is_as_expected_has_the_least_scores():
    found = scores(vessel())
    assert found.width == 0.0
    assert found.course == math.log(0.5)
    assert found.lumen == pytest.approx(0.0, abs=1e-12)
    assert found.darker == found.brighter == found.surroundings == math.log(1e-3)
    assert found.shape < math.log(0.01)  # a circle


def test_width_is_the_logarithm_of_the_ratio():
    assert scores(vessel(), diameter=22 * 1.4).width == pytest.approx(math.log(1.4))
    assert scores(vessel(), diameter=22 / 1.4).width == pytest.approx(-math.log(1.4))


def test_a_dark_line_across_the_lumen_is_seen_in_it_and_nowhere_else():
    """A flap of 2 mm takes 17 of 100 pixels within 9 mm of the middle, so that the darkest tenth is all flap, 1.0 darker."""
    acquired = vessel()
    acquired[(np.abs(COLUMNS) <= 1) & (DISTANCE <= RADIUS)] = -0.4
    found, healthy = scores(acquired), scores(vessel())
    assert found.lumen == pytest.approx(1.0, abs=0.1)
    assert math.exp(found.darker) > 3
    assert (found.width, found.shape, found.wall, found.brighter) == (
        healthy.width,
        healthy.shape,
        healthy.wall,
        healthy.brighter,
    )


def test_a_wall_that_is_even_all_around_is_told_from_uneven_tissue():
    thick = vessel(np.where(DISTANCE <= RADIUS + 4.5, -0.2, np.where(ROWS > 0, 0.2, -0.8)))
    found, healthy = scores(thick), scores(vessel())
    assert abs(healthy.wall) < 0.1  # as uneven as what lies farther out
    assert found.wall < -2  # e to the minus two: an eighth of that
    assert found.lumen == healthy.lumen


def test_an_oval_rim_is_uneven():
    """Radii a and b, nearly alike: the standard deviation of r = m + d cos 2t is d / sqrt 2 of the mean."""
    oval = MIDDLE + np.stack([11.5 * np.cos(TURN), 10.5 * np.sin(TURN)], 1)
    assert math.exp(scores(vessel(), lumen=oval).shape) == pytest.approx(0.5 / math.sqrt(2) / 11, rel=0.02)


def test_a_wider_vessel_is_brighter_beside_the_expected_one():
    wide = np.where(DISTANCE <= RADIUS + 5, 0.6, -0.8)
    narrow = np.where(DISTANCE <= RADIUS - 5, 0.6, -0.8)
    dark = np.where(DISTANCE <= RADIUS, 0.6, -0.8)
    assert math.exp(scores(wide, dark).brighter) > 8
    assert scores(wide, dark).darker == math.log(1e-3)
    assert math.exp(scores(narrow, dark).darker) > 8
    assert scores(narrow, dark).brighter == math.log(1e-3)


def test_a_broad_mass_beside_the_vessel_counts_and_a_thin_vessel_of_the_lung_does_not():
    mass, thin = vessel(), vessel()
    mass[np.hypot(ROWS + 19, COLUMNS) <= 5] += 0.5
    thin[np.hypot(ROWS + 19, COLUMNS) <= 2] += 1.5
    found = scores(mass)
    assert math.exp(found.surroundings) > 2.5
    assert scores(thin).surroundings == math.log(1e-3)
    assert found.lumen == scores(vessel()).lumen


def test_pixels_that_were_not_hidden_do_not_count():
    changed = vessel()
    changed[:10] = 0.9  # beyond the hole
    unchanged = scores(vessel())
    found = scores(changed)
    assert (found.darker, found.brighter, found.surroundings, found.lumen) == (
        unchanged.darker, unchanged.brighter, unchanged.surroundings, unchanged.lumen,
    )  # fmt: skip


def test_without_a_rim_its_scores_are_missing():
    found = scores(vessel(), lumen=None, diameter=math.nan)
    assert all(math.isnan(getattr(found, name)) for name in ("width", "shape", "lumen", "wall"))
    assert not any(math.isnan(getattr(found, name)) for name in ("course", "darker", "brighter", "surroundings"))
    assert math.isnan(scores(vessel(), expected_lumen=None).lumen)
    assert not math.isnan(scores(vessel(), expected_lumen=None).wall)


def test_where_nothing_was_hidden_there_is_nothing_to_compare():
    found = scores(vessel(), counts=np.zeros((SIDE, SIDE), bool))
    assert all(math.isnan(getattr(found, name)) for name in ("lumen", "darker", "brighter", "surroundings"))


def test_scores_have_an_order():
    found = scores(vessel()).as_array()
    assert found.shape == (len(SIGNS),) == (8,)
    assert found[SIGNS.index("width")] == 0.0
