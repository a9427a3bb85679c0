from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics.regression import compute_ms_ssim
from scipy.ndimage import gaussian_filter
from skimage.measure import block_reduce

from monai_cardiac_gan.metrics import DiversityMetric, diversity_difference, ms_ssim_diversity
from monai_cardiac_gan.metrics.diversity import KERNEL, SCALE_WEIGHTS, _pairs, _similarity

WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
C1, C2 = 0.01**2, 0.03**2


def textures(count, side, seed=0, smooth=2.0):
    values = gaussian_filter(np.random.default_rng(seed).normal(size=(count, 1, side, side)), (0, 0, smooth, smooth))
    return torch.from_numpy(np.clip(values / values.std() / 3, -1, 1))


def local_mean(image):
    return gaussian_filter(image, 1.5, truncate=2.0)[3:-3, 3:-3]


def similarity_by_scipy(first, second, scales):
    """Wang et al. 2003, equations 1 to 7, of two images in 0..1."""
    result, weights = 1.0, np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    for scale, weight in enumerate(weights):
        means = local_mean(first), local_mean(second)
        variances = [local_mean(image**2) - mean**2 for image, mean in zip((first, second), means, strict=True)]
        covariance = local_mean(first * second) - means[0] * means[1]
        value = (2 * covariance + C2) / (sum(variances) + C2)
        if scale == scales - 1:
            value = value * (2 * means[0] * means[1] + C1) / (means[0] ** 2 + means[1] ** 2 + C1)
        result *= max(value.mean(), 0.0) ** weight
        first, second = (block_reduce(image, 2, np.mean) for image in (first, second))
    return result


@pytest.mark.parametrize(("side", "scales"), [(16, 2), (32, 3), (64, 4), (128, 5)])
def test_all_pairs_of_few_images_equal_the_formula(side, scales):
    images = textures(4, side) / 3 + textures(1, side, seed=1)
    images = images.clamp(-1, 1)
    brightness = (images[:, 0].numpy() + 1) / 2
    expected = np.mean([similarity_by_scipy(*pair, scales) for pair in combinations(brightness, 2)])
    assert 0.05 < expected < 0.95
    assert ms_ssim_diversity(images) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("side", [32, 128])
def test_identical_images_have_similarity_one(side):
    assert ms_ssim_diversity(textures(1, side).expand(5, 1, side, side)) == pytest.approx(1, abs=1e-6)


def test_two_images_many_times_over():
    """Of the pairs among 30 copies of either, 30 / 59 are of two different images."""
    two = (textures(2, 32) / 3 + textures(1, 32, seed=1)).clamp(-1, 1)
    between = ms_ssim_diversity(two)
    expected = 1 - 30 / 59 * (1 - between)
    images = two.repeat(30, 1, 1, 1)
    assert between < 0.9
    assert ms_ssim_diversity(images, pairs=1770) == pytest.approx(expected, abs=1e-5)
    standard_error = 0.5 * (1 - between) / np.sqrt(1000)
    assert ms_ssim_diversity(images, pairs=1000) == pytest.approx(expected, abs=3 * standard_error)


@settings(max_examples=50, deadline=None)
@given(images=st.integers(2, 60), pairs=st.integers(1, 300), seed=st.integers(0, 5))
def test_pairs_are_of_two_different_images(images, pairs, seed):
    first, second = _pairs(images, pairs, seed)
    assert len(first) == len(second) == min(pairs, images * (images - 1) // 2)
    assert not (first == second).any()
    assert min(first.min(), second.min()) >= 0
    assert max(first.max(), second.max()) < images


def test_each_image_is_paired_with_each_other_one_as_often():
    first, second = _pairs(40, 779, 0)
    assert len({*first.tolist()}) == len({*second.tolist()}) == 40
    counts = np.bincount((second - first) % 40, minlength=40)
    assert counts[0] == 0
    assert counts[1:].max() < 2.2 * 779 / 39  # a share of 5 standard deviations


def test_drawn_pairs_do_not_depend_on_the_order():
    images = textures(20, 16)
    assert ms_ssim_diversity(images.flip(0), pairs=10) == pytest.approx(ms_ssim_diversity(images, pairs=10), abs=1e-9)


def test_difference_is_that_of_the_two_diversities():
    generated, real = textures(5, 32) / 3, textures(4, 32, seed=1)
    numbers = diversity_difference(generated, real)
    of_both = ms_ssim_diversity(generated), ms_ssim_diversity(real)
    assert (numbers["ms_ssim_generated"], numbers["ms_ssim_real"]) == of_both
    assert numbers["ms_ssim_difference"] == pytest.approx(abs(of_both[0] - of_both[1]))
    assert numbers["ms_ssim_difference"] == diversity_difference(real, generated)["ms_ssim_difference"]
    assert list(numbers) == ["ms_ssim_difference", "ms_ssim_generated", "ms_ssim_real"]


def test_the_metric_hands_its_settings_on():
    generated, real = textures(12, 32), textures(10, 32, seed=1)
    metric = DiversityMetric(part="ms_ssim_generated", pairs=5, seed=3)
    metric(y_pred=generated, y=real)
    assert metric.aggregate() == ms_ssim_diversity(generated, pairs=5, seed=3)
    assert metric.aggregate() != ms_ssim_diversity(generated, pairs=5, seed=4)


@pytest.mark.parametrize("compare", [ms_ssim_diversity, lambda images: DiversityMetric()(y_pred=images, y=images)])
def test_images_of_another_range_are_refused(compare):
    with pytest.raises(
        ValueError, match=r"the images reach from 0 to 255, expected \[-1, 1\]: scale them as the patches"
    ):
        compare(torch.linspace(0, 255, 512).reshape(2, 1, 16, 16))


def test_rounding_around_the_range_is_allowed():
    edge = torch.linspace(-1.0005, 1.0005, 512).reshape(2, 1, 16, 16)
    assert ms_ssim_diversity(edge) == ms_ssim_diversity(edge.clamp(-1, 1))


def test_one_image_is_refused():
    with pytest.raises(ValueError, match="there is 1 image, expected at least 2: one image makes no pair"):
        ms_ssim_diversity(textures(1, 32))


def test_no_pairs_are_refused():
    with pytest.raises(ValueError, match="pairs is 0, expected 1 or more"):
        ms_ssim_diversity(textures(3, 32), pairs=0)


@pytest.mark.parametrize(("side", "scales"), [(128, 5), (64, 4), (32, 3)])
def test_similarity_is_that_of_monai(side, scales):
    images = textures(6, side).float()
    first, second = (images[:3] + 1) / 2, (0.5 * images[:3] + 0.5 * images[3:] + 1) / 2
    used = SCALE_WEIGHTS[:scales]
    weights = [weight / sum(used) for weight in used]
    expected = compute_ms_ssim(first, second, spatial_dims=2, data_range=1.0, kernel_size=KERNEL, weights=weights)
    torch.testing.assert_close(_similarity(first, second), expected.flatten(), rtol=1e-4, atol=1e-5)
