import pytest
import torch
from torch.nn import functional as F

from monai_cardiac_gan.networks.nets.modulated_convolution import EPSILON, ModulatedConvolution


@pytest.mark.parametrize("kernel", [1, 3])
def test_it_is_a_convolution_with_weights_of_each_sample_s_own(kernel):
    torch.manual_seed(0)
    layer = ModulatedConvolution(3, 5, style_size=4, kernel=kernel).double()
    torch.nn.init.normal_(layer.bias)
    hidden, style = torch.randn(2, 3, 6, 7, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    for sample in range(2):
        weight = layer.weight * layer.scales(style)[sample][None, :, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + EPSILON).sqrt()
        expected = F.conv2d(hidden[sample : sample + 1], weight, layer.bias, padding=kernel // 2)
        torch.testing.assert_close(layer(hidden, style)[sample : sample + 1], expected)


def test_white_noise_keeps_unit_variance_whatever_the_style():
    torch.manual_seed(0)
    layer = ModulatedConvolution(64, 64, style_size=4)
    hidden, style = torch.randn(2, 64, 64, 64), 100 * torch.randn(2, 4)
    variances = layer(hidden, style)[:, :, 1:-1, 1:-1].var((2, 3)).mean(1)
    torch.testing.assert_close(variances, torch.ones(2), atol=0.05, rtol=0)
