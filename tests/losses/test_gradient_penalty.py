import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from monai_cardiac_gan.losses import GradientPenalty, WassersteinLoss
from monai_cardiac_gan.losses.gradient_penalty import chain_of, input_gradient, input_gradient_piecewise_linear
from monai_cardiac_gan.networks.nets import PatchCritic

SLOPE = 0.2


class LinearCritic(nn.Module):
    def __init__(self, slope):
        super().__init__()
        direction = torch.randn(64, dtype=torch.float64)
        self.weight = nn.Parameter(slope * direction / direction.norm())

    def forward(self, images):
        return images.flatten(1) @ self.weight


class WithoutChain(nn.Module):
    """Hides the chain of a critic, so that it is differentiated twice."""

    def __init__(self, critic):
        super().__init__()
        self.critic = critic

    def forward(self, images):
        return self.critic(images).flatten()


def two_batches(size, pixels=8):
    return torch.randn(2, size, 1, pixels, pixels, dtype=torch.float64)


def between(reals, fakes, seed):
    epsilon = torch.rand(len(reals), 1, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (epsilon * reals + (1 - epsilon) * fakes).numpy()


def leaky(values):
    return np.where(values > 0, values, SLOPE * values)


def numpy_convolution(images, weight, bias):
    windows = np.lib.stride_tricks.sliding_window_view(images, weight.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


def numpy_slopes(score, images, step=1e-5):
    """Norm of each image's gradient by central differences."""
    squares = np.zeros(len(images))
    for pixel in np.ndindex(images.shape[1:]):
        shift = np.zeros(images.shape[1:])
        shift[pixel] = step
        squares += ((score(images + shift) - score(images - shift)) / (2 * step)) ** 2
    return np.sqrt(squares)


@given(size=st.integers(1, 49), slope=st.floats(0.0, 5.0), weight=st.floats(0.1, 100.0))
@settings(deadline=None, max_examples=50)
def test_penalty_of_a_linear_critic_depends_on_its_slope_alone(size, slope, weight):
    penalty, norms = GradientPenalty(weight)(LinearCritic(slope), *two_batches(size))
    assert penalty.item() == pytest.approx(weight * (slope - 1) ** 2, abs=1e-9)
    assert norms.tolist() == pytest.approx([slope] * size, abs=1e-12)


@pytest.mark.parametrize("size", [1, 7, 49])
def test_a_linear_critic_of_unit_slope_has_no_penalty(size):
    penalty, norms = GradientPenalty()(LinearCritic(1.0), *two_batches(size))
    assert penalty.item() == pytest.approx(0.0, abs=1e-25)
    assert norms.shape == (size,)
    assert not norms.requires_grad


def test_penalty_and_loss_of_a_perceptron_differentiated_by_hand():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.LeakyReLU(SLOPE), nn.Linear(16, 1)).double()
    reals, fakes = two_batches(6)
    w1, b1, w2, b2 = (parameter.detach().numpy() for parameter in critic.parameters())

    def score(images):
        return leaky(images.reshape(-1, 64) @ w1.T + b1) @ w2[0] + b2

    hidden = between(reals, fakes, seed=3).reshape(-1, 64) @ w1.T + b1
    slopes = np.linalg.norm((w2 * np.where(hidden > 0, 1, SLOPE)) @ w1, axis=1)
    penalty, norms = GradientPenalty()(critic, reals, fakes, torch.Generator().manual_seed(3))
    loss = WassersteinLoss().critic(critic(reals), critic(fakes)) + penalty
    by_hand = 10 * ((slopes - 1) ** 2).mean()
    assert norms.numpy() == pytest.approx(slopes, abs=1e-10)
    assert penalty.item() == pytest.approx(by_hand, abs=1e-10)
    assert loss.item() == pytest.approx(score(fakes.numpy()).mean() - score(reals.numpy()).mean() + by_hand, abs=1e-10)


def test_penalty_and_loss_of_a_convolutional_critic_by_finite_differences():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(1, 3, 3), nn.LeakyReLU(SLOPE), nn.Conv2d(3, 1, 6)).double()
    reals, fakes = two_batches(4)
    w1, b1, w2, b2 = (parameter.detach().numpy() for parameter in critic.parameters())

    def score(images):
        return numpy_convolution(leaky(numpy_convolution(images, w1, b1)), w2, b2).ravel()

    slopes = numpy_slopes(score, between(reals, fakes, seed=4))
    by_hand = 10 * ((slopes - 1) ** 2).mean()
    penalty, norms = GradientPenalty()(critic, reals, fakes, torch.Generator().manual_seed(4))
    loss = WassersteinLoss().critic(critic(reals), critic(fakes)) + penalty
    assert chain_of(critic) is critic
    assert norms.numpy() == pytest.approx(slopes, abs=1e-6)
    assert penalty.item() == pytest.approx(by_hand, abs=1e-6)
    assert loss.item() == pytest.approx(score(fakes.numpy()).mean() - score(reals.numpy()).mean() + by_hand, abs=1e-6)


