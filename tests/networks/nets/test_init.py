import math

import pytest
import torch
from scipy import stats
from torch import nn

from monai_cardiac_gan.networks.nets import PatchCritic, PatchGenerator, ResidualCritic, ResidualGenerator
from monai_cardiac_gan.networks.nets.init import dcgan_init, scaled_init, zero_init_


@pytest.mark.parametrize(("slope", "scale"), [(0.0, 1.0), (0.2, 1.0), (1.0, 1.0), (0.2, 0.1)])
@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (nn.Linear(40, 500), 40),
        (nn.Conv2d(5, 400, 3), 45),
        (nn.Conv2d(40, 500, 1), 40),
        (nn.ConvTranspose2d(40, 50, 4, 2, 1), 160),  # 2 x 2 of its 4 x 4 places meet an output
        (nn.ConvTranspose2d(20, 100, 2), 80),
    ],
)
def test_weights_are_normal_with_the_spread_of_the_formula(slope, scale, layer, inputs):
    torch.manual_seed(0)
    scaled_init(slope, scale)(layer)
    spread = scale * math.sqrt(2 / ((1 + slope**2) * inputs))
    standard = layer.weight.detach().flatten().numpy() / spread
    assert standard.std() == pytest.approx(1, abs=4 / math.sqrt(2 * standard.size))  # four standard errors
    assert stats.kstest(standard, "norm").pvalue > 1e-3
    assert not layer.bias.any()


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
def test_the_signal_keeps_its_size_through_eight_layers(slope):
    torch.manual_seed(0)
    squares = []
    for _ in range(10):  # the mean over many first weights; a single network wanders off a little at each layer
        layers = [layer for _ in range(8) for layer in (nn.Linear(200, 200), nn.LeakyReLU(slope))]
        network = nn.Sequential(*layers).apply(scaled_init(slope))
        with torch.no_grad():
            squares.append(network(torch.randn(20, 200)).square().mean())
    # each layer multiplies the square by 1 with a variance of about 5 / 200: four standard errors
    assert torch.stack(squares).mean().item() == pytest.approx(1, abs=4 * math.sqrt(8 * 5 / 200 / 10))


def test_the_signal_keeps_its_size_when_it_is_enlarged():
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(64, 16, 4, 2, 1).apply(scaled_init(1.0))
    with torch.no_grad():
        enlarged = layer(torch.randn(4, 64, 16, 16))[:, :, 1:-1, 1:-1]  # the border sees fewer inputs
    assert enlarged.square().mean().item() == pytest.approx(1, rel=0.05)


def test_layers_without_bias_and_other_layers_are_let_be():
    norm = nn.BatchNorm2d(3)
    nn.init.constant_(norm.weight, 5.0)
    network = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), norm)
    network.apply(scaled_init(0.2))
    assert network[0].bias is None
    assert norm.weight.tolist() == [5.0] * 3


@pytest.mark.parametrize("layer", [nn.Conv2d(2, 3, 3), nn.Conv2d(2, 3, 1, bias=False)])
def test_a_layer_at_zero_puts_out_zero(layer):
    zero_init_(layer)
    assert not layer(torch.randn(2, 2, 8, 8)).any()
    assert all(parameter.requires_grad for parameter in layer.parameters())


@pytest.mark.parametrize("network", [PatchGenerator, PatchCritic, ResidualGenerator, ResidualCritic])
def test_every_network_takes_another_start(network):
    seen = []

    def start(layer):
        seen.append(layer)
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.constant_(layer.weight, 0.25)

    made = network(width=2, max_channels=4, init=start)
    layers = [layer for layer in made.modules() if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear))]
    assert set(map(id, seen)) == set(map(id, made.modules()))
    assert all((layer.weight == 0.25).all() for layer in layers)


def test_a_small_start_has_the_spread_asked_for():
    torch.manual_seed(0)
    layers = [nn.Conv2d(32, 32, 5), nn.ConvTranspose2d(32, 32, 5), nn.BatchNorm2d(20000)]
    for layer in layers:
        dcgan_init(0.1)(layer)
    assert [round(layer.weight.std().item(), 2) for layer in layers] == [0.1, 0.1, 0.1]
    assert [round(layer.weight.mean().item(), 2) for layer in layers] == [0.0, 0.0, 1.0]
    assert all((layer.bias == 0).all() for layer in layers[:2])
