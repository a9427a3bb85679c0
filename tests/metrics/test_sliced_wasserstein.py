import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, ndimage, special, stats

from monai_cardiac_gan.metrics import SlicedWassersteinMetric, laplacian_pyramid, sliced_wasserstein
from monai_cardiac_gan.metrics import sliced_wasserstein_distance as distance
from monai_cardiac_gan.metrics.sliced_wasserstein import NEIGHBOURHOOD, _neighbourhoods_of, enlarged

MEAN_SIZE = np.sqrt(2 / np.pi)
"""Of a standard normal number."""


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def quantiles(count):
    """Standard normal numbers as evenly spread as can be."""
    return torch.from_numpy(stats.norm.ppf((np.arange(count) + 0.5) / count))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 30), m=st.integers(1, 30), levels=st.integers(2, 9), seed=st.integers(0, 5))
def test_one_dimension_equals_scipy_for_all_counts_and_ties(n, m, levels, seed):
    rng = np.random.default_rng(seed)
    first, second = (rng.integers(levels, size=(count, 1)).astype(float) for count in (n, m))
    expected = stats.wasserstein_distance(first[:, 0], second[:, 0])
    assert sliced_wasserstein(*map(torch.from_numpy, (first, second)), directions=3) == pytest.approx(
        expected, abs=1e-12
    )


@pytest.mark.parametrize(("n", "m"), [(40, 40), (40, 25), (7, 60)])
def test_each_direction_equals_scipy(n, m):
    first, second = normal(n, 5), 2 * normal(m, 5, seed=1) + 1
    axes = np.random.default_rng(4).standard_normal((5, 70))
    axes /= np.linalg.norm(axes, axis=0)
    expected = [stats.wasserstein_distance(first.numpy() @ axis, second.numpy() @ axis) for axis in axes.T]
    assert sliced_wasserstein(first, second, directions=70, seed=4) == pytest.approx(np.mean(expected), abs=1e-12)


@pytest.mark.parametrize("features", [2, 3, 49])
def test_a_moved_normal_cloud(features):
    r"""Along a random direction a move of length s is s |u| long, of mean s Gamma(F / 2) / (sqrt(pi) Gamma((F + 1) / 2))."""
    cloud, move = normal(50, features), normal(features, seed=1)
    share = special.gamma(features / 2) / (np.sqrt(np.pi) * special.gamma((features + 1) / 2))
    result = sliced_wasserstein(cloud + move, cloud, directions=8000)
    assert result == pytest.approx(share * move.norm().item(), rel=0.03)  # 3 standard errors


def test_a_wider_normal_cloud():
    """Quantiles of normal distributions of standard deviations 3 and 1 differ by 2 |z|."""
    result = sliced_wasserstein(3 * quantiles(4000)[:, None], quantiles(3001)[:, None], directions=1)
    assert result == pytest.approx(2 * MEAN_SIZE, rel=2e-3)


def scipy_pyramid(image):
    kernel = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    levels = []
    while min(image.shape) >= 32:
        half = ndimage.correlate(image, kernel, mode="mirror")[::2, ::2]
        sparse = np.zeros(image.shape)
        sparse[::2, ::2] = half
        levels.append(image - 4 * ndimage.correlate(sparse, kernel, mode="mirror"))
        image = half
    return [*levels, image]


@pytest.mark.parametrize(("height", "width"), [(128, 128), (64, 96), (32, 32), (16, 64)])
def test_pyramid_equals_that_of_scipy(height, width):
    images = normal(3, 1, height, width)
    levels = laplacian_pyramid(images)
    for n, image in enumerate(images[:, 0].numpy()):
        for level, expected in zip(levels, scipy_pyramid(image), strict=True):
            assert level[n, 0].numpy() == pytest.approx(expected, abs=1e-12)


def test_enlarged_levels_add_up_to_the_image():
    images = normal(2, 1, 128, 128)
    whole, *details = reversed(laplacian_pyramid(images))
    for detail in details:
        whole = enlarged(whole) + detail
    assert torch.allclose(whole, images, atol=1e-12)


def test_detail_of_smooth_images_is_only_at_the_border():
    ramp = torch.arange(64.0, dtype=torch.float64).expand(1, 1, 64, 64)
    finest = laplacian_pyramid(ramp)[0]
    assert finest[..., 8:-8].abs().max() < 1e-12


def test_sides_that_cannot_be_halved_end_the_pyramid():
    assert [tuple(level.shape[2:]) for level in laplacian_pyramid(normal(1, 1, 36, 36))] == [(36, 36), (18, 18)]
    assert len(laplacian_pyramid(normal(1, 1, 33, 64))) == 1