@pytest.mark.parametrize(("pixels", "slope"), [(16, 0.1), (17, 0.1), (19, 0.1), (16, 0.0), (16, 1.5)])
def test_transposed_pass_equals_double_backward(pixels, slope):
    critic = nn.Sequential(
        nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 8, 4, 2, 1), nn.LeakyReLU(slope), nn.Conv2d(8, 1, 4)
    ).double()
    images = torch.randn(5, 1, pixels, pixels, dtype=torch.float64)
    gradients = []
    for way in (input_gradient, input_gradient_piecewise_linear):
        critic.zero_grad()
        way(critic, images).flatten(1).norm(dim=1).square().mean().backward()
        gradients.append([layer.weight.grad.clone() for layer in critic[::2]])
    for general, chained in zip(*gradients, strict=True):
        torch.testing.assert_close(chained, general, rtol=1e-10, atol=1e-12)


def test_transposed_pass_leaves_its_images_as_they_were():
    critic = nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 4)).double()
    images = torch.randn(2, 1, 8, 8, dtype=torch.float64)
    before = images.clone()
    input_gradient_piecewise_linear(critic, images)
    assert torch.equal(images, before)


def test_both_ways_agree_on_the_patch_critic():
    torch.manual_seed(0)
    critic = PatchCritic(width=2, max_channels=8).double()
    batches = two_batches(3, pixels=128)
    results = []
    for way in (critic, WithoutChain(critic)):
        critic.zero_grad()
        penalty, norms = GradientPenalty()(way, *batches, torch.Generator().manual_seed(5))
        penalty.backward()
        weights = [layer.weight.grad.clone() for layer in critic.layers[::2]]
        assert all(layer.bias.grad is None or not layer.bias.grad.any() for layer in critic.layers[::2])
        results.append([penalty.detach(), norms, *weights])
    assert chain_of(critic) is critic.layers
    for chained, general in zip(*results, strict=True):
        torch.testing.assert_close(chained, general, rtol=1e-10, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_weights_that_a_hook_computes_are_differentiated_as_well():
    critic = nn.Sequential(nn.utils.weight_norm(nn.Conv2d(1, 1, 8))).double()
    GradientPenalty()(critic, *two_batches(2))[0].backward()
    slope = critic[0].weight_g.item()
    assert chain_of(critic) is None
    assert critic[0].weight_g.grad.item() == pytest.approx(20 * (slope - 1))


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(1, 1, 3, padding="same")],
        [nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")],
        [nn.Conv2d(1, 1, 3, dilation=2)],
        [nn.Conv2d(1, 1, 3), nn.ReLU()],
        [nn.Conv2d(1, 1, 3), nn.LeakyReLU(-0.2)],
        [nn.LeakyReLU(0.2), nn.Conv2d(1, 1, 3)],
        [],
    ],
)
def test_what_is_no_plain_chain_takes_the_general_way(layers):
    assert chain_of(nn.Sequential(*layers)) is None


def test_no_gradient_reaches_the_generator():
    reals, fakes = two_batches(3)
    fakes.requires_grad_()
    GradientPenalty()(LinearCritic(2.0), reals, fakes)[0].backward()
    assert fakes.grad is None


def test_a_generator_makes_the_penalty_repeatable():
    critic = nn.Sequential(nn.Conv2d(1, 3, 3), nn.LeakyReLU(SLOPE), nn.Conv2d(3, 1, 6)).double()
    batches = two_batches(4)
    first, again, other = (GradientPenalty()(critic, *batches, torch.Generator().manual_seed(s))[0] for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_batches_of_different_size_are_refused():
    with pytest.raises(ValueError, match=r"reals \(4, 1, 8, 8\) and fakes \(3, 1, 8, 8\).*draw as many latents"):
        GradientPenalty()(LinearCritic(1.0), two_batches(4)[0], two_batches(3)[0])


@pytest.mark.parametrize("weight", [-1.0, float("nan")])
def test_weights_below_zero_are_refused(weight):
    with pytest.raises(ValueError, match="expected 0 or more: a negative one would reward steep critics"):
        GradientPenalty(weight)
