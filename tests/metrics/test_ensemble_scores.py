import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from monai_cardiac_gan.metrics import energy_score, fair_crps


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=30, deadline=None)
@given(count=st.integers(2, 9), seed=st.integers(0, 100))
def test_the_crps_is_that_of_its_double_sum(count, seed):
    samples, truths = normal(count, 3, 2, seed=seed).numpy(), normal(3, 2, seed=seed + 1).numpy()
    pairs = np.abs(samples[:, None] - samples[None]).sum((0, 1))
    expected = np.abs(samples - truths).mean(0) - pairs / (2 * count * (count - 1))
    found = fair_crps(torch.from_numpy(samples), torch.from_numpy(truths))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(count=st.integers(2, 6), seed=st.integers(0, 20))
def test_unfair_it_is_the_integral_over_the_distribution_function(count, seed):
    """CRPS by its definition: the integral of (F(t) - 1{t >= y})², which has K² where the fair one has K (K - 1)."""
    samples, truth = normal(count, seed=seed).numpy(), 0.3
    grid = np.sort([*samples, truth])
    integral = sum(
        quad(lambda t: (np.mean(samples <= t) - (t >= truth)) ** 2, a, b)[0] for a, b in itertools.pairwise(grid)
    )
    gap = np.abs(samples[:, None] - samples[None]).sum() * (1 / (2 * count * (count - 1)) - 1 / (2 * count**2))
    found = fair_crps(torch.from_numpy(samples), torch.tensor(truth, dtype=torch.float64)).item()
    assert found + gap == pytest.approx(integral, abs=1e-8)


@pytest.mark.parametrize("count", [2, 5, 16])
@pytest.mark.parametrize("std", [0.5, 1.0, 2.0])
def test_its_mean_is_that_of_a_normal_distribution_whatever_the_number_of_samples(count, std):
    """Gneiting and Raftery 2007, section 4.2: closed form of a normal forecast, for a truth at 0.7."""
    z = 0.7 / std
    expected = std * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    found = fair_crps(std * normal(count, 200_000), torch.full((200_000,), 0.7))
    assert found.mean().item() == pytest.approx(expected, abs=0.015)


def test_of_one_sample_it_is_the_absolute_error_and_the_energy_score_the_root_mean_square():
    sample, truth = normal(1, 50), normal(50, seed=1)
    torch.testing.assert_close(fair_crps(sample, truth), (sample[0] - truth).abs())
    assert energy_score(sample, truth) == pytest.approx((sample[0] - truth).square().mean().sqrt().item())


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 9), seed=st.integers(0, 100))
def test_in_one_dimension_the_energy_score_is_the_crps(count, seed):
    samples, truth = normal(count, 1, seed=seed), normal(1, seed=seed + 1)
    assert energy_score(samples, truth) == pytest.approx(fair_crps(samples, truth).item(), abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(count=st.integers(2, 9), seed=st.integers(0, 100), scale=st.floats(0.1, 10))
def test_the_energy_score_is_its_double_sum_and_scales(count, seed, scale):
    samples, truth = normal(count, 7, seed=seed), normal(7, seed=seed + 1)
    pairs = sum(np.linalg.norm(a - b) for a in samples.numpy() for b in samples.numpy())
    errors = np.mean([np.linalg.norm(each - truth.numpy()) for each in samples.numpy()])
    expected = (errors - pairs / (2 * count * (count - 1))) / np.sqrt(7)
    assert energy_score(samples, truth) == pytest.approx(expected, abs=1e-12)
    assert energy_score(scale * samples + 3, scale * truth + 3) == pytest.approx(scale * expected, abs=1e-9)


def test_the_energy_score_sees_correlation_and_the_crps_does_not():
    """Truths that are equal in all pixels: samples that are so, too, are better than white ones of the same spread."""
    truths = normal(400, 1).expand(400, 30)
    alike, white = normal(8, 400, 1, seed=1).expand(8, 400, 30), normal(8, 400, 30, seed=2)
    scores = [np.mean([energy_score(samples[:, i], truths[i]) for i in range(400)]) for samples in (alike, white)]
    assert scores[0] < scores[1] - 0.05
    crps = [fair_crps(samples, truths).mean().item() for samples in (alike, white)]
    assert crps[0] == pytest.approx(crps[1], abs=0.05)


@pytest.mark.parametrize("score", [fair_crps, energy_score])
def test_other_shapes_are_refused(score):
    with pytest.raises(ValueError, match=r"the samples are \[3, 4\] and the truths \[5\]: expected"):
        score(torch.zeros(3, 4), torch.zeros(5))
    with pytest.raises(ValueError, match=r"the samples are \[0, 4\].* with at least one sample"):
        score(torch.zeros(0, 4), torch.zeros(4))
