import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.losses import RelativisticLoss

pairs = st.lists(st.tuples(st.floats(-40, 40), st.floats(-40, 40)), min_size=1, max_size=12)


def of_doubles(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def split(rows):
    reals, fakes = zip(*rows, strict=True)
    return of_doubles(reals), of_doubles(fakes)


@given(rows=pairs)
@settings(deadline=None, max_examples=50)
def test_losses_are_softplus_of_the_differences(rows):
    differences = np.array([real - fake for real, fake in rows])
    reals, fakes = split(rows)
    of_critic, of_generator = RelativisticLoss().critic(reals, fakes), RelativisticLoss().generator(fakes, reals)
    # torch takes softplus(x) for x once x is above 20, which is off by exp(-20)
    assert of_critic.item() == pytest.approx(np.logaddexp(0, -differences).mean(), abs=1e-8)
    assert of_generator.item() == pytest.approx(np.logaddexp(0, differences).mean(), abs=1e-8)


@given(rows=pairs)
@settings(deadline=None, max_examples=50)
def test_gradients_are_the_chances_of_being_wrong(rows):
    reals, fakes = split(rows)
    wrong = 1 / (1 + np.exp((reals - fakes).detach().numpy())) / len(rows)
    of_reals, of_fakes = torch.autograd.grad(RelativisticLoss().critic(reals, fakes), (reals, fakes))
    assert of_reals.numpy() == pytest.approx(-wrong, abs=1e-8)
    assert of_fakes.numpy() == pytest.approx(wrong, abs=1e-8)
    (of_generator,) = torch.autograd.grad(RelativisticLoss().generator(fakes, reals), fakes)
    assert of_generator.numpy() == pytest.approx(wrong - 1 / len(rows), abs=1e-8)


def test_gradients_agree_with_finite_differences():
    reals, fakes = of_doubles([2.0, 0.5, -0.3]), of_doubles([0.7, 0.5, -1.8])
    assert torch.autograd.gradcheck(RelativisticLoss().critic, (reals, fakes))
    assert torch.autograd.gradcheck(RelativisticLoss().generator, (fakes, reals))


@given(rows=pairs, shift=st.floats(-40, 40))
@settings(deadline=None, max_examples=50)
def test_only_differences_count(rows, shift):
    reals, fakes = split(rows)
    loss = RelativisticLoss()
    torch.testing.assert_close(loss.critic(reals + shift, fakes + shift), loss.critic(reals, fakes), rtol=0, atol=1e-8)
    torch.testing.assert_close(
        loss.generator(fakes + shift, reals + shift), loss.generator(fakes, reals), rtol=0, atol=1e-8
    )


def test_each_fake_is_compared_with_its_own_partner():
    reals, fakes = torch.tensor([0.0, 9.0]), torch.tensor([9.0, 0.0])
    by_hand = (math.log1p(math.exp(9)) + math.log1p(math.exp(-9))) / 2
    assert RelativisticLoss().critic(reals, fakes).item() == pytest.approx(by_hand, rel=1e-6)
    assert RelativisticLoss().critic(reals, fakes.flip(0)).item() == pytest.approx(math.log(2), rel=1e-6)


def test_both_players_start_even():
    scores = torch.full((7,), 3.0)
    assert RelativisticLoss().critic(scores, scores).item() == pytest.approx(math.log(2))
    assert RelativisticLoss().generator(scores, scores).item() == pytest.approx(math.log(2))


def test_huge_differences_stay_finite():
    reals, fakes = torch.tensor([-1e30]), torch.tensor([1e30])
    assert RelativisticLoss().critic(reals, fakes).item() == pytest.approx(2e30)
    assert RelativisticLoss().generator(fakes, reals).item() == 0
