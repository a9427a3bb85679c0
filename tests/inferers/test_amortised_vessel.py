import numpy as np
import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import AmortisedInferer, AmortisedVessel, square_mask
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


def test_each_slice_gets_its_typical_image(found, network, painter):
    images = painter.images(found, network, PATCHES, MASK, torch.arange(5) * 5.0)
    assert images.shape == PATCHES.shape
    expected = painter.inferer.search(PATCHES, MASK, network).best_inpainted()
    torch.testing.assert_close(torch.where(MASK, images, PATCHES), expected)


def test_equal_slices_are_painted_alike(found, network, painter):
    alike = PATCHES[:1].expand(3, -1, -1, -1)
    images = painter.images(found, network, alike, MASK, torch.arange(3.0))
    torch.testing.assert_close(images, images[:1].expand_as(images))
