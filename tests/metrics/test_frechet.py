import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from monai.metrics.fid import get_fid_score

from monai_cardiac_gan.metrics.frechet import FrechetDistanceMetric, frechet_distance, frechet_distance_of_moments

SIZE = 5
means = arrays.arrays(float, SIZE, elements=st.floats(-10, 10))
deviations = arrays.arrays(float, SIZE, elements=st.floats(0, 10))
matrices = arrays.arrays(float, (SIZE, SIZE), elements=st.floats(-3, 3))


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(array, dtype=float)) for array in arrays]


def samples(generated=60, real=40, features=12, seed=0):
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(features, features))
    return tensors(rng.normal(size=(generated, features)) @ mix + 0.3, rng.normal(size=(real, features)))


@given(mean1=means, mean2=means, deviation1=deviations, deviation2=deviations)
@settings(deadline=None)
def test_of_independent_features_the_distance_is_that_of_means_and_deviations(mean1, mean2, deviation1, deviation2):
    moments = tensors(mean1, np.diag(deviation1**2), mean2, np.diag(deviation2**2))
    expected = ((mean1 - mean2) ** 2).sum() + ((deviation1 - deviation2) ** 2).sum()
    assert frechet_distance_of_moments(*moments) == pytest.approx(expected, abs=1e-5)


@given(root1=matrices, root2=matrices)
@settings(deadline=None)
def test_it_is_a_squared_distance_between_covariances_singular_or_not(root1, root2):
    zero = np.zeros(SIZE)
    first, second = tensors(zero, root1 @ root1.T), tensors(zero, root2 @ root2.T)
    distance = frechet_distance_of_moments(*first, *second)
    assert distance == pytest.approx(frechet_distance_of_moments(*second, *first), abs=1e-5)
    assert frechet_distance_of_moments(*first, *first) == pytest.approx(0, abs=1e-6)
    # no coupling of the two distributions is better than the best (Givens and Shortt 1984)
    assert distance <= ((root1 - root2) ** 2).sum() + 1e-5


def test_two_correlated_features_in_closed_form():
    cov1, cov2 = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 3.0]])
    product = cov1 @ cov2
    # of a 2 x 2 matrix with positive eigenvalues
    trace_of_root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(cov1 + cov2) - 2 * trace_of_root
    assert frechet_distance_of_moments(*tensors([0, 0], cov1, [0, 0], cov2)) == pytest.approx(expected, rel=1e-12)


def test_monai_finds_the_same():
    generated, real = samples()
    assert frechet_distance(generated, real) == pytest.approx(get_fid_score(generated, real).item(), rel=1e-8)


@pytest.mark.parametrize("features", [12, 30])
def test_torch_fidelity_finds_the_same(fidelity, features):
    module, pair = fidelity("metric_fid"), samples(features=features)
    statistics = [module.fid_features_to_statistics(sample) for sample in pair]
    (expected,) = module.fid_statistics_to_metric(*statistics, verbose=False).values()
    assert frechet_distance(*pair) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("generated", "real"), [(10, 10), (10, 90), (7, 3)])
def test_fewer_samples_than_features(generated, real):
    """The trace of the root is the sum of singular values of the product of the centred samples themselves."""
    pair = samples(generated, real, features=50)
    first, second = ((sample - sample.mean(0)).numpy() / np.sqrt(len(sample) - 1) for sample in pair)
    overlap = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    shift = ((pair[0].mean(0) - pair[1].mean(0)) ** 2).sum().item()
    expected = shift + (first**2).sum() + (second**2).sum() - 2 * overlap
    assert frechet_distance(*pair) == pytest.approx(expected, rel=1e-9)


def test_float32_features_are_compared_in_float64():
    generated, real = (sample.float() + 1000 for sample in samples())
    expected = frechet_distance(generated.double(), real.double())
    assert frechet_distance(generated, real) == expected
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)


def test_a_single_feature():
    generated, real = samples(features=1)
    means = (generated.mean() - real.mean()) ** 2
    assert frechet_distance(generated, real) == pytest.approx((means + (generated.std() - real.std()) ** 2).item())


def test_batches_add_up_to_the_whole():
    generated, real = samples(60, 60)
    metric = FrechetDistanceMetric(features=lambda images: images.flatten(1))
    for some, others in zip(generated.split(25), real.split(25), strict=True):
        metric(y_pred=some.reshape(-1, 1, 3, 4), y=others.reshape(-1, 1, 3, 4))
    assert metric.aggregate() == pytest.approx(frechet_distance(generated, real), rel=1e-12)


def test_moments_that_do_not_fit_are_refused():
    with pytest.raises(
        ValueError, match=r"moments are \[\[2\], \[3, 3\], \[2\], \[2, 2\]\], expected \(F,\), \(F, F\)"
    ):
        frechet_distance_of_moments(torch.zeros(2), torch.eye(3), torch.zeros(2), torch.eye(2))
