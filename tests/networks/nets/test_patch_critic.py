import pytest
import torch
from torch import nn
from torchinfo import summary

from monai_cardiac_gan.losses import GradientPenalty, refuse_sample_mixing
from monai_cardiac_gan.losses.gradient_penalty import chain_of
from monai_cardiac_gan.networks.nets import PatchCritic


def test_one_score_per_patch_equal_to_the_chain():
    critic, images = PatchCritic(width=2, max_channels=8), torch.randn(3, 1, 128, 128)
    assert critic(images).shape == (3,)
    assert torch.equal(critic(images), critic.chain(images).flatten())


def test_layers_are_plain_convolutions_and_rectifiers_in_turn():
    critic = PatchCritic()
    assert [type(layer) for layer in critic.layers] == [nn.Conv2d, nn.LeakyReLU] * 7 + [nn.Conv2d]
    assert chain_of(critic) is critic.layers


def test_table_of_the_docstring_at_default_widths():
    critic = PatchCritic()
    layers = summary(critic, (1, 1, 128, 128), verbose=0).summary_list
    convolutions = [layer for layer in layers if layer.class_name == "Conv2d"]
    assert [layer.output_size[1:] for layer in convolutions] == [
        [16, 128, 128], [32, 64, 64], [64, 32, 32], [128, 16, 16], [256, 8, 8], [256, 4, 4], [256, 2, 2], [1, 1, 1],
    ]  # fmt: skip
    assert [layer.num_params for layer in convolutions] == [
        160,
        8_224,
        32_832,
        131_200,
        524_544,
        1_048_832,
        1_048_832,
        1_025,
    ]
    assert sum(parameter.numel() for parameter in critic.parameters()) == 2_795_649


def test_samples_are_not_mixed():
    refuse_sample_mixing(PatchCritic(width=2, max_channels=8), torch.randn(3, 1, 128, 128))


def test_a_new_critic_is_not_flat():
    torch.manual_seed(0)
    _, norms = GradientPenalty()(PatchCritic(), *torch.rand(2, 2, 1, 128, 128).mul(2).sub(1))
    assert (norms > 0.3).all()
    assert (norms < 3).all()


@pytest.mark.parametrize("shape", [(1, 128, 128), (2, 1, 64, 64), (2, 3, 128, 128)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(N, 1, 128, 128\): crop patches of that size"):
        PatchCritic(width=2, max_channels=8)(torch.zeros(shape))


def test_impossible_widths_are_refused():
    with pytest.raises(ValueError, match="max_channels 0 must be at least 1"):
        PatchCritic(max_channels=0)
