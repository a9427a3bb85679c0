import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics import compute_average_precision, compute_roc_auc
from scipy import stats

from monai_cardiac_gan.evaluation.detection_quality import (
    CaseScores,
    area_under_roc,
    average_precision,
    best_dice,
    binomial_band,
    dice_at,
    with_interval,
)

SCORES = st.lists(st.integers(0, 8).map(float), min_size=1, max_size=30).map(np.array)


@given(normal=SCORES, abnormal=SCORES)
def test_areas_are_those_of_monai(normal, abnormal):
    scores = torch.tensor(np.concatenate([normal, abnormal]))
    truth = torch.tensor([0] * len(normal) + [1] * len(abnormal))
    assert area_under_roc(normal, abnormal) == pytest.approx(compute_roc_auc(scores, truth))
    assert average_precision(normal, abnormal) == pytest.approx(compute_average_precision(scores, truth))


@given(normal=SCORES, abnormal=SCORES)
def test_the_area_is_the_share_of_pairs_in_order(normal, abnormal):
    pairs = abnormal[:, None] - normal
    assert area_under_roc(normal, abnormal) == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)))


def test_without_either_there_is_no_area():
    none, some = np.zeros(0), np.ones(3)
    assert np.isnan([area_under_roc(none, some), area_under_roc(some, none), average_precision(some, none)]).all()
    assert average_precision(none, some) == 1.0


def test_normal_scores_have_the_area_of_their_distance():
    """Two normal distributions d apart: Phi(d / sqrt 2)."""
    source = np.random.default_rng(0)
    found = area_under_roc(source.normal(0, 1, 20000), source.normal(1.5, 1, 20000))
    assert found == pytest.approx(stats.norm.cdf(1.5 / np.sqrt(2)), abs=0.01)


@given(shift=st.integers(0, 10))
def test_dice_of_two_stretches_is_their_overlap(shift):
    truth = np.zeros(40, bool)
    truth[:10] = True
    maps = np.roll(truth, shift).astype(float)
    assert dice_at(maps, truth, 0.5) == pytest.approx((10 - shift) / 10)
    assert np.isnan(dice_at(np.zeros(4), np.zeros(4, bool), 0.5))


def test_the_oracle_finds_the_best_threshold():
    source = np.random.default_rng(0)
    truth = source.random(2000) < 0.1
    maps = truth * 2.0 + source.normal(0, 0.5, 2000)
    best, threshold = best_dice(maps, truth)
    assert best == dice_at(maps, truth, threshold)
    assert best >= max(dice_at(maps, truth, each) for each in np.linspace(-1, 3, 41)) - 0.01


def test_of_a_map_that_says_nothing_no_threshold_is_good():
    assert best_dice(np.zeros(5), np.zeros(5, bool))[0] == 0
    assert best_dice(np.zeros(5), np.ones(5, bool))[0] == 0


def test_intervals_are_over_subjects_and_hold_what_they_should():
    """The interval of an area over 40 subjects with one score of each kind holds the true area in nearly all of 16 draws."""
    truth, held = stats.norm.cdf(1 / np.sqrt(2)), 0
    for seed in range(16):
        source = np.random.default_rng(seed)
        cases = [CaseScores(source.normal(0, 1, 1), source.normal(1, 1, 1)) for _ in range(40)]
        _, low, high = with_interval(area_under_roc, cases, seed)
        held += low <= truth <= high
    assert held >= 13


def test_scores_of_one_subject_move_together():
    """Many scores of few subjects are no more certain than the subjects: two kinds of subjects, far apart."""
    good, bad = CaseScores(np.zeros(500), np.ones(500)), CaseScores(np.ones(500), np.zeros(500))
    value, low, high = with_interval(area_under_roc, [good] * 3 + [bad] * 3)
    assert value == 0.5
    assert high - low > 0.6


def test_fewer_than_five_subjects_have_no_interval():
    case = CaseScores(np.zeros(3), np.ones(3))
    assert with_interval(area_under_roc, [case] * 4) == (1.0, None, None)
    assert np.isnan(with_interval(area_under_roc, [])[0])


@pytest.mark.parametrize(("rate", "count"), [(0.05, 100), (0.1, 37), (0.05, 8)])
def test_the_band_holds_99_in_100(rate, count):
    low, high = binomial_band(rate, count)
    inside = stats.binom.cdf(high, count, rate) - stats.binom.cdf(low - 1, count, rate)
    assert inside >= 0.99
    assert stats.binom.cdf(low - 1, count, rate) <= 0.005
    assert stats.binom.sf(high, count, rate) <= 0.005
