"""The checks of scores, asked through the losses that share them."""

import pytest
import torch

from monai_cardiac_gan.losses import HingeLoss, RelativisticLoss, WassersteinLoss

none, some = torch.zeros(0), torch.zeros(2)
LOSSES = [HingeLoss(), RelativisticLoss(), WassersteinLoss()]


@pytest.mark.parametrize("loss", LOSSES)
def test_no_fakes_are_refused(loss):
    message = r"fake_scores \(0,\) holds no score, expected \(N,\): drop batches without images"
    with pytest.raises(ValueError, match=message):
        loss.critic(some, none)
    with pytest.raises(ValueError, match=message):
        loss.generator(none, none)


@pytest.mark.parametrize("loss", [HingeLoss(), WassersteinLoss()])
def test_no_reals_are_refused(loss):
    with pytest.raises(ValueError, match=r"real_scores \(0,\) holds no score, expected \(N,\): drop batches"):
        loss.critic(none, some)


@pytest.mark.parametrize("reals", [none, torch.zeros(3), torch.zeros(2, 1), torch.zeros(())])
def test_scores_that_are_no_pairs_are_refused(reals):
    shape = str(tuple(reals.shape)).replace("(", r"\(").replace(")", r"\)")
    message = rf"real_scores {shape} and fake_scores \(2,\) are no pairs.*give as many of both"
    with pytest.raises(ValueError, match=message):
        RelativisticLoss().critic(reals, some)
    with pytest.raises(ValueError, match=message):
        RelativisticLoss().generator(some, reals)


def test_fakes_without_any_reals_are_refused():
    with pytest.raises(ValueError, match=r"real_scores None and fake_scores \(2,\) are no pairs.*compares each fake"):
        RelativisticLoss().generator(some)
