import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from scipy.stats import binom

from monai_cardiac_gan.metrics.classifier_two_sample import (
    ClassifierTwoSample,
    ClassifierTwoSampleMetric,
    classifier_two_sample_test,
)


def samples(generated=40, real=40, features=3, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(shift, 1, (generated, features))), torch.from_numpy(
        rng.normal(size=(real, features))
    )


@pytest.mark.parametrize(("generated", "real"), [(40, 40), (15, 60)])
def test_accuracies_are_those_of_a_search_tree(generated, real):
    pair = samples(generated, real, shift=0.5)
    points = np.concatenate(pair)
    is_real = np.arange(len(points)) >= generated
    right = is_real == is_real[cKDTree(points).query(points, 2)[1][:, 1]]
    found = classifier_two_sample_test(*pair)
    assert found.real_accuracy == pytest.approx(right[is_real].mean())
    assert found.generated_accuracy == pytest.approx(right[~is_real].mean())
    assert found.accuracy == pytest.approx((found.real_accuracy + found.generated_accuracy) / 2)


def test_copies_of_the_reals_are_always_taken_for_real():
    _, real = samples()
    assert classifier_two_sample_test(real + 1e-6, real) == ClassifierTwoSample(0.0, 0.0, 0.0, 1.0)


def test_generated_samples_that_repeat_each_other_show_in_their_own_accuracy():
    generated, real = samples()
    found = classifier_two_sample_test(generated[:20].repeat(2, 1) + 1e-6 * samples(seed=1)[0], real)
    assert found.generated_accuracy > 0.95
    assert found.real_accuracy < 0.8


def test_p_value_of_two_far_clusters_is_that_of_all_arrangements():
    """2 of the 20 ways to call 3 of 6 points real put the clusters apart: as good as seen, or better."""
    cluster = torch.tensor([[0.0], [1.0], [2.5]])
    p_value = classifier_two_sample_test(cluster + 100, cluster).p_value
    low, high = binom.interval(0.9999, 999, 2 / 20)
    assert (1 + low) / 1000 <= p_value <= (1 + high) / 1000


@pytest.mark.parametrize("features", [1, 20])
def test_equal_distributions_are_rejected_as_seldom_as_promised(features):
    repeats, level = 150, 0.1
    found = [classifier_two_sample_test(*samples(30, 30, features, seed=seed)) for seed in range(repeats)]
    rejected = sum(each.p_value <= level for each in found)
    assert rejected <= binom.ppf(0.9999, repeats, level)
    accuracies = [each.accuracy for each in found]
    expected = 29 / 59  # a sample's neighbour is any of the others, fewer of which have its label
    assert np.mean(accuracies) == pytest.approx(expected, abs=4 * np.std(accuracies) / repeats**0.5)


def test_a_shifted_distribution_is_rejected():
    assert classifier_two_sample_test(*samples(shift=1.5)).p_value == 0.001


def test_the_seed_makes_the_p_value_repeatable():
    pair = samples(shift=0.3)
    first, again, other = (classifier_two_sample_test(*pair, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.accuracy == other.accuracy
    assert first.p_value != other.p_value


def test_batches_add_up_to_the_whole():
    generated, real = samples(features=4, shift=0.5)
    metric = ClassifierTwoSampleMetric(features=lambda images: images.flatten(1), part="accuracy")
    for some, others in zip(generated.split(25), real.split(25), strict=True):
        metric(y_pred=some.reshape(-1, 1, 2, 2), y=others.reshape(-1, 1, 2, 2))
    assert metric.aggregate() == classifier_two_sample_test(generated, real).accuracy


def test_one_sample_is_refused():
    with pytest.raises(ValueError, match="there are 1 generated samples, expected at least 2"):
        classifier_two_sample_test(*samples(generated=1))
