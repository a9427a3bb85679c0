import itertools

import pytest
import torch
from gauss_newton import gauss_newton
from torch import nn

from monai_cardiac_gan.inferers import LatentObjective
from monai_cardiac_gan.losses import InpaintingLoss, MaskedL1

MASK = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
MASK[..., 3:5, 3:5] = True


def test_a_linear_generator_is_fitted_exactly_in_a_few_steps():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(6, 64), nn.Unflatten(1, (1, 8, 8))).requires_grad_(False)
    truth = torch.randn(2, 6)
    objective = LatentObjective(
        generator, InpaintingLoss({"contextual": MaskedL1()}), generator(truth), MASK.expand(2, 1, 8, 8)
    )
    losses, asked = gauss_newton(generator, objective, 1, torch.zeros(6), jacobians=12)
    assert losses[-1] < 1e-3 * losses[0]
    assert losses == sorted(losses, reverse=True)
    assert asked[0] == 1
    assert all(2 <= after - before <= 7 for before, after in itertools.pairwise(asked))
    assert objective(truth[1:], torch.tensor([1])).total.item() == pytest.approx(0, abs=1e-6)
