import pytest
import torch

from monai_cardiac_gan.networks.nets import LatentEncoder

MASK = torch.zeros(1, 1, 128, 128, dtype=torch.bool)
MASK[..., 52:77, 52:77] = True


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return LatentEncoder(latent_size=7, width=4).eval()


def patches(count):
    return torch.rand(count, 1, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_what_is_hidden_does_not_matter_but_that_it_is(encoder):
    inputs = patches(2)
    other = torch.where(MASK, torch.nan, inputs)
    assert torch.equal(encoder(inputs, MASK), encoder(other, MASK))
    zeros = torch.where(MASK, 0.0, inputs)
    assert not torch.equal(encoder(zeros, MASK), encoder(zeros, torch.zeros_like(MASK)))


def test_a_patch_is_encoded_alike_in_any_batch(encoder):
    inputs = patches(3)
    masks = MASK.expand(3, 1, 128, 128)
    torch.testing.assert_close(encoder(inputs, masks)[1:2], encoder(inputs[1:2], masks[1:2]), rtol=1e-4, atol=1e-6)


def test_every_known_pixel_is_seen(encoder):
    inputs = patches(1).requires_grad_()
    encoder(inputs, MASK).square().sum().backward()
    assert torch.equal(inputs.grad != 0, ~MASK)


def test_first_guesses_are_ordinary_latents(encoder):
    assert encoder(patches(8), MASK).norm(dim=1).max() < 2 * 7**0.5


@pytest.mark.parametrize("settings", [{"latent_size": 0}, {"width": 0}])
def test_sizes_below_one_are_refused(settings):
    with pytest.raises(ValueError, match="must be at least 1: give positive whole numbers"):
        LatentEncoder(**settings)


@pytest.mark.parametrize("shapes", [((1, 1, 64, 64), (1, 1, 128, 128)), ((1, 1, 128, 128), (1, 1, 64, 64))])
def test_other_shapes_are_refused(encoder, shapes):
    with pytest.raises(ValueError, match=r"expected \(N, 1, 128, 128\) both: crop patches of that size"):
        encoder(torch.zeros(shapes[0]), torch.zeros(shapes[1], dtype=torch.bool))
