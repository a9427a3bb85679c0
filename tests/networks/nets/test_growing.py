import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monai_cardiac_gan.networks.nets import ResidualCritic, ResidualGenerator, grow_from

KINDS = (ResidualGenerator, ResidualCritic)


def build(kind, size, seed=0, max_channels=8, **options):
    torch.manual_seed(seed)
    latent = {"latent_size": 5} if kind is ResidualGenerator else {}
    network = kind(width=2, max_channels=max_channels, size=size, **latent, **options).double()
    for parameter in network.parameters():  # as after some training: no parameter is zero
        nn.init.normal_(parameter, std=0.3)
    return network


def before_tanh(generator, latents, seed=0):
    torch.manual_seed(seed)  # of the noise
    return torch.atanh(generator(latents))


def bilinear(images):
    return F.interpolate(images, scale_factor=2, mode="bilinear", align_corners=False)


@pytest.mark.parametrize("small", [8, 16, 32, 64])
@pytest.mark.parametrize(
    "options",
    [
        {"norm": "pixel"},
        {"norm": None},
        {"norm": "batch"},
        {"noise": True},
        {"upsampling": "nearest"},
        {"subpixel": True},
    ],
)
def test_a_grown_generator_paints_what_the_smaller_one_did(small, options):
    smaller = build(ResidualGenerator, small, seed=1, **options)
    grown = grow_from(build(ResidualGenerator, 2 * small, seed=2, **options), smaller.state_dict())
    latents = 0.1 * torch.randn(3, 5, dtype=torch.float64)
    with torch.no_grad():
        painted, expected = before_tanh(grown, latents), bilinear(before_tanh(smaller, latents))
    assert expected.std() > 0.01
    torch.testing.assert_close(painted, expected, rtol=1e-6, atol=1e-8)  # what the inverse of tanh loses near 1


@pytest.mark.parametrize("options", [{}, {"subpixel": True}, {"channels": 2}, {"channels": 2, "subpixel": True}])
@pytest.mark.parametrize("small", [8, 16, 32, 64])
def test_a_grown_critic_scores_as_the_smaller_one_did(small, options):
    smaller = build(ResidualCritic, small, seed=1, **options)
    grown = grow_from(build(ResidualCritic, 2 * small, seed=2, **options), smaller.state_dict())
    patches = torch.randn(4, options.get("channels", 1), 2 * small, 2 * small, dtype=torch.float64)
    assert torch.equal(grown(patches), smaller(F.avg_pool2d(patches, 2)))
    assert smaller(F.avg_pool2d(patches, 2)).std() > 0.01


def test_a_network_grows_twice():
    smallest = build(ResidualCritic, 8, seed=1)
    grown = grow_from(build(ResidualCritic, 16, seed=2), smallest.state_dict())
    grown = grow_from(build(ResidualCritic, 32, seed=3), grown.state_dict())
    patches = torch.randn(2, 1, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(grown(patches), smallest(F.avg_pool2d(patches, 4)), rtol=1e-12, atol=1e-12)


def test_what_is_silent_learns():
    generator = grow_from(build(ResidualGenerator, 16), build(ResidualGenerator, 8).state_dict())
    generator(torch.randn(3, 5, dtype=torch.float64)).square().sum().backward()
    assert generator.to_image["16"].weight.grad.abs().min() > 0
    critic = grow_from(build(ResidualCritic, 16), build(ResidualCritic, 8).state_dict())
    critic(torch.randn(3, 1, 16, 16, dtype=torch.float64)).sum().backward()
    assert critic.blocks["16"].second.weight.grad.abs().min() > 0
    assert critic.blocks["16"].shortcut.weight.grad.abs().min() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_size_is_loaded_and_nothing_is_silenced(kind):
    source, target = build(kind, 16, seed=1), build(kind, 16, seed=2)
    assert grow_from(target, source.state_dict()) is target
    assert all(torch.equal(value, source.state_dict()[name]) for name, value in target.state_dict().items())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ({"size": 8}, "16"),  # a quarter of the side
        ({"size": 64}, "64"),  # larger
        ({"size": 16, "max_channels": 7}, "16"),  # built otherwise
    ],
)
def test_states_that_do_not_fit_are_refused_and_change_nothing(kind, source, wrong):
    network = build(kind, 32)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    message = rf"the state does not fit into a {kind.__name__} for 32 pixels \(.*{wrong}.*\): expected .* for 16 pixels"
    with pytest.raises(ValueError, match=message):
        grow_from(network, build(kind, **source).state_dict())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_other_normalisation_is_refused():
    pixel, batch = build(ResidualGenerator, 8), build(ResidualGenerator, 8, norm="batch")
    with pytest.raises(ValueError, match=r"for 16 pixels \(activation\.1\.bias"):
        grow_from(build(ResidualGenerator, 16), batch.state_dict())
    with pytest.raises(ValueError, match=r"for 16 pixels \(activation\.1\.bias"):
        grow_from(build(ResidualGenerator, 16, norm="batch"), pixel.state_dict())
    with pytest.raises(ValueError, match=r"into a ResidualCritic for 16 pixels \(to_image"):
        grow_from(build(ResidualCritic, 16), {"to_image.4.weight": torch.zeros(1)})


def test_a_critic_whose_layers_have_norm_one_cannot_start_silent():
    smaller, larger = (build(ResidualCritic, size, spectral=True) for size in (8, 16))
    before = {name: value.clone() for name, value in larger.state_dict().items()}
    with pytest.raises(
        ValueError, match=r"block of 16 pixels with spectral normalisation cannot start at zero.*grow a"
    ):
        grow_from(larger, smaller.state_dict())
    assert all(torch.equal(value, before[name]) for name, value in larger.state_dict().items())


def test_a_critic_whose_layers_have_norm_one_can_be_loaded():
    source, target = (build(ResidualCritic, 8, seed, spectral=True).eval() for seed in (1, 2))
    patches = torch.randn(2, 1, 8, 8, dtype=torch.float64)
    assert torch.equal(grow_from(target, source.state_dict())(patches), source(patches))
