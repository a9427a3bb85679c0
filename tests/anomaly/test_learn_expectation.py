from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.anomaly import expect_vessel, learn_expectation, learn_prior, people_needed


def usual(mm):
    return 22.0 - 3 * mm / 220


def wavy(seed, mm):
    """Diameters of one person: own size, own taper, own waves of 60 to 100 mm."""
    rng = np.random.default_rng(seed)
    size, taper, height, length, phase = (
        rng.normal(0, 2),
        rng.normal(0, 1),
        rng.uniform(0.3, 1.2),
        rng.uniform(60, 100),
        rng.uniform(0, 6),
    )
    return usual(mm) + size + taper * (mm - 110) / 110 + height * np.sin(2 * np.pi * mm / length + phase)


def winding(seed, mm):
    rng = np.random.default_rng(1000 + seed)
    return np.stack(
        [rng.uniform(2, 6) * np.sin(2 * np.pi * mm / rng.uniform(150, 300) + rng.uniform(0, 6)) for _ in range(2)], 1
    )


@pytest.fixture
def people(make_person):
    """So many people; painted diameters are the acquired ones and half a millimetre, with an error of 1 mm."""

    def make(count, **changes):
        made = {}
        for seed in range(count):
            noise = np.random.default_rng(seed)
            made[f"p{seed:02d}"] = make_person(
                lambda mm, seed=seed: wavy(seed, mm),
                lambda mm, seed=seed: winding(seed, mm),
                lambda mm, seed=seed, noise=noise: wavy(seed, mm) + 0.5 + noise.normal(0, 1, len(mm)),
                **changes,
            )
        return made

    return make


def largest_z(name, people, model):
    """|z| of a person whose model was learnt from all the others; done again by hand, with nothing taken out."""
    others = [measured for other, (measured, _) in people.items() if other != name]
    prior = learn_prior(
        *([getattr(each, part) for each in others] for part in ("heights_mm", "diameters_mm", "centres_mm"))
    )
    alone = replace(model, prior=prior, painted_weight=0.0, diameter_limit=np.inf, course_limit=np.inf)
    found = expect_vessel(*people[name], alone)
    return np.abs(found.z).max(), found.displacement.max()


@pytest.mark.parametrize(
    ("count", "level", "rank"), [(9, 0.9, 9), (12, 0.9, 12), (19, 0.9, 18), (9, 0.8, 8), (10, 0.5, 6)]
)
def test_the_limit_is_that_of_the_person_of_the_conformal_rank(people, count, level, rank):
    """ceil((n + 1) p) of n people, from the smallest: 9, ceil(11.7), 18, 8, ceil(5.5)."""
    made = people(count)
    model, judged = learn_expectation(made, (), 30.0, level)
    by_hand = [largest_z(name, made, model) for name in made]
    assert model.diameter_limit == pytest.approx(sorted(z for z, _ in by_hand)[rank - 1])
    assert model.course_limit == pytest.approx(sorted(away for _, away in by_hand)[rank - 1])
    for name, (z, away) in zip(made, by_hand, strict=True):
        assert (judged[name].largest_z, judged[name].largest_displacement) == pytest.approx((z, away))
    assert (model.level, model.gap_mm, model.subjects) == (level, 30.0, count)


def test_nearly_nobody_of_the_same_kind_is_beyond_the_limits(people):
    """Of 60 further people one in ten is allowed at each limit; with 19 learnt from, 18 % are two standard deviations off."""
    everyone = people(79)
    names = list(everyone)
    model, _ = learn_expectation({name: everyone[name] for name in names[:19]}, (), 30.0, 0.9)
    wide = displaced = 0
    for name in names[19:]:
        found = expect_vessel(*everyone[name], model)
        wide += (found.is_wide | found.is_narrow).any()
        displaced += found.is_displaced.any()
    assert wide <= 15
    assert displaced <= 15


