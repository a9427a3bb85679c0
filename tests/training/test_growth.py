import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monai_cardiac_gan.handlers import GeneratorEMA
from monai_cardiac_gan.networks.nets import ResidualCritic, ResidualGenerator
from monai_cardiac_gan.training import grow_networks

UPDATES = 500


def networks(size, seed, max_channels=8):
    torch.manual_seed(seed)
    generator = ResidualGenerator(5, width=2, max_channels=max_channels, size=size)
    critic = ResidualCritic(width=2, max_channels=max_channels, size=size)
    return generator, critic, GeneratorEMA(generator)


@pytest.fixture
def small():
    """Networks for 16 pixels of which the EMA has seen many updates."""
    generator, critic, ema = networks(16, seed=1)
    ema.update()
    for parameter in generator.parameters():
        nn.init.normal_(parameter, std=0.3)
    ema.updates = UPDATES
    return generator, critic, ema


@pytest.fixture
def checkpoint(small, tmp_path):
    state = {name: each.state_dict() for name, each in zip(("generator", "critic", "ema"), small, strict=True)}
    torch.save({**state, "trainer": {"epoch_length": 3}, "generator_optimizer": {}}, tmp_path / "last.pt")
    return tmp_path / "last.pt"


def enlarged(generator, latents):
    with torch.no_grad():
        image = torch.atanh(generator(latents))
        return F.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False).tanh()


def test_all_three_go_on_from_the_smaller_ones(small, checkpoint):
    generator, critic, ema = networks(32, seed=2)
    grow_networks(checkpoint, generator, critic, ema)
    latents, patches = 0.1 * torch.randn(3, 5), torch.randn(3, 1, 32, 32)
    painted, smoothed = generator(latents), ema.network(latents)
    torch.testing.assert_close(painted, enlarged(small[0], latents), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(smoothed, enlarged(small[2].network, latents), rtol=1e-4, atol=1e-5)
    assert (painted - smoothed).abs().max() > 0.1  # they had become different
    torch.testing.assert_close(critic(patches), small[1](F.avg_pool2d(patches, 2)))


def test_the_first_update_does_not_replace_the_ema(small, checkpoint):
    generator, critic, ema = networks(32, seed=2)
    grow_networks(checkpoint, generator, critic, ema)
    assert ema.generator is generator
    assert ema.updates == UPDATES
    before = {name: value.clone() for name, value in ema.network.state_dict().items()}
    ema.update()
    kept = (1 + UPDATES) / (10 + UPDATES)
    for name, value in ema.network.state_dict().items():
        expected = kept * before[name] + (1 - kept) * generator.state_dict()[name]
        torch.testing.assert_close(value, expected, msg=name)


def test_the_ema_still_needs_no_gradients(checkpoint):
    generator, critic, ema = networks(32, seed=2)
    grow_networks(checkpoint, generator, critic, ema)
    assert not any(parameter.requires_grad for parameter in ema.network.parameters())
    assert all(parameter.requires_grad for each in (generator, critic) for parameter in each.parameters())
    assert not ema.network.training


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"last\.pt: no checkpoint lies here; train on smaller patches first"):
        grow_networks(tmp_path / "last.pt", *networks(32, seed=2))


def test_a_checkpoint_without_ema_is_refused(checkpoint):
    state = torch.load(checkpoint, weights_only=True)
    del state["ema"]
    torch.save(state, checkpoint)
    with pytest.raises(ValueError, match=r"last\.pt: lacks ema; name the last\.pt of a training that keeps an EMA"):
        grow_networks(checkpoint, *networks(32, seed=2))


@pytest.mark.parametrize(("size", "max_channels"), [(64, 8), (8, 8), (32, 9)])
def test_networks_that_do_not_fit_are_refused(checkpoint, size, max_channels):
    with pytest.raises(ValueError, match=f"the state does not fit into a ResidualGenerator for {size} pixels"):
        grow_networks(checkpoint, *networks(size, 2, max_channels))
