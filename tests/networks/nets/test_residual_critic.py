import itertools

import numpy as np
import pytest
import torch
from torch import nn

from monai_cardiac_gan.losses import refuse_sample_mixing
from monai_cardiac_gan.networks.nets import ResidualCritic

SIZES = (8, 16, 32, 64, 128)


def small_critic(size=16, seed=0, **options):
    torch.manual_seed(seed)
    return ResidualCritic(width=2, max_channels=8, size=size, **options)


def with_biases(critic):
    """A new critic has none, which makes it simpler than a trained one."""
    for name, parameter in critic.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter, std=0.3)
    return critic


def counted(width, most, size):
    """Parameters by the shapes of the class's table."""
    sides = [side for side in (128, 64, 32, 16, 8, 4) if side <= size]
    channels = [min(width * 128 // side, most) for side in sides]
    last = channels[-1]
    total = sum(2 * c for c in channels) + (9 * last + 1) * last + 16 * last + 1  # from_image and output
    for before, after in itertools.pairwise(channels):
        total += before * after + (9 * before + 1) * before + (9 * before + 1) * after
    return total


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("spectral", [False, True])
def test_one_score_per_patch(size, spectral):
    assert small_critic(size, spectral=spectral)(torch.randn(3, 1, size, size)).shape == (3,)


@pytest.mark.parametrize(("width", "most"), [(1, 7), (4, 64), (2, 1000)])
@pytest.mark.parametrize("size", SIZES)
def test_number_of_parameters_in_closed_form(width, most, size):
    critic = ResidualCritic(width, most, size)
    assert sum(parameter.numel() for parameter in critic.parameters()) == counted(width, most, size)


def test_table_of_the_docstring_at_default_widths():
    critic, shapes = ResidualCritic(), {}
    for name, layer in critic.named_modules():
        layer.register_forward_hook(lambda _, __, output, name=name: shapes.update({name: tuple(output.shape[1:])}))
    with torch.no_grad():
        critic(torch.zeros(1, 1, 128, 128))
    assert [shapes[f"blocks.{side}"] for side in SIZES[::-1]] == [
        (32, 64, 64), (64, 32, 32), (128, 16, 16), (256, 8, 8), (256, 4, 4),
    ]  # fmt: skip
    assert [shapes[f"from_image.{side}"][1:] for side in (4, *SIZES)] == [(side, side) for side in (4, *SIZES)]
    assert shapes["output"] == (1,)


@pytest.mark.parametrize("size", [8, 32, 128])
def test_the_first_scores_and_slopes_are_of_the_order_of_one(size):
    scores, slopes = [], []
    for seed in range(4):
        torch.manual_seed(seed)
        critic = ResidualCritic(width=4, max_channels=64, size=size)
        images = torch.nn.functional.interpolate(torch.rand(4, 1, 8, 8) * 2 - 1, size).requires_grad_()
        scored = critic(images)
        scores.append(scored.detach())
        slopes.append(torch.autograd.grad(scored.sum(), images)[0].flatten(1).norm(dim=1))
    assert 0.1 < torch.cat(scores).square().mean().sqrt() < 3
    assert 0.02 < torch.cat(slopes).square().mean().sqrt() < 3


@pytest.mark.parametrize("spectral", [False, True])
def test_samples_are_not_mixed(spectral):
    refuse_sample_mixing(with_biases(small_critic(spectral=spectral)), torch.randn(3, 1, 16, 16))


def test_scores_are_linear_along_segments_without_kinks_and_only_there():
    critic = with_biases(small_critic().double())
    start, direction = torch.randn(2, 1, 1, 16, 16, dtype=torch.float64)
    start.requires_grad_()
    (gradient,) = torch.autograd.grad(critic(start).sum(), start)
    slope = (gradient * direction).sum()
    steps = torch.linspace(-1, 1, 9, dtype=torch.float64)
    deviations = {}
    for length in (1e-5, 3.0):
        along = critic((start + length * steps[:, None, None, None] * direction).detach())
        straight = critic(start) + length * steps * slope
        deviations[length] = ((along - straight).abs().max() / (length * slope.abs())).item()
    assert deviations[1e-5] < 1e-9
    assert deviations[3.0] > 0.01


def test_brighter_images_score_in_proportion_before_there_are_biases():
    critic, images = small_critic(32).double(), torch.randn(3, 1, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(critic(7.5 * images), 7.5 * critic(images), rtol=1e-12, atol=0)
    critic = with_biases(critic)
    assert (critic(7.5 * images) - 7.5 * critic(images)).abs().max() > 0.1


def test_no_pixel_weighs_more_than_its_neighbours():
    """Over many first weights, the mean square of the gradient is alike at the four places of a 2 x 2 block."""
    squares = torch.zeros(2, 2, dtype=torch.float64)
    for seed in range(24):
        torch.manual_seed(seed)
        critic = ResidualCritic(width=2, max_channels=16, size=32).double()
        images = torch.randn(16, 1, 32, 32, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(critic(images).sum(), images)
        inner = gradient[:, 0, 4:-4, 4:-4].square()  # the border is padded with zeros
        squares += inner.unflatten(1, (-1, 2)).unflatten(3, (-1, 2)).mean((0, 1, 3))
    assert (squares / squares.mean()).numpy() == pytest.approx(np.ones((2, 2)), abs=0.03)


def test_spectral_layers_have_norm_one():
    critic = small_critic(32, spectral=True)
    images = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        for _ in range(60):  # each forward pass is a step of the power iteration
            critic(images)
    layers = [layer for layer in critic.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    assert len(layers) == 4 + 3 * 3 + 2  # from_image, blocks, output
    for layer in layers:
        matrix = layer.weight.detach().numpy().reshape(len(layer.weight), -1)
        assert np.linalg.svd(matrix, compute_uv=False)[0] == pytest.approx(1, abs=0.01)


def test_without_spectral_normalisation_layers_have_other_norms():
    layers = [layer for layer in small_critic(32).modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    norms = [np.linalg.norm(layer.weight.detach().numpy().reshape(len(layer.weight), -1), 2) for layer in layers]
    assert np.median(np.abs(np.array(norms) - 1)) > 0.1


@pytest.mark.parametrize("shape", [(1, 16, 16), (2, 1, 32, 32), (2, 3, 16, 16), (2, 1, 16, 8)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(N, 1, 16, 16\): crop patches of that size, or build the critic"):
        small_critic()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 4}, r"size is 4, expected one of \[8, 16, 32, 64, 128\]"),
        ({"width": 0}, "width 0 and max_channels 256 must be at least 1"),
        ({"max_channels": -1}, "width 16 and max_channels -1 must be at least 1"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ResidualCritic(**options)


def test_subpixels_reach_every_pixel():
    torch.manual_seed(0)
    critic = ResidualCritic(width=2, max_channels=8, subpixel=True)
    patches = torch.randn(1, 1, 128, 128, requires_grad=True)
    critic(patches).sum().backward()
    assert "128" not in critic.blocks
    assert bool((patches.grad != 0).all())


def test_a_critic_of_no_channels_is_refused():
    with pytest.raises(ValueError, match=r"channels is 0, expected 1 or more"):
        ResidualCritic(channels=0)
