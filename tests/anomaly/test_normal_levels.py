import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monai_cardiac_gan.anomaly import SIGNS, ScoredLevels, judge, judge_left_out, learn_normal_levels
from monai_cardiac_gan.anomaly.normal_levels import NormalLevels

HEIGHTS = np.arange(5.0, 205.0, 10.0)


def person(seed, between=1.0, within=0.5, lesion=0.0, sign="lumen"):
    """Scores with an effect of the person, noise, and a slope along the vessel."""
    source = np.random.default_rng(seed)
    scores = source.normal(0, between, len(SIGNS)) + source.normal(0, within, (len(HEIGHTS), len(SIGNS)))
    scores += HEIGHTS[:, None] / 100
    scores[8:12, SIGNS.index(sign)] += lesion
    return ScoredLevels(HEIGHTS, scores, np.ones(len(HEIGHTS), bool))


@pytest.fixture(scope="module")
def people():
    return {f"p{number}": person(number) for number in range(30)}


@pytest.fixture(scope="module")
def normals(people):
    return learn_normal_levels(people)


def test_variances_between_and_within_people_are_told_apart():
    many = learn_normal_levels({f"p{number}": person(number) for number in range(100)})
    assert np.mean(many.between) == pytest.approx(1.0, rel=0.15)
    assert np.mean(many.within) == pytest.approx(0.25, rel=0.1)
    assert many.people == 100


def test_the_mean_follows_the_height(normals):
    means = normals.mean_at(HEIGHTS[5:15])
    slope = np.polyfit(HEIGHTS[5:15], means.mean(1), 1)[0]
    assert slope == pytest.approx(0.01, rel=0.15)


def test_what_is_usual_in_a_person_is_told_by_his_other_levels(normals):
    """All levels 3 higher than other people's: one level of them alone is 3 standard deviations off, with the others not."""
    shifted = person(100, between=0.0)
    shifted = ScoredLevels(HEIGHTS, shifted.scores + 3.0, shifted.is_compared)
    alone = np.zeros(len(HEIGHTS), bool)
    alone[9] = True
    column = SIGNS.index("darker")
    together = normals.deviations(shifted)[9, column]
    single = normals.deviations(ScoredLevels(HEIGHTS, shifted.scores, alone))[9, column]
    assert abs(together) < 1.5
    assert single > 2
    own = SIGNS.index("width")  # measured against the rest of the vessel already
    assert normals.deviations(shifted)[9, own] > 2


def test_a_person_who_is_noisier_all_along_is_judged_by_his_own_noise(normals):
    """Noise of five times the usual one on all levels: deviations have a standard deviation of about 1, and not of 5."""
    column = SIGNS.index("darker")
    found = [normals.deviations(person(300 + number, within=2.5))[:, column].std() for number in range(20)]
    usual = [normals.deviations(person(300 + number))[:, column].std() for number in range(20)]
    assert np.mean(found) < 2 * np.mean(usual)
    width = SIGNS.index("width")  # no own levels are asked: five times as far
    assert np.mean([normals.deviations(person(300 + n, within=2.5))[:, width].std() for n in range(20)]) > 2 * np.mean(
        usual
    )


def test_a_lesion_is_found_where_it_is_and_named(people, normals):
    healthy, ill = normals.judge(person(200)), normals.judge(person(200, lesion=4.0))
    assert ill.score > 2 * healthy.score
    assert 8 <= int(ill.levels.argmax()) < 12
    assert ill.leading(int(ill.levels.argmax())) == "lumen"
    assert np.allclose(ill.levels[:4], healthy.levels[:4], atol=0.2)


@pytest.mark.parametrize(("sign", "counts"), [("wall", True), ("width", True), ("darker", False), ("course", False)])
def test_some_scores_are_unusual_when_they_are_small(normals, sign, counts):
    found = normals.judge(person(200, lesion=-5.0, sign=sign))
    column = SIGNS.index(sign)
    assert (found.signs[9, column] > 1) == counts