def test_every_person_weighs_the_same_however_many_levels_are_compared(people):
    """The scale brings the mean over people of each one's mean z squared to 1, and that of the distance along each axis."""
    made = people(9)
    made["p03"] = (made["p03"][0], replace(made["p03"][1], is_compared=np.arange(22) == 7))
    model, _ = learn_expectation(made, (), 30.0)
    squares, away = [], []
    for name, (measured, levels) in made.items():
        others = [each for other, (each, _) in made.items() if other != name]
        parts = ([getattr(each, part) for each in others] for part in ("heights_mm", "diameters_mm", "centres_mm"))
        alone = replace(model, prior=learn_prior(*parts), diameter_limit=np.inf, course_limit=np.inf)
        found = expect_vessel(measured, levels, alone)
        squares.append(np.mean(found.z[levels.is_compared] ** 2))
        away.append(np.mean(found.displacement[levels.is_compared] ** 2) / 2)
    assert np.mean(squares) == pytest.approx(1.0)
    assert np.mean(away) == pytest.approx(1.0)


def test_only_the_unseen_say_what_painted_diameters_are_worth(people):
    """What networks paint of those they were trained on may be right to the pixel; it must not count."""
    made = people(9)
    cheating = {
        name: parts
        if name in ("p00", "p01", "p02")
        else (parts[0], replace(parts[1], painted_mm=parts[1].diameters_mm))
        for name, parts in made.items()
    }
    unseen = ("p00", "p01", "p02")
    plain, cheated = (learn_expectation(each, unseen, 30.0)[0] for each in (made, cheating))
    assert (plain.painted_weight, plain.painted_bias_mm) == (cheated.painted_weight, cheated.painted_bias_mm)


def test_the_weight_is_that_of_least_squares(people):
    """d - o = beta (p - b - o) over the levels of the unseen, weighted by 1 / variance; solved by its normal equations."""
    made = people(9)
    model, _ = learn_expectation(made, ("p04", "p05"), 30.0)
    plain = replace(model, painted_weight=0.0, scale=1.0, diameter_limit=np.inf, course_limit=np.inf)
    rows, right, weights = [], [], []
    for name in ("p04", "p05"):
        found, levels = expect_vessel(*made[name], plain), made[name][1]
        rows.append(levels.painted_mm - found.own_mm)
        right.append(levels.diameters_mm - found.own_mm)
        weights.append(found.std_mm**-2)
    x, y, w = map(np.concatenate, (rows, right, weights))
    slope = np.average((x - np.average(x, weights=w)) * y, weights=w) / np.average(
        (x - np.average(x, weights=w)) ** 2, weights=w
    )
    assert 0.05 < slope < 0.95
    assert model.painted_weight == pytest.approx(slope)
    assert model.painted_bias_mm == pytest.approx(
        -(np.average(y, weights=w) - slope * np.average(x, weights=w)) / slope
    )


def test_painted_diameters_that_are_right_but_for_a_bias_are_believed(people):
    made = {
        name: (measured, replace(levels, painted_mm=levels.diameters_mm + 1.7))
        for name, (measured, levels) in people(9).items()
    }
    model, judged = learn_expectation(made, ("p00", "p01"), 30.0)
    assert (model.painted_weight, model.painted_bias_mm) == pytest.approx((1.0, 1.7))
    assert max(each.expected_mm for each in judged.values()) < 1e-6
    assert [each.painted_mm for each in judged.values()] == pytest.approx([1.7] * 9)


def test_painted_diameters_that_mislead_have_no_weight(people):
    made = {
        name: (measured, replace(levels, painted_mm=80 - 3 * levels.diameters_mm))
        for name, (measured, levels) in people(9).items()
    }
    model, _ = learn_expectation(made, ("p00", "p01", "p02"), 30.0)
    assert (model.painted_weight, model.painted_bias_mm) == (0.0, 0.0)


