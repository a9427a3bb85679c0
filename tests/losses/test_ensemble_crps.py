import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from monai_cardiac_gan.losses import ensemble_crps, masked_l1, pyramid_crps
from monai_cardiac_gan.losses.ensemble_crps import SCALES

HERE = torch.ones(1, 1, 1, 1, dtype=torch.bool)


def pixel(value):
    return torch.full((1, 1, 1, 1), float(value), dtype=torch.float64)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=5), st.floats(-1, 1))
def test_one_pixel_by_the_formula(values, truth):
    score = ensemble_crps([pixel(value) for value in values], pixel(truth), HERE).item()
    count = len(values)
    error = sum(abs(value - truth) for value in values) / count
    apart = sum(abs(one - other) for one in values for other in values) / (2 * count * (count - 1))
    assert score == pytest.approx(error - apart, abs=1e-12)


def test_its_mean_is_the_integral_over_the_distribution_functions():
    # CRPS of N(0, 1) at 0.3, closed form of Gneiting and Raftery 2007, equation 21
    y = 0.3
    density, below = math.exp(-(y**2) / 2) / math.sqrt(2 * math.pi), 0.5 * (1 + math.erf(y / math.sqrt(2)))
    expected = y * (2 * below - 1) + 2 * density - 1 / math.sqrt(math.pi)
    random = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 400_000, 1, 1, 1, generator=random, dtype=torch.float64)
    scores = ensemble_crps([one, other], torch.full_like(one, y), HERE)
    assert scores.mean().item() == pytest.approx(expected, abs=0.004)  # four standard errors


def test_the_truth_s_own_spread_scores_best():
    random = torch.Generator().manual_seed(0)
    truth, one, other = torch.randn(3, 200_000, 1, 1, 1, generator=random)
    means = {s: ensemble_crps([s * one, s * other], truth, HERE).mean().item() for s in (0.0, 0.6, 1.0, 1.5)}
    assert min(means, key=means.get) == 1.0
    assert means[0.0] == pytest.approx(math.sqrt(2 / math.pi), abs=0.01)  # the L1 distance of the median


def test_scale_one_is_the_score_of_pixels():
    random = torch.Generator().manual_seed(0)
    one, other, truth = torch.randn(3, 2, 1, 16, 16, generator=random)
    where = torch.rand(2, 1, 16, 16, generator=random) < 0.5
    torch.testing.assert_close(pyramid_crps([one, other], truth, where, [1]), ensemble_crps([one, other], truth, where))


def test_blocks_are_scored_by_the_means_of_what_counts():
    random = torch.Generator().manual_seed(0)
    one, other, truth = torch.randn(3, 2, 1, 16, 16, generator=random)
    where = torch.zeros(2, 1, 16, 16, dtype=torch.bool)
    where[:, :, 2:7, 4:8] = True  # rows 2, 3 of the first block and 4 to 6 of the second

    def means(image):
        return torch.stack([image[:, :, 2:4, 4:8].mean((2, 3)), image[:, :, 4:7, 4:8].mean((2, 3))], 2)[..., None]

    both = torch.ones(1, 1, 2, 1, dtype=torch.bool)
    expected = ensemble_crps([means(one), means(other)], means(truth), both)
    torch.testing.assert_close(pyramid_crps([one, other], truth, where, [4]), expected)


def test_what_lies_outside_does_not_matter():
    random = torch.Generator().manual_seed(0)
    one, other, truth = torch.randn(3, 2, 1, 32, 32, generator=random)
    where = torch.zeros(2, 1, 32, 32, dtype=torch.bool)
    where[:, :, 5:20, 9:21] = True
    changed = torch.where(where, one, one + 7)
    torch.testing.assert_close(pyramid_crps([one, other], truth, where), pyramid_crps([changed, other], truth, where))


def test_default_scales_weigh_alike():
    random = torch.Generator().manual_seed(0)
    one, other, truth = torch.randn(3, 2, 1, 32, 32, generator=random)
    where = torch.ones(1, 1, 32, 32, dtype=torch.bool)
    each = [
        ensemble_crps(
            [F.avg_pool2d(one, side), F.avg_pool2d(other, side)], F.avg_pool2d(truth, side), HERE.expand(1, 1, n, n)
        )
        for side, n in ((side, 32 // side) for side in SCALES)
    ]
    torch.testing.assert_close(pyramid_crps([one, other], truth, where), torch.stack(each).mean(0))


def test_equal_samples_are_charged_their_distance():
    random = torch.Generator().manual_seed(0)
    sample, truth = torch.randn(2, 3, 1, 8, 8, generator=random)
    where = torch.rand(3, 1, 8, 8, generator=random) < 0.5
    torch.testing.assert_close(ensemble_crps([sample, sample], truth, where), masked_l1(sample, truth, where))


def test_one_sample_is_refused():
    with pytest.raises(ValueError, match=r"there are 1 samples, expected at least 2"):
        ensemble_crps([pixel(0)], pixel(0), HERE)