@settings(max_examples=10, deadline=None)
@given(scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_the_unit_of_a_score_does_not_matter(scale, shift):
    people = {f"p{number}": person(number) for number in range(8)}
    changed = {
        name: ScoredLevels(HEIGHTS, scale * each.scores + shift, each.is_compared) for name, each in people.items()
    }
    tested = person(50, lesion=2.0)
    moved = ScoredLevels(HEIGHTS, scale * tested.scores + shift, tested.is_compared)
    first, second = learn_normal_levels(people).judge(tested), learn_normal_levels(changed).judge(moved)
    np.testing.assert_allclose(first.levels, second.levels, rtol=1e-6, atol=1e-6)


def test_levels_that_are_not_compared_say_nothing(normals):
    tested = person(200, lesion=6.0)
    without = tested.is_compared.copy()
    without[7:13] = False
    found = normals.judge(ScoredLevels(HEIGHTS, tested.scores, without))
    assert (found.levels[7:13] == 0).all()
    assert found.score < normals.judge(tested).score / 2
    wild = tested.scores.copy()
    wild[7:13] = 1e6
    again = normals.judge(ScoredLevels(HEIGHTS, wild, without))
    np.testing.assert_array_equal(again.levels, found.levels)


def test_scores_that_are_missing_are_passed_over(people):
    holes = {}
    for name, each in people.items():
        scores = each.scores.copy()
        scores[::3, 2], scores[:, 4] = np.nan, np.nan
        holes[name] = ScoredLevels(HEIGHTS, scores, each.is_compared)
    found = learn_normal_levels(holes).judge(person(200, lesion=5.0))
    assert np.isfinite(found.levels).all()
    assert found.leading(int(found.levels.argmax())) == "lumen"


def test_left_out_scores_make_a_verdict_whose_rate_is_known():
    """Normal people judged beside the others, and further ones by all: alarms stay in the band of the promise."""
    alarms, count = 0, 0
    for group in range(5):
        people = {f"p{number}": person(1000 * group + number) for number in range(24)}
        scores = [each.score for each in judge_left_out(people).values()]
        known = learn_normal_levels(people)
        for number in range(30):
            alarms += bool(judge(known.judge(person(1000 * group + 500 + number)).score, scores, 0.2).is_alarm)
            count += 1
    low, high = stats.binom.interval(0.999, count, 0.2)
    assert low / 2 <= alarms <= high * 1.3  # those of one group share their normal people


def test_what_does_not_fit_is_refused(people, normals):
    few = dict(list(people.items())[:2])
    with pytest.raises(ValueError, match="2 normal people: expected at least 3"):
        learn_normal_levels(few)
    with pytest.raises(ValueError, match="2 normal people: expected at least 3"):
        judge_left_out(few)
    with pytest.raises(ValueError, match=r"expected \(K,\), \(K, 8\) and \(K,\)"):
        ScoredLevels(HEIGHTS, np.zeros((3, 8)), np.ones(len(HEIGHTS), bool))
    with pytest.raises(ValueError, match="no level is compared"):
        normals.judge(ScoredLevels(HEIGHTS, person(0).scores, np.zeros(len(HEIGHTS), bool)))
    other = ScoredLevels(HEIGHTS, person(0).scores[:, :1], np.ones(len(HEIGHTS), bool), ("other",))
    with pytest.raises(ValueError, match="the scores of some people have other names"):
        learn_normal_levels({**people, "other": other})


def test_any_other_set_of_scores_is_judged_alike(people):
    single = {
        name: ScoredLevels(HEIGHTS, each.scores[:, 3:4], each.is_compared, ("residual",))
        for name, each in people.items()
    }
    known = learn_normal_levels(single)
    assert isinstance(known, NormalLevels)
    found = known.judge(
        ScoredLevels(HEIGHTS, person(200, lesion=5.0).scores[:, 3:4], np.ones(len(HEIGHTS), bool), ("residual",))
    )
    np.testing.assert_allclose(found.levels, found.signs[:, 0])
    assert found.leading(9) == "residual"
