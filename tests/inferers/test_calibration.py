import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.inferers import calibrate_uncertainty, choose_floor, coverage, subjects_needed


def drawn(seed, subjects, each, common=0.5):
    """Cases of subjects whose errors are alike: each has an offset of its own, which its solutions share and do not see."""
    source = np.random.default_rng(seed)
    stds = source.uniform(0.1, 2.0, subjects * each)
    offsets = np.repeat(source.normal(0, common, subjects), each)
    return source.normal(0, stds) + offsets, stds, np.repeat(np.arange(subjects), each)


@given(seed=st.integers(0, 2**16), level=st.sampled_from([0.5, 0.8, 0.9]))
@settings(deadline=None, max_examples=15)
def test_cases_of_new_subjects_lie_in_their_intervals_as_often_as_wanted(seed, level):
    found = calibrate_uncertainty(*drawn(seed, 400, 5), choose_floor(*drawn(seed + 1, 30, 5), level), level)
    errors, stds, _ = drawn(seed + 2, 4000, 5)
    assert coverage(errors, found.half_width(stds)) == pytest.approx(level, abs=0.05)


@pytest.mark.parametrize("subjects", [9, 12, 20])
def test_the_promise_holds_on_average_over_calibrations_of_few_subjects(subjects):
    """Where one pools the cases as if they were independent, a dozen subjects with large offsets of their own miss it."""
    kept, pooled = [], []
    for seed in range(300):
        cases = drawn((seed, subjects), subjects, 10, common=3.0)
        errors, stds, _ = drawn((seed, subjects, 1), 200, 2, common=3.0)
        found = calibrate_uncertainty(*cases, floor=3.0)
        kept.append(coverage(errors, found.half_width(stds)))
        scores = np.abs(cases[0]) / np.sqrt(cases[1] ** 2 + 9)
        pooled.append(
            coverage(errors, np.sort(scores)[int(np.ceil(0.9 * (len(scores) + 1))) - 1] * np.sqrt(stds**2 + 9))
        )
    scatter = np.std(kept) / len(kept) ** 0.5
    assert np.mean(kept) >= 0.9 - 3 * scatter
    assert np.mean(pooled) < np.mean(kept)


def test_with_one_case_a_subject_it_is_split_conformal_prediction():
    errors, stds, names = drawn(0, 37, 1)
    found = calibrate_uncertainty(errors, stds, names, 0.7, level=0.8)
    scores = np.sort(np.abs(errors) / np.sqrt(stds**2 + 0.7**2))
    assert found.factor == scores[int(np.ceil(38 * 0.8)) - 1]  # the (n + 1) p-th smallest, Lei et al. 2018
    assert (found.count, found.subjects, found.floor) == (37, 37, 0.7)


def test_a_subject_with_many_cases_weighs_as_much_as_one_with_few():
    errors = np.concatenate([np.full(1000, 5.0), np.ones(19)])
    names = np.concatenate([np.zeros(1000), np.arange(1, 20)])
    found = calibrate_uncertainty(errors, np.zeros(1019), names, 1.0, level=0.9)
    assert found.factor == 1.0  # 19 of 21 are 0.905; by cases the large one would decide
    assert calibrate_uncertainty(errors, np.zeros(1019), names, 1.0, level=0.92).factor == 5.0


def test_with_normal_errors_the_intervals_are_as_narrow_as_the_closed_form_ones():
    source = np.random.default_rng(0)
    stds = source.uniform(0.1, 2.0, 100000)
    errors = source.normal(0, np.sqrt(stds**2 + 0.5**2))
    names = np.arange(100000)
    found = calibrate_uncertainty(errors, stds, names, choose_floor(errors, stds, names))
    ideal = 1.645 * np.sqrt(stds**2 + 0.5**2)
    assert found.half_width(stds).mean() == pytest.approx(ideal.mean(), rel=0.03)


@given(scale=st.floats(0.01, 100))
@settings(deadline=None, max_examples=20)
def test_intervals_have_the_unit_of_the_errors(scale):
    errors, stds, names = drawn(3, 40, 5)
    floor = choose_floor(errors, stds, names)
    assert choose_floor(scale * errors, scale * stds, names) == pytest.approx(scale * floor, rel=1e-6)
    one = calibrate_uncertainty(errors, stds, names, floor)
    other = calibrate_uncertainty(scale * errors, scale * stds, names, scale * floor)
    np.testing.assert_allclose(other.half_width(scale * stds), scale * one.half_width(stds), rtol=1e-6)


def test_the_sign_of_an_error_does_not_matter():
    errors, stds, names = drawn(5, 20, 5)
    assert choose_floor(errors, stds, names) == choose_floor(-errors, stds, names)
    assert calibrate_uncertainty(errors, stds, names, 1.0) == calibrate_uncertainty(-errors, stds, names, 1.0)


@pytest.mark.parametrize(("level", "needed"), [(0.5, 1), (0.75, 3), (0.8, 4), (0.9, 9), (0.95, 19)])
def test_so_many_subjects_and_no_fewer_do_for_a_level(level, needed):
    assert subjects_needed(level) == needed
    assert calibrate_uncertainty(np.arange(needed), np.ones(needed), np.arange(needed), 1.0, level).subjects == needed
    if needed > 1:
        few = needed - 1
        with pytest.raises(
            ValueError,
            match=rf"cases of {few} subjects for a level of {level}: expected at least {needed} subjects; calibrate",
        ):
            calibrate_uncertainty(np.ones(100 * few), np.ones(100 * few), np.repeat(np.arange(few), 100), 1.0, level)


@pytest.mark.parametrize(
    ("errors", "stds", "message"),
    [
        (np.ones(3), np.ones(4), "3 errors, 4 standard deviations and 3 subjects: expected as many of each"),
        (np.array([1.0, np.nan]), np.ones(2), "all finite; leave out cases without an answer"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(errors, stds, message):
    for learn in (choose_floor, lambda *cases: calibrate_uncertainty(*cases, 1.0)):
        with pytest.raises(ValueError, match=message):
            learn(errors, stds, np.arange(len(errors)))


@pytest.mark.parametrize("level", [0.0, 1.0, 1.5])
def test_levels_are_shares(level):
    with pytest.raises(ValueError, match=f"level is {level}: expected a share between 0 and 1"):
        calibrate_uncertainty(np.ones(100), np.ones(100), np.arange(100), 1.0, level)


def test_floors_are_positive_and_come_from_cases():
    with pytest.raises(ValueError, match=r"floor is 0\.0: expected more than 0, see choose_floor"):
        calibrate_uncertainty(np.ones(100), np.ones(100), np.arange(100), 0.0)
    with pytest.raises(ValueError, match="there are no cases to choose a floor from: expected at least one"):
        choose_floor(np.zeros(0), np.zeros(0), np.zeros(0))
