import torch
from torch import nn

from monai_cardiac_gan.networks import LayerRow, format_layer_table, layer_table


def small_network():
    return nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Sequential(nn.BatchNorm2d(2), nn.ReLU()))


def test_rows_hold_name_kind_shape_and_parameters():
    assert layer_table(small_network(), torch.zeros(4, 1, 5, 6)) == [
        LayerRow("0", "Conv2d", (4, 2, 5, 6), 2 * 9 + 2),
        LayerRow("1.0", "BatchNorm2d", (4, 2, 5, 6), 4),
        LayerRow("1.1", "ReLU", (4, 2, 5, 6), 0),
    ]


def test_a_layer_called_twice_has_two_rows():
    layer = nn.Linear(3, 3)
    assert [row.name for row in layer_table(nn.Sequential(layer, layer), torch.zeros(1, 3))] == ["0", "0"]


def test_the_network_is_left_as_it_was():
    network = small_network()
    network[1][0].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layer_table(network, torch.randn(4, 1, 5, 5))
    assert network.training
    assert network[0].training
    assert not network[1][0].training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_text_ends_with_the_sum():
    lines = format_layer_table(layer_table(small_network(), torch.zeros(1, 1, 4, 4))).splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters"]
    assert lines[2].split() == ["1.0", "BatchNorm2d", "1", "x", "2", "x", "4", "x", "4", "4"]
    assert lines[-1].split() == ["sum", "24"]
