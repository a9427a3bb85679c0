import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.metrics import calibrated_coverage, central_interval, spread_skill_ratio


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=30, deadline=None)
@given(count=st.integers(2, 60), level=st.floats(0.05, 0.95))
def test_the_ends_are_numpys_weibull_quantiles(count, level):
    samples = normal(count, 4)
    lower, upper = central_interval(samples, level)
    expected = np.quantile(samples.numpy(), [(1 - level) / 2, (1 + level) / 2], axis=0, method="weibull")
    np.testing.assert_allclose(torch.stack([lower, upper]), expected, atol=1e-6)


@pytest.mark.parametrize("count", [2, 4, 16, 19, 39])
def test_a_truth_from_the_same_distribution_lies_inside_as_often_as_is_said(count):
    draws = normal(count + 1, 100_000)
    lower, upper = central_interval(draws[1:])
    held = ((lower <= draws[0]) & (draws[0] <= upper)).double().mean().item()
    assert held == pytest.approx(calibrated_coverage(count), abs=0.004)  # three standard errors
    assert calibrated_coverage(count) == pytest.approx(min(0.9, (count - 1) / (count + 1)))


@settings(max_examples=20, deadline=None)
@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 10), seed=st.integers(0, 50))
def test_the_ratio_knows_no_unit(shift, scale, seed):
    samples, truths = normal(5, 20, seed=seed), normal(20, seed=seed + 1)
    expected = np.sqrt(6 / 5 * samples.numpy().var(0, ddof=1).mean() / ((samples.mean(0) - truths) ** 2).mean().item())
    assert spread_skill_ratio(scale * samples + shift, scale * truths + shift) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("count", [2, 4, 19])
@pytest.mark.parametrize("std", [0.5, 1.0])
def test_it_is_1_for_calibrated_samples_of_any_number(count, std):
    """Error of the mean: 1 + s² / K. Means of the truth's own distribution: s = 1."""
    found = spread_skill_ratio(std * normal(count, 100_000), normal(100_000, seed=1))
    assert found == pytest.approx(np.sqrt((count + 1) / count * std**2 / (1 + std**2 / count)), rel=0.01)
    if std == 1:
        assert found == pytest.approx(1, rel=0.01)


def test_samples_too_few_and_levels_that_are_none_are_refused():
    for call in (lambda: central_interval(torch.zeros(1, 2)), lambda: calibrated_coverage(1)):
        with pytest.raises(ValueError, match="there is 1 sample: expected at least 2"):
            call()
    with pytest.raises(ValueError, match="there is 1 sample: expected at least 2"):
        spread_skill_ratio(torch.zeros(1, 2), torch.zeros(2))
    for call in (lambda: central_interval(torch.zeros(3), 1.0), lambda: calibrated_coverage(3, 90)):
        with pytest.raises(ValueError, match=r"expected a share between 0 and 1, such as 0\.9"):
            call()
    with pytest.raises(ValueError, match=r"the samples are \[3, 4\] and the truths \[5\]"):
        spread_skill_ratio(torch.zeros(3, 4), torch.zeros(5))
