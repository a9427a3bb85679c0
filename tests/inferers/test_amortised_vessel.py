import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter1d
from torch import nn

from monai_cardiac_gan.inferers import AmortisedInferer, AmortisedVessel, square_mask
from monai_cardiac_gan.inferers.amortised import NOISE_SEED_STEP
from monai_cardiac_gan.inferers.amortised_vessel import mean_along
from monai_cardiac_gan.networks.nets import ComodulatedGenerator

MASK = square_mask(49)
PATCHES = torch.rand(5, 1, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1
LEVELS = torch.tensor([0, 2, 4])


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = ComodulatedGenerator(latent_size=5, width=2, max_channels=8)
    for block in network.up:
        for noise in block.noise:
            nn.init.constant_(noise.weight, 0.3)
    return network


@pytest.fixture(scope="module")
def painter():
    return AmortisedVessel(AmortisedInferer(latent_size=5, starts=4))


@pytest.fixture(scope="module")
def found(network, painter):
    return painter(PATCHES[LEVELS], MASK, network, torch.tensor([5.0, 15.0, 25.0]))


def test_each_answer_has_one_latent_for_all_levels(found):
    assert found.latents.shape == (4, 3, 5)
    assert torch.equal(found.latents, found.latents[:, :1].expand(-1, 3, -1))
    assert len({tuple(answer[0].tolist()) for answer in found.latents}) == 4


def test_levels_are_painted_as_patches_are(found, network, painter):
    result = painter.inferer.search(PATCHES[LEVELS], MASK, network)
    assert torch.equal(found.generated.transpose(0, 1), result.generated)


def test_the_losses_are_distances_from_the_mean(found):
    hidden = found.generated[..., MASK]
    mean = hidden.mean(0)
    distances = (hidden - mean).abs().mean((1, 2, 3))
    assert found.best == int(distances.argmin())
    np.testing.assert_allclose(found.totals, distances, rtol=1e-5)


def test_without_smoothing_each_slice_gets_its_typical_image(found, network, painter):
    alone = AmortisedVessel(painter.inferer, smoothing_mm=0.0)
    images = alone.images(found, network, PATCHES, MASK, torch.arange(5) * 5.0)
    assert images.shape == PATCHES.shape
    expected = painter.inferer.search(PATCHES, MASK, network).best_inpainted()
    torch.testing.assert_close(torch.where(MASK, images, PATCHES), expected)


def test_equal_slices_are_painted_alike(found, network, painter):
    alike = PATCHES[:1].expand(3, -1, -1, -1)
    images = painter.images(found, network, alike, MASK, torch.arange(3.0))
    torch.testing.assert_close(images, images[:1].expand_as(images))


def test_coarse_features_of_neighbours_are_shared_and_fine_ones_are_not(found, network, painter):
    """Far slices have no part; slices at one place have the same coarse features, and differ by the fine ones alone."""
    together, apart = (painter.images(found, network, PATCHES, MASK, torch.arange(5) * step) for step in (0.0, 100.0))
    alone = AmortisedVessel(painter.inferer, smoothing_mm=0.0)
    torch.testing.assert_close(apart, alone.images(found, network, PATCHES, MASK, torch.arange(5.0)))
    with torch.no_grad():
        seen = network.eval().encode(PATCHES, MASK.expand_as(PATCHES))
        seen = [features.mean(0, keepdim=True).expand_as(features) for features in seen[:3]] + seen[3:]
        torch.testing.assert_close(together, network.decode_typical(seen, network.draw_noise([NOISE_SEED_STEP])))


@given(
    heights=arrays(float, 7, elements=st.floats(0, 200)),
    sigma=st.floats(0.5, 50.0),
    constant=st.floats(-5, 5),
)
@settings(deadline=None)
def test_means_along_the_vessel_are_means(heights, sigma, constant):
    heights = torch.from_numpy(heights)
    features = torch.cos(torch.arange(42.0, dtype=torch.float64)).view(7, 2, 3)
    found = mean_along(features, heights, sigma)
    assert found.min() >= features.min() - 1e-12
    assert found.max() <= features.max() + 1e-12
    torch.testing.assert_close(
        mean_along(torch.full_like(features, constant), heights, sigma), torch.full_like(features, constant)
    )
    order = torch.arange(6, -1, -1)
    torch.testing.assert_close(mean_along(features[order], heights[order], sigma), found[order])


def test_far_from_the_ends_the_mean_is_a_gaussian_filter():
    features = torch.cos(torch.arange(200.0, dtype=torch.float64) ** 1.1)[:, None]
    expected = gaussian_filter1d(features[:, 0].numpy(), 4.0 / 1.25, truncate=8.0)
    found = mean_along(features, torch.arange(200.0, dtype=torch.float64) * 1.25, 4.0)[:, 0]
    np.testing.assert_allclose(found[40:-40], expected[40:-40], atol=1e-9)


def test_a_negative_smoothing_is_refused():
    with pytest.raises(ValueError, match=r"smoothing_mm is -1.0: expected at least 0, which paints each slice alone"):
        AmortisedVessel(AmortisedInferer(), smoothing_mm=-1.0)


def test_the_typical_answer_of_each_level_is_kept(found, network, painter):
    result = painter.inferer.search(PATCHES[LEVELS], MASK, network)
    assert torch.equal(found.typical, result.typical)
