import os

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from monai_cardiac_gan.metrics import neighbours
from monai_cardiac_gan.metrics.precision_recall import PrecisionRecall, PrecisionRecallMetric, precision_recall

FULL_SIZE_VARIABLE = "MONAI_CARDIAC_GAN_FULL_SIZE"
PUBLIC_CODE = {
    (1000, 5, 0.0, 1.0): PrecisionRecall(precision=0.699, recall=0.722),
    (800, 3, 0.05, 0.95): PrecisionRecall(precision=0.805, recall=0.365),
}
"""(reals, k, mean, deviation) -> what the public code of Naeem et al. 2020, prdc 0.2, gave for the draws of the test."""
FULL_SIZE = (10_000, 1_000)
PUBLISHED = PrecisionRecall(precision=0.4772, recall=0.4705)
"""Of two normal samples of full size with k = 5: the example of Naeem et al. 2020's public code, its draw unknown."""
SCATTER = PrecisionRecall(precision=0.0085, recall=0.0115)
"""Standard deviation between draws, from six draws of full size."""


def samples(generated=40, real=60, features=3, shift=0.5, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(shift, 0.8, (generated, features))), torch.from_numpy(
        rng.normal(size=(real, features))
    )


def share_inside(queries, points, k):
    radii = np.sort(cdist(points, points), axis=1)[:, k]  # the first column is the point itself
    return np.mean([any(cdist([query], points)[0] <= radii) for query in queries])


@given(seed=st.integers(0, 2**31), k=st.integers(1, 8), shift=st.floats(0, 4))
@settings(deadline=None, max_examples=30)
def test_shares_inside_balls_are_counted(seed, k, shift):
    generated, real = samples(shift=shift, seed=seed)
    found = precision_recall(generated, real, k)
    assert found.precision == pytest.approx(share_inside(generated.numpy(), real.numpy(), k), abs=1e-12)
    assert found.recall == pytest.approx(share_inside(real.numpy(), generated.numpy(), k), abs=1e-12)


@pytest.mark.parametrize("k", [1, 3])
def test_torch_fidelity_finds_the_same(fidelity, k):
    pair = samples()
    settings = {"prc_neighborhood": k, "prc_batch_size": 100, "save_cpu_ram": False, "verbose": False}
    expected = fidelity("metric_prc").prc_features_to_metric(*pair, **settings)
    found = precision_recall(*pair, k)
    assert (found.precision, found.recall) == pytest.approx((expected["precision"], expected["recall"]), abs=1e-7)


def test_far_samples_share_nothing_and_a_sample_shares_all_with_itself():
    generated, real = samples()
    assert precision_recall(generated + 100, real) == PrecisionRecall(0.0, 0.0)
    assert precision_recall(real, real) == PrecisionRecall(1.0, 1.0)


def test_half_of_the_modes_and_half_of_the_samples():
    """Reals of two clusters; half of the generated samples in the one, half nowhere near."""
    rng = np.random.default_rng(0)
    cluster, other, nowhere, again = torch.from_numpy(rng.normal(size=(4, 200, 1)))
    found = precision_recall(torch.cat([again, nowhere + 1e3]), torch.cat([cluster, other - 1e3]), k=20)
    assert found.precision == pytest.approx(0.5, abs=0.02)
    assert found.recall == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("count", "k", "mean", "deviation"), PUBLIC_CODE)
def test_public_code_finds_the_same(count, k, mean, deviation):
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(count, 100)), rng.normal(mean, deviation, size=(1000, 100))
    found = precision_recall(torch.from_numpy(generated), torch.from_numpy(real), k)
    expected = PUBLIC_CODE[count, k, mean, deviation]
    assert (found.precision, found.recall) == pytest.approx((expected.precision, expected.recall), abs=1e-12)


@pytest.mark.skipif(FULL_SIZE_VARIABLE not in os.environ, reason=f"takes half a minute: set {FULL_SIZE_VARIABLE}")
def test_published_values_of_two_normal_samples_of_full_size():
    generated, real = torch.randn(2, *FULL_SIZE, generator=torch.Generator().manual_seed(1))
    found = precision_recall(generated, real, k=5)
    # the published draw scatters as ours does
    assert found.precision == pytest.approx(PUBLISHED.precision, abs=4 * 2**0.5 * SCATTER.precision)
    assert found.recall == pytest.approx(PUBLISHED.recall, abs=4 * 2**0.5 * SCATTER.recall)


def test_blocks_change_nothing(monkeypatch):
    whole = precision_recall(*samples())
    monkeypatch.setattr(neighbours, "BLOCK", 130)
    assert precision_recall(*samples()) == whole


def test_batches_add_up_to_the_whole():
    generated, real = samples(60, 60, features=4)
    metric = PrecisionRecallMetric(features=lambda images: images.flatten(1), k=2)
    for some, others in zip(generated.split(25), real.split(25), strict=True):
        metric(y_pred=some.reshape(-1, 1, 2, 2), y=others.reshape(-1, 1, 2, 2))
    expected = precision_recall(generated, real, k=2)
    assert metric.aggregate() == {"precision": expected.precision, "recall": expected.recall}


def test_images_without_a_feature_network_are_refused():
    metric = PrecisionRecallMetric()
    metric(y_pred=torch.zeros(5, 1, 4, 4), y=torch.zeros(5, 1, 4, 4))
    with pytest.raises(ValueError, match="pass a feature network first"):
        metric.aggregate()


def test_more_neighbours_than_samples_are_refused():
    with pytest.raises(ValueError, match="k is 40 for 40 samples, expected 1 to 39"):
        precision_recall(*samples(), k=40)
