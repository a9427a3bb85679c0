import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.losses import WassersteinLoss

scores = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20)


@given(reals=scores, fakes=scores)
def test_losses_are_differences_of_means(reals, fakes):
    real_scores, fake_scores = (torch.tensor(values, dtype=torch.float64) for values in (reals, fakes))
    mean_real, mean_fake = sum(reals) / len(reals), sum(fakes) / len(fakes)
    loss = WassersteinLoss()
    assert loss.critic(real_scores, fake_scores).item() == pytest.approx(mean_fake - mean_real, abs=1e-9)
    assert loss.generator(fake_scores).item() == pytest.approx(-mean_fake, abs=1e-9)


def test_losses_computed_by_hand():
    loss = WassersteinLoss()
    assert loss.critic(torch.tensor([3.0, 5.0]), torch.tensor([1.0, 2.0])).item() == 1.5 - 4.0
    assert loss.generator(torch.tensor([1.0, 2.0])).item() == -1.5


def test_each_player_pushes_the_fakes_its_own_way():
    fake_scores = torch.zeros(4, requires_grad=True)
    (of_critic,) = torch.autograd.grad(WassersteinLoss().critic(torch.ones(4), fake_scores), fake_scores)
    (of_generator,) = torch.autograd.grad(WassersteinLoss().generator(fake_scores), fake_scores)
    assert of_critic.tolist() == [0.25] * 4
    assert of_generator.tolist() == [-0.25] * 4


def test_no_scores_are_refused():
    none, some = torch.zeros(0), torch.zeros(2)
    with pytest.raises(ValueError, match=r"real_scores \(0,\) holds no score.*drop batches"):
        WassersteinLoss().critic(none, some)
    with pytest.raises(ValueError, match=r"fake_scores \(0,\) holds no score"):
        WassersteinLoss().generator(none)
