import pytest
import torch
from latent_optimizers import (
    BUDGETS,
    PRIOR_WEIGHTS,
    compare_gauss_newton,
    compare_optimizers,
    compare_weights,
    table,
)
from torch import nn

from monai_cardiac_gan.inferers import LatentBank


class Painter(nn.Module):
    """Linear, with directions of very different weight, at any size."""

    def __init__(self):
        super().__init__()
        source = torch.Generator().manual_seed(0)
        columns = torch.randn(32 * 32, 100, generator=source) * torch.logspace(0, -2, 100)
        self.weight = nn.Parameter(0.1 * columns, requires_grad=False)

    def forward(self, latents, size=128):
        images = (latents @ self.weight.T).tanh().view(-1, 1, 32, 32)
        return nn.functional.interpolate(images, (size, size), mode="nearest")


class Encoder(nn.Module):
    def forward(self, patches, masks):
        return torch.zeros(len(patches), 100)


class Inpainter(nn.Module):
    def forward(self, patches, masks):
        return torch.zeros_like(patches)


@pytest.fixture
def parts():
    painter = Painter()
    critic = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(0)).eval()
    return painter, critic, LatentBank(count=64, side=8).fill(painter, metric_samples=2)


def test_each_optimiser_descends_and_the_preconditioned_ones_fastest(parts):
    painter, critic, bank = parts
    patches = painter(torch.randn(2, 100, generator=torch.Generator().manual_seed(3)))
    found = compare_optimizers(painter, critic, bank, patches)
    for losses in found.values():
        assert len(losses) == len(BUDGETS)
        assert losses == sorted(losses, reverse=True)
    assert found["L-BFGS, preconditioned, damping 0.001"][1] < found["gradient descent as published"][1]


def test_gauss_newton_pays_for_its_jacobians(parts):
    painter, critic, _ = parts
    patches = painter(torch.randn(2, 100, generator=torch.Generator().manual_seed(3)))
    losses, cost = compare_gauss_newton(painter, critic, patches)
    assert losses == sorted(losses, reverse=True)
    assert cost > 1


def test_a_heavier_prior_keeps_latents_nearer_to_their_shell(parts):
    painter, critic, bank = parts
    patches = painter(2 * torch.randn(2, 100, generator=torch.Generator().manual_seed(3)))
    found = compare_weights("prior_weight", PRIOR_WEIGHTS, painter, critic, bank, Encoder(), Inpainter(), patches)
    assert list(found) == [f"{weight:g}" for weight in PRIOR_WEIGHTS]
    assert abs(found["0.3"][1] - 10) < abs(found["0"][1] - 10)


def test_tables_have_three_digits():
    assert table("a", ["b", "c"], {"d": [0.12345, 10.0]}) == "| a | b | c |\n|---|---:|---:|\n| d | 0.123 | 10 |"