def test_neighbourhoods_are_squares_of_one_image_each_anywhere_in_it():
    rows, columns = torch.meshgrid(torch.arange(20), torch.arange(17), indexing="ij")
    images = torch.stack([1000 * n + 20 * rows + columns for n in range(40)])[:, None].double()
    cloud = _neighbourhoods_of(images, 128, (0, 0)).reshape(40, 128, NEIGHBOURHOOD, NEIGHBOURHOOD)
    steps = torch.arange(NEIGHBOURHOOD)
    corners = cloud[:, :, :1, :1]
    assert torch.equal(cloud, corners + (20 * steps[:, None] + steps))
    which, place = corners.flatten(1).long() // 1000, corners.flatten(1).long() % 1000
    assert torch.equal(which, torch.arange(40)[:, None].expand(40, 128))
    expected = {20 * row + column for row in range(20 - 6) for column in range(17 - 6)}
    assert set(place.flatten().tolist()) == expected
    assert len({tuple(image) for image in place.tolist()}) == 40


def test_images_of_one_brightness_each_beside_white_noise():
    r"""Both clouds have standard deviation 1. Along a direction at the angle a to (1, ..., 1) noise is standard normal and the
    other cloud normal with standard deviation 7 |cos a|: their distance is sqrt(2 / pi) |7 |cos a| - 1|, whose mean follows
    from the density of u = cos a on the sphere of 49 dimensions, (1 - u²)^23."""
    brightness = quantiles(500)[:, None, None, None].expand(500, 1, 16, 16)
    upper, _ = integrate.quad(lambda u: abs(7 * u - 1) * (1 - u**2) ** 23, 0, 1)
    whole, _ = integrate.quad(lambda u: (1 - u**2) ** 23, 0, 1)
    result = distance(brightness, normal(500, 1, 16, 16), neighbourhoods=20, directions=2000)
    expected = 1000 * MEAN_SIZE * upper / whole
    assert result == pytest.approx({"sliced_wasserstein_16": expected, "sliced_wasserstein_mean": expected}, rel=0.05)


def test_noise_on_one_level_shows_on_that_level():
    images = ndimage.gaussian_filter(normal(60, 1, 64, 64).numpy(), (0, 0, 6, 6))
    images = torch.from_numpy(images / images.std())
    fine = 0.5 * laplacian_pyramid(normal(60, 1, 64, 64, seed=1))[0]
    result = distance(images + fine, images, directions=64)
    assert list(result) == [f"sliced_wasserstein_{level}" for level in (64, 32, 16, "mean")]
    assert result["sliced_wasserstein_64"] > 3 * max(result["sliced_wasserstein_32"], result["sliced_wasserstein_16"])
    assert result["sliced_wasserstein_mean"] == pytest.approx(np.mean(list(result.values())[:3]))


@settings(max_examples=5, deadline=None)
@given(contrast=st.floats(0.1, 10.0), brightness=st.floats(-5.0, 5.0))
def test_contrast_and_brightness_do_not_count(contrast, brightness):
    generated, real = normal(1, 1, 32, 32), normal(1, 1, 32, 32, seed=1)  # several may come in another order
    before = distance(generated, real, directions=16)
    assert distance(contrast * generated + brightness, real, directions=16) == pytest.approx(before, rel=1e-6)


def test_images_without_structure_have_a_finite_distance():
    assert distance(torch.zeros(4, 1, 16, 16), torch.zeros(3, 1, 16, 16))["sliced_wasserstein_mean"] == 0.0


def test_the_seed_decides():
    generated, real = normal(6, 1, 16, 16), normal(6, 1, 16, 16, seed=1)
    first, again, other = (distance(generated, real, seed=seed, directions=8) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("counts", [{"neighbourhoods": 0}, {"directions": 0}])
def test_counts_below_one_are_refused(counts):
    with pytest.raises(ValueError, match=r"neighbourhoods \d+ and directions \d+: expected 1 or more of each"):
        distance(normal(2, 1, 16, 16), normal(2, 1, 16, 16), **counts)


def test_the_metric_hands_its_settings_on():
    generated, real = normal(6, 1, 16, 16), normal(5, 1, 16, 16, seed=1)
    settings_given = {"seed": 3, "neighbourhoods": 5, "directions": 7}
    metric = SlicedWassersteinMetric(part="sliced_wasserstein_16", **settings_given)
    metric(y_pred=generated, y=real)
    assert metric.aggregate() == distance(generated, real, **settings_given)["sliced_wasserstein_16"]
