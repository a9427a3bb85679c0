from math import comb

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from scipy.stats import binom, mannwhitneyu, norm

from monai_cardiac_gan.metrics.memorisation import MemorisationVerdict, memorisation_test


def draws(*counts, features=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, features, generator=generator, dtype=torch.float64) for count in counts]


def test_distances_and_score_are_those_of_independent_ways():
    generated, train, held_out = draws(80, 200, 50)
    found = memorisation_test(generated, train, held_out)
    tree = cKDTree(train)
    distances, indices = tree.query(generated)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-10)
    assert found.nearest_train.tolist() == indices.tolist()
    expected = mannwhitneyu(
        distances, tree.query(held_out)[0], alternative="two-sided", method="asymptotic", use_continuity=False
    )
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert abs(found.z) == pytest.approx(norm.isf(expected.pvalue / 2), rel=1e-9)


def test_copies_with_a_little_noise_fail_and_are_traced():
    train, held_out, noise = draws(200, 100, 100)
    chosen = torch.randperm(200, generator=torch.Generator().manual_seed(1))[:100]
    found = memorisation_test(train[chosen] + 1e-3 * noise, train, held_out)
    assert found.verdict is MemorisationVerdict.COPIES
    # every generated distance below every held-out one
    assert found.z == pytest.approx(-(100**2) / 2 / np.sqrt(100**2 * 201 / 12))
    assert found.close_share == 1.0
    assert found.nearest_train.tolist() == chosen.tolist()


def test_a_few_copies_among_fresh_draws_fail_by_their_share():
    train, held_out, fresh = draws(300, 200, 190)
    found = memorisation_test(torch.cat([train[:15], fresh]), train, held_out)
    assert abs(found.z) < found.most_z
    assert found.close_share >= 15 / 205
    assert found.verdict is MemorisationVerdict.COPIES


def test_fresh_draws_pass_as_often_as_promised():
    repeats, level = 400, 0.05
    found = [memorisation_test(*draws(60, 100, 60, seed=seed)) for seed in range(repeats)]
    allowed = binom.ppf(0.9999, repeats, level)
    assert sum(each.p_value <= level for each in found) <= allowed
    assert sum(each.close_p_value <= level for each in found) <= allowed
    # z below -3, z above 3, and the close share, each with the same probability
    other = sum(each.verdict is not MemorisationVerdict.AS_HELD_OUT for each in found)
    assert other <= binom.ppf(0.9999, repeats, 3 * norm.cdf(-3))
    scores = [each.z for each in found]
    assert np.mean(scores) == pytest.approx(0, abs=4 / repeats**0.5)


@pytest.mark.parametrize("close", [0, 1, 3, 9])
def test_probability_of_the_close_share_in_closed_form(close):
    """With one held-out sample to beat: that the closest of all 30 are generated, so and so many times in turn."""
    train, held_out = torch.zeros(2, 1), torch.arange(2.0, 12.0)[:, None]
    generated = torch.cat([torch.full((close, 1), 1.0), torch.full((20 - close, 1), 50.0)])
    found = memorisation_test(generated, train, held_out)
    assert found.close_share == close / 20
    assert found.close_p_value == pytest.approx(comb(30 - close, 10) / comb(30, 10), rel=1e-9)


def test_samples_far_from_everything_do_not_pass_for_held_out_ones():
    generated, train, held_out = draws(50, 100, 50)
    found = memorisation_test(generated + 100, train, held_out)
    assert found.z == pytest.approx(50**2 / 2 / np.sqrt(50**2 * 101 / 12))
    assert found.verdict is MemorisationVerdict.FARTHER


def test_images_are_compared_pixel_by_pixel():
    generated, train, held_out = (sample.float().reshape(-1, 1, 8, 8) for sample in draws(20, 40, 20, features=64))
    found = memorisation_test(torch.cat([generated, train[7:8]]), train, held_out)
    assert found.nearest_train[-1] == 7
    assert found.distances[-1] < 1e-6
    squares = (generated[0] - train).square().sum((1, 2, 3))
    assert found.distances[0] == pytest.approx(squares.min().sqrt().item(), rel=1e-6)


def test_a_stricter_threshold_changes_the_verdict():
    train, held_out, noise = draws(200, 60, 60)
    somewhat_near = train[:60] + 0.2 * noise
    lenient, strict = (memorisation_test(somewhat_near, train, held_out, most_z=z) for z in (9.0, 2.0))
    assert lenient.z == strict.z
    assert -9 < lenient.z < -2
    assert lenient.verdict is MemorisationVerdict.AS_HELD_OUT
    assert strict.verdict is MemorisationVerdict.COPIES


def test_samples_of_different_form_are_refused():
    with pytest.raises(ValueError, match="have 5 features and real ones 4: pass both through the same"):
        memorisation_test(torch.zeros(3, 5), torch.zeros(3, 4), torch.zeros(3, 5))
