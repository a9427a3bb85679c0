import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.losses import HingeLoss

scores = st.lists(st.floats(-10, 10), min_size=1, max_size=12)


def of_doubles(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


@given(reals=scores, fakes=scores)
@settings(deadline=None, max_examples=50)
def test_losses_are_mean_distances_to_the_margin(reals, fakes):
    closed = np.maximum(0, 1 - np.array(reals)).mean() + np.maximum(0, 1 + np.array(fakes)).mean()
    assert HingeLoss().critic(of_doubles(reals), of_doubles(fakes)).item() == pytest.approx(closed, abs=1e-12)
    assert HingeLoss().generator(of_doubles(fakes)).item() == pytest.approx(-np.mean(fakes), abs=1e-12)


def test_losses_computed_by_hand():
    reals, fakes = torch.tensor([3.0, 0.5, -1.0, 1.0]), torch.tensor([1.0, -0.5, -2.0, -1.0])
    assert HingeLoss().critic(reals, fakes).item() == (0 + 0.5 + 2 + 0) / 4 + (2 + 0.5 + 0 + 0) / 4
    assert HingeLoss().generator(fakes).item() == 2.5 / 4


def test_only_scores_within_the_margin_move_the_critic():
    reals, fakes = of_doubles([3.0, 0.5, -1.0, 1.5]), of_doubles([1.0, -0.5, -2.0, -1.5, 0.0])
    of_reals, of_fakes = torch.autograd.grad(HingeLoss().critic(reals, fakes), (reals, fakes))
    assert of_reals.tolist() == [0, -1 / 4, -1 / 4, 0]
    assert of_fakes.tolist() == [1 / 5, 1 / 5, 0, 0, 1 / 5]


def test_every_fake_pulls_the_generator_alike():
    fakes = of_doubles([30.0, -0.5, -20.0, 1.0])
    (gradient,) = torch.autograd.grad(HingeLoss().generator(fakes), fakes)
    assert gradient.tolist() == [-1 / 4] * 4


def test_gradients_agree_with_finite_differences():
    reals, fakes = of_doubles([2.0, 0.5, -0.3]), of_doubles([0.7, -0.2, -1.8])  # no score on a kink
    assert torch.autograd.gradcheck(HingeLoss().critic, (reals, fakes))
    assert torch.autograd.gradcheck(HingeLoss().generator, (fakes,))


def test_real_and_generated_batches_may_differ_in_size():
    assert HingeLoss().critic(torch.zeros(3), torch.zeros(5)).item() == 2
