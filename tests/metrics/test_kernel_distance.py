from importlib import import_module
from math import comb

import numpy as np
import pytest
import torch

from monai_cardiac_gan.metrics.kernel_distance import KernelDistanceMetric, kernel_distance


def samples(generated, real, features=4, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (generated, features), (real, features)
    return [torch.from_numpy(rng.normal(loc, 1.0, shape)) for loc, shape in zip((0.4, 0.0), shapes, strict=True)]


def by_double_loop(generated, real):
    def kernel(x, y):
        return (float(np.dot(x, y)) / len(x) + 1) ** 3

    def among(sample):
        pairs = [kernel(x, y) for i, x in enumerate(sample) for j, y in enumerate(sample) if i != j]
        return sum(pairs) / len(pairs)

    across = [kernel(x, y) for x in generated for y in real]
    return among(generated) + among(real) - 2 * sum(across) / len(across)


@pytest.mark.parametrize(("generated", "real"), [(2, 2), (9, 9), (11, 5)])
@pytest.mark.parametrize("rows", [1, 4, 1024])
def test_it_is_the_mean_kernel_of_all_pairs(monkeypatch, generated, real, rows):
    monkeypatch.setattr(import_module(kernel_distance.__module__), "ROWS", rows)
    pair = samples(generated, real)
    assert kernel_distance(*pair) == pytest.approx(by_double_loop(*(sample.numpy() for sample in pair)), rel=1e-12)


def test_torch_fidelity_finds_the_same(fidelity):
    pair = samples(30, 30)
    settings = {"kid_subsets": 1, "kid_subset_size": 30, "rng_seed": 0, "verbose": False}
    expected = fidelity("metric_kid").kid_features_to_metric(*pair, **settings)["kernel_inception_distance_mean"]
    assert kernel_distance(*pair) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("shift", "generated", "real"), [(0.0, 20, 20), (0.5, 20, 20), (0.5, 5, 40)])
def test_its_mean_over_draws_is_the_squared_difference_of_moments(shift, generated, real):
    """(xy + 1)³ is the product of (1, √3 x, √3 x², x³) with itself: no bias, whatever the sizes."""
    rng = np.random.default_rng(0)
    moments = np.array([[1, mean, mean**2 + 1, mean**3 + 3 * mean] for mean in (shift, 0.0)])  # of N(mean, 1)
    expected = sum(comb(3, power) * (moments[0, power] - moments[1, power]) ** 2 for power in range(4))
    draws = [
        kernel_distance(*(torch.from_numpy(rng.normal(m, 1, (n, 1))) for m, n in ((shift, generated), (0, real))))
        for _ in range(3000)
    ]
    assert np.mean(draws) == pytest.approx(expected, abs=4 * np.std(draws) / np.sqrt(len(draws)))


def test_float32_features_are_compared_in_float64():
    pair = [sample.float() for sample in samples(20, 30)]
    assert kernel_distance(*pair) == kernel_distance(*(sample.double() for sample in pair))


def test_batches_add_up_to_the_whole():
    generated, real = samples(30, 30)
    metric = KernelDistanceMetric(features=lambda images: images.flatten(1))
    for some, others in zip(generated.split(20), real.split(20), strict=True):
        metric(y_pred=some.reshape(-1, 1, 2, 2), y=others.reshape(-1, 1, 2, 2))
    assert metric.aggregate() == pytest.approx(kernel_distance(generated, real), rel=1e-12)


def test_one_sample_is_refused():
    with pytest.raises(ValueError, match="there are 1 real samples, expected at least 2"):
        kernel_distance(*samples(3, 1))
