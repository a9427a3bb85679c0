import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from monai_cardiac_gan.handlers import OverfittingMonitor
from monai_cardiac_gan.handlers.overfitting_monitor import OverfittingNumbers, overfitting_of_scores

SCORES = st.floats(-1e3, 1e3)


def constant(value, count=6):
    return torch.full((count, 1, 4, 4), value)


class MeanScore(nn.Module):
    """Scores an image with its mean, or with nonsense while it trains."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, images):
        return self.factor * images.mean((1, 2, 3)) + 100.0 * self.training


def test_the_numbers_are_those_of_the_mean_scores(trainer_of):
    trainer = trainer_of(critic=MeanScore())
    generator = nn.Sequential(nn.Linear(4, 16), nn.Unflatten(1, (1, 4, 4)))
    nn.init.zeros_(generator[0].weight)
    nn.init.constant_(generator[0].bias, 0.1)
    OverfittingMonitor(constant(0.9), [constant(0.5)], count=5, network=generator).attach(trainer)
    trainer.critic_optimizer = torch.optim.SGD(trainer.critic.parameters(), 0.0)
    trainer.run()
    assert trainer.state.metrics == {
        OverfittingNumbers.TRAIN: pytest.approx(0.8, abs=1e-6),
        OverfittingNumbers.HELD_OUT: pytest.approx(0.4, abs=1e-6),
        OverfittingNumbers.OVERFITTING: pytest.approx(0.4, abs=1e-6),
        OverfittingNumbers.RATIO: pytest.approx(0.5, abs=1e-6),
    }


def test_the_generator_of_the_training_is_measured_with_seeded_latents(trainer_of):
    trainer = trainer_of()
    OverfittingMonitor(constant(0.9), constant(0.5), count=7, seed=3).attach(trainer)
    trainer.run()
    latents = torch.randn(7, 4, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        scores = [trainer.critic(images).mean() for images in (constant(0.9), trainer.generator.eval()(latents))]
    assert trainer.state.metrics[OverfittingNumbers.TRAIN] == pytest.approx((scores[0] - scores[1]).item(), abs=1e-6)


@given(SCORES, SCORES, SCORES)
def test_laws_of_the_gap(train, held_out, generated):
    gap = overfitting_of_scores(train, held_out, generated)
    assert gap[OverfittingNumbers.TRAIN] - gap[OverfittingNumbers.HELD_OUT] == pytest.approx(
        gap[OverfittingNumbers.OVERFITTING], abs=1e-9
    )
    if train <= generated:
        assert math.isnan(gap[OverfittingNumbers.RATIO])


@given(SCORES, st.floats(1e-3, 1e3))
def test_the_ratio_is_0_without_overfitting_and_1_when_held_out_patches_score_as_generated_ones(generated, gap):
    train = generated + gap
    assert overfitting_of_scores(train, train, generated)[OverfittingNumbers.RATIO] == 0
    assert overfitting_of_scores(train, generated, generated)[OverfittingNumbers.RATIO] == 1


def test_empty_loaders_are_refused(trainer_of):
    trainer = trainer_of()
    OverfittingMonitor([], constant(0.5)).attach(trainer)
    with pytest.raises(ValueError, match="the source has no images"):
        trainer.run()