def test_a_weight_is_at_most_one_and_its_bias_fits(people):
    """Networks that paint half of each difference and 3 mm too much: the best of the whole weights is 1, with the mean excess."""
    made = {}
    for name, (measured, levels) in people(9).items():
        alone = replace(levels, painted_mm=np.full(22, np.nan))
        made[name] = (measured, alone)
    model, _ = learn_expectation(made, (), 30.0)
    plain = replace(model, diameter_limit=np.inf, course_limit=np.inf, scale=1.0)
    x, y, w = [], [], []
    for name, (measured, levels) in made.items():
        found = expect_vessel(measured, levels, plain)
        painted = found.own_mm + 0.5 * (levels.diameters_mm - found.own_mm) + 3.0
        made[name] = (measured, replace(levels, painted_mm=painted))
        x.append(painted - found.own_mm)
        y.append(levels.diameters_mm - found.own_mm)
        w.append(found.std_mm**-2)
    x, y, w = (np.concatenate(each[:2]) for each in (x, y, w))
    learnt, _ = learn_expectation(made, ("p00", "p01"), 30.0)
    assert learnt.painted_weight == 1.0
    assert learnt.painted_bias_mm == pytest.approx(np.average(x - y, weights=w))


def test_what_is_told_of_a_person(people):
    made = people(9)
    painted = made["p02"][1].painted_mm.copy()
    painted[:20] = np.nan
    flags = np.arange(22) >= 10
    made["p02"] = (made["p02"][0], replace(made["p02"][1], painted_mm=painted, is_compared=flags))
    made["p03"] = (made["p03"][0], replace(made["p03"][1], painted_mm=np.full(22, np.nan)))
    _, judged = learn_expectation(made, ("p00", "p01"), 30.0)
    levels = made["p02"][1]
    assert (judged["p02"].levels, judged["p02"].painted_found) == (12, 2)
    assert judged["p02"].painted_mm == pytest.approx(np.abs(painted[20:] - levels.diameters_mm[20:]).mean())
    assert (judged["p03"].painted_mm, judged["p03"].painted_found) == (None, 0)
    parts = (
        [getattr(each, part) for name, (each, _) in made.items() if name != "p02"]
        for part in ("heights_mm", "diameters_mm", "centres_mm")
    )
    mean = learn_prior(*parts).diameters_at(levels.heights_mm[flags])
    assert judged["p02"].others_mm == pytest.approx(np.abs(mean - levels.diameters_mm[flags]).mean())
    without = learn_expectation(made, (), 30.0)[1]
    assert judged["p02"].own_mm == pytest.approx(without["p02"].expected_mm)


@pytest.mark.parametrize(("level", "needed"), [(0.9, 9), (0.95, 19), (0.5, 1), (0.8, 4), (0.99, 99)])
def test_so_many_people_are_needed(level, needed):
    assert people_needed(level) == needed


@given(level=st.floats(0.01, 0.99))
@settings(deadline=None)
def test_with_one_person_less_the_rank_would_not_exist(level):
    needed = people_needed(level)
    assert np.ceil(round((needed + 1) * level, 6)) <= needed
    assert needed == 1 or np.ceil(round(needed * level, 6)) > needed - 1


def test_too_few_people_are_refused(people):
    with pytest.raises(
        ValueError, match=r"8 people: expected at least 9 for a level of 0\.9; give more normal people, or ask"
    ):
        learn_expectation(people(8), (), 30.0)


@pytest.mark.parametrize("level", [0.0, 1.0, 90, -0.1, np.nan])
def test_a_level_that_is_no_share_is_refused(people, level):
    with pytest.raises(ValueError, match=f"the level is {level}: expected a share of people between 0 and 1"):
        learn_expectation(people(9), (), 30.0, level)


def test_a_person_of_whom_nothing_is_compared_is_refused(people):
    made = people(9)
    made["p04"] = (made["p04"][0], replace(made["p04"][1], is_compared=np.zeros(22, bool)))
    with pytest.raises(ValueError, match=r"p04: 0 of 0 compared levels can be expected .* leave this one out"):
        learn_expectation(made, (), 30.0)


def test_a_person_with_a_level_that_cannot_be_expected_is_refused(people):
    made = people(9)
    measured = made["p04"][0]
    short = measured.heights_mm < 70  # from the middle of what is left nothing lies beyond the gap
    made["p04"] = (
        type(measured)(*(each[short] for each in vars(measured).values())),
        replace(made["p04"][1], is_compared=np.arange(22) < 7),
    )
    with pytest.raises(ValueError, match=r"p04: \d of 7 compared levels can be expected from the rest of the vessel"):
        learn_expectation(made, (), 30.0)
