import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from monai_cardiac_gan.metrics.density_coverage import (
    DensityCoverage,
    DensityCoverageMetric,
    density_coverage,
    expected_coverage,
)

FULL_SIZE_VARIABLE = "MONAI_CARDIAC_GAN_FULL_SIZE"
PUBLIC_CODE = {
    (1000, 5, 0.0, 1.0): DensityCoverage(density=0.9286, coverage=0.961),
    (800, 3, 0.05, 0.95): DensityCoverage(density=6643 / 3000, coverage=0.985),
}
"""(reals, k, mean, deviation) -> what the public code of Naeem et al. 2020, prdc 0.2, gave for the draws of the test."""
FULL_SIZE = (10_000, 1_000)
PUBLISHED = DensityCoverage(density=1.0555, coverage=0.9735)
"""Of two normal samples of full size with k = 5: the example of Naeem et al. 2020's public code, its draw unknown."""
SCATTER = DensityCoverage(density=0.062, coverage=0.0072)
"""Standard deviation between draws, from six draws of full size: in many dimensions a few samples are near to many."""


def samples(generated=40, real=60, features=3, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(0.5, 0.8, (generated, features))), torch.from_numpy(
        rng.normal(size=(real, features))
    )


@given(seed=st.integers(0, 2**31), k=st.integers(1, 8))
@settings(deadline=None, max_examples=30)
def test_balls_that_hold_samples_are_counted(seed, k):
    generated, real = samples(seed=seed)
    radii = np.sort(cdist(real, real), axis=1)[:, k]
    inside = cdist(generated, real) <= radii
    found = density_coverage(generated, real, k)
    assert found.density == pytest.approx(inside.sum(1).mean() / k, abs=1e-12)
    assert found.coverage == pytest.approx(inside.any(0).mean(), abs=1e-12)


@pytest.mark.parametrize(("generated", "real", "k", "features"), [(30, 30, 5, 2), (30, 30, 1, 20), (60, 20, 3, 2)])
@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_equal_distributions_give_what_is_expected_whatever_they_are(generated, real, k, features, draw):
    rng = np.random.default_rng(0)
    repeats = 400
    found = [
        density_coverage(*(torch.from_numpy(getattr(rng, draw)(size=(n, features))) for n in (generated, real)), k)
        for _ in range(repeats)
    ]
    for values, expected in (
        ([each.density for each in found], 1.0),
        ([each.coverage for each in found], expected_coverage(generated, real, k)),
    ):
        assert np.mean(values) == pytest.approx(expected, abs=4 * np.std(values) / repeats**0.5)


@pytest.mark.parametrize(("count", "k"), [(10, 1), (10, 5), (1000, 5)])
def test_expected_coverage_is_that_of_lemma_2(count, k):
    numerator = np.prod([count - j for j in range(1, k + 1)], dtype=float)
    denominator = np.prod([2 * count - j for j in range(1, k + 1)], dtype=float)
    assert expected_coverage(count, count, k) == pytest.approx(1 - numerator / denominator, rel=1e-12)


@pytest.mark.parametrize(("count", "k", "mean", "deviation"), PUBLIC_CODE)
def test_public_code_finds_the_same(count, k, mean, deviation):
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(count, 100)), rng.normal(mean, deviation, size=(1000, 100))
    found = density_coverage(torch.from_numpy(generated), torch.from_numpy(real), k)
    expected = PUBLIC_CODE[count, k, mean, deviation]
    assert (found.density, found.coverage) == pytest.approx((expected.density, expected.coverage), abs=1e-12)


@pytest.mark.skipif(FULL_SIZE_VARIABLE not in os.environ, reason=f"takes some seconds: set {FULL_SIZE_VARIABLE}")
def test_published_values_of_two_normal_samples_of_full_size():
    generated, real = torch.randn(2, *FULL_SIZE, generator=torch.Generator().manual_seed(2))
    found = density_coverage(generated, real, k=5)
    # the published draw scatters as ours does
    assert found.density == pytest.approx(PUBLISHED.density, abs=4 * 2**0.5 * SCATTER.density)
    assert found.coverage == pytest.approx(PUBLISHED.coverage, abs=4 * 2**0.5 * SCATTER.coverage)
    assert PUBLISHED.coverage == pytest.approx(expected_coverage(10_000, 10_000, 5), abs=4 * SCATTER.coverage)


def test_samples_that_repeat_one_real_are_dense_and_cover_little():
    _, real = samples()
    found = density_coverage(real[:1].repeat(50, 1), real, k=5)
    balls = (cdist(real[:1], real)[0] <= np.sort(cdist(real, real), axis=1)[:, 5]).sum()
    assert found == DensityCoverage(density=balls / 5, coverage=balls / len(real))
    assert density_coverage(real + 100, real) == DensityCoverage(0.0, 0.0)


def test_batches_add_up_to_the_whole():
    generated, real = samples(60, 60, features=4)
    metric = DensityCoverageMetric(features=lambda images: images.flatten(1), part="coverage", k=2)
    for some, others in zip(generated.split(25), real.split(25), strict=True):
        metric(y_pred=some.reshape(-1, 1, 2, 2), y=others.reshape(-1, 1, 2, 2))
    assert metric.aggregate() == density_coverage(generated, real, k=2).coverage


def test_more_neighbours_than_reals_are_refused():
    with pytest.raises(ValueError, match="k is 60 for 60 samples, expected 1 to 59"):
        density_coverage(*samples(), k=60)
