import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from monai_cardiac_gan.losses import ZeroCentredPenalty
from monai_cardiac_gan.losses.gradient_penalty import chain_of
from monai_cardiac_gan.networks.nets import PatchCritic

PLACES = ("reals", "fakes", "both")


class LinearCritic(nn.Module):
    def __init__(self, slope):
        super().__init__()
        direction = torch.arange(1.0, 17.0, dtype=torch.float64)
        self.weight = nn.Parameter(slope * direction / direction.norm())

    def forward(self, images):
        return images.flatten(1) @ self.weight


class QuadraticCritic(nn.Module):
    r"""Scores :math:`x^T A x / 2`, so that its gradient is :math:`A x` for a symmetric matrix."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = nn.Parameter(matrix)

    def forward(self, images):
        pixels = images.flatten(1)
        return 0.5 * ((pixels @ self.matrix) * pixels).sum(1)


class WithoutChain(nn.Module):
    """Hides the chain of a critic, so that it is differentiated twice."""

    def __init__(self, critic):
        super().__init__()
        self.critic = critic

    def forward(self, images):
        return self.critic(images)


def two_batches(size, pixels=4):
    source = torch.Generator().manual_seed(size)
    return torch.randn(2, size, 1, pixels, pixels, dtype=torch.float64, generator=source)


@pytest.mark.parametrize("at", PLACES)
@given(size=st.integers(1, 9), slope=st.floats(0, 5), weight=st.floats(0, 100))
@settings(deadline=None, max_examples=25)
def test_penalty_of_a_linear_critic_is_half_the_squared_slope_at_each_place(at, size, slope, weight):
    penalty, norms = ZeroCentredPenalty(weight, at)(LinearCritic(slope), *two_batches(size))
    places = 2 if at == "both" else 1
    assert penalty.item() == pytest.approx(places * weight / 2 * slope**2, abs=1e-9)
    assert norms.tolist() == pytest.approx([slope] * size * places, abs=1e-12)
    assert not norms.requires_grad


@pytest.mark.parametrize("at", PLACES)
def test_penalty_of_a_quadratic_critic_and_its_gradient_by_hand(at):
    reals, fakes = two_batches(5)
    root = torch.randn(16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    critic = QuadraticCritic(root + root.T)
    penalty, norms = ZeroCentredPenalty(3.0, at)(critic, reals, fakes)
    (gradient,) = torch.autograd.grad(penalty, critic.matrix)
    matrix, expected, expected_norms, by_hand = critic.matrix.detach(), 0.0, [], torch.zeros(16, 16).double()
    for name, images in (("reals", reals), ("fakes", fakes)):
        if at in (name, "both"):
            pixels = images.flatten(1)
            slopes = pixels @ matrix
            expected += 3.0 / 2 * slopes.square().sum(1).mean()
            expected_norms.append(slopes.norm(dim=1))
            # the slope is (A + A^T) x / 2, of which the derivative goes half to each of the two
            outer = torch.einsum("ni,nj->ij", slopes, pixels) / len(pixels)
            by_hand += 3.0 / 2 * (outer + outer.T)
    torch.testing.assert_close(penalty.detach(), expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(norms, torch.cat(expected_norms), rtol=1e-12, atol=0)
    torch.testing.assert_close(gradient, by_hand, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("at", PLACES)
def test_both_ways_agree_on_the_patch_critic(at):
    torch.manual_seed(0)
    critic = PatchCritic(width=2, max_channels=8).double()
    batches, results = two_batches(3, pixels=128), []
    for way in (critic, WithoutChain(critic)):
        critic.zero_grad()
        penalty, norms = ZeroCentredPenalty(2.0, at)(way, *batches)
        penalty.backward()
        assert all(layer.bias.grad is None or not layer.bias.grad.any() for layer in critic.layers[::2])
        results.append([penalty.detach(), norms, *(layer.weight.grad.clone() for layer in critic.layers[::2])])
    assert chain_of(critic) is critic.layers
    assert chain_of(WithoutChain(critic)) is None
    assert results[0][0] > 0.1
    for chained, general in zip(*results, strict=True):
        torch.testing.assert_close(chained, general, rtol=1e-10, atol=1e-12)


def test_both_places_are_the_sum_of_the_two():
    reals, fakes = two_batches(6)
    critic = QuadraticCritic(torch.eye(16, dtype=torch.float64))  # slopes are the images themselves
    at_reals, at_fakes, at_both = (ZeroCentredPenalty(7.0, at)(critic, reals, 2 * fakes[:4])[0] for at in PLACES)
    torch.testing.assert_close(at_both, at_reals + at_fakes, rtol=1e-12, atol=0)
    torch.testing.assert_close(at_reals, 3.5 * reals.square().sum((1, 2, 3)).mean(), rtol=1e-12, atol=0)
    torch.testing.assert_close(at_fakes, 14.0 * fakes[:4].square().sum((1, 2, 3)).mean(), rtol=1e-12, atol=0)


def test_no_gradient_reaches_the_images():
    reals, fakes = (images.requires_grad_() for images in two_batches(3).unbind())
    critic = LinearCritic(2.0)
    ZeroCentredPenalty()(critic, reals, fakes)[0].backward()
    assert reals.grad is None
    assert fakes.grad is None
    torch.testing.assert_close(critic.weight.grad, 2 * critic.weight.detach())


def test_nothing_is_random():
    state, numbers = torch.get_rng_state(), torch.Generator().manual_seed(4)
    before = numbers.get_state()
    arguments = (LinearCritic(1.0), *two_batches(2))
    penalties = [
        ZeroCentredPenalty()(*arguments, generator=numbers)[0],
        ZeroCentredPenalty()(*arguments, epsilon=torch.zeros(2))[0],
    ]
    assert penalties[0] == penalties[1]
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(numbers.get_state(), before)


@pytest.mark.parametrize("weight", [-1.0, float("nan")])
def test_weights_below_zero_are_refused(weight):
    with pytest.raises(ValueError, match=f"weight is {weight}, expected 0 or more: a negative one would reward steep"):
        ZeroCentredPenalty(weight)


def test_unknown_places_are_refused():
    with pytest.raises(ValueError, match="at is 'between', expected 'reals', 'fakes' or 'both': choose where"):
        ZeroCentredPenalty(at="between")
