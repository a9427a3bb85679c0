import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from monai_cardiac_gan.inferers import LatentObjective, VesselObjective
from monai_cardiac_gan.inferers.vessel_objective import COUPLING, latent_roughness
from monai_cardiac_gan.losses import InpaintingLoss, LatentNormPrior, MaskedL2

POSITIONS = torch.tensor([0.0, 10.0, 15.0, 40.0], dtype=torch.double)
LATENT, SIDE = 3, 8


def drawn(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))


class Smooth(nn.Module):
    """G(z) = tanh(A z)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("weight", 0.3 * drawn(SIDE * SIDE, LATENT, seed=1))

    def forward(self, latents, size=None):
        images = (latents @ self.weight.T).tanh().reshape(-1, 1, SIDE, SIDE)
        return images if size is None else nn.functional.avg_pool2d(images, SIDE // size)


def level_objective(chunk=None):
    loss = InpaintingLoss({"contextual": MaskedL2(), "prior": LatentNormPrior()}, {"prior": 0.1})
    mask = torch.zeros(4, 1, SIDE, SIDE, dtype=torch.bool)
    mask[..., 2:5, 3:6] = True
    return LatentObjective(Smooth(), loss, drawn(4, 1, SIDE, SIDE, seed=2).tanh(), mask, chunk)


def total_by_formula(objective, latents):
    """f of one vessel (K, L), term by term."""
    levels, count = objective.levels, len(POSITIONS)
    value = 0.0
    for k in range(count):
        images = levels.generator(latents[k : k + 1])
        parts = levels.loss(images, latents[k : k + 1], levels.targets[k : k + 1], levels.masks[k : k + 1])
        value = value + levels.loss.total(parts)[0] / count
    for k in range(count - 1):
        step = ((latents[k + 1] - latents[k]) ** 2).sum() / LATENT
        value = value + objective.weight * 10 / (POSITIONS[k + 1] - POSITIONS[k]) * step / (count - 1)
    return value


@pytest.mark.parametrize("weight", [0.0, 0.1, 3.0])
def test_total_and_gradient_are_those_of_the_formula(weight):
    objective = VesselObjective(level_objective(), POSITIONS, weight)
    vessels = drawn(2, 4, LATENT)
    found = objective(vessels.flatten(1))
    for row in range(2):
        latents = vessels[row].clone().requires_grad_()
        value = total_by_formula(objective, latents)
        (gradient,) = torch.autograd.grad(value, latents)
        torch.testing.assert_close(found.total[row], value.detach())
        torch.testing.assert_close(found.gradient[row], gradient.flatten())


def test_the_gradient_is_that_of_finite_differences():
    objective, vessel, step = VesselObjective(level_objective(), POSITIONS, 0.5), drawn(1, 4 * LATENT), 1e-5
    for number in range(4 * LATENT):
        away = torch.zeros_like(vessel)
        away[0, number] = step
        slope = (objective(vessel + away).total - objective(vessel - away).total) / (2 * step)
        torch.testing.assert_close(objective(vessel).gradient[:, number], slope, rtol=1e-6, atol=1e-8)


def test_without_coupling_it_is_the_mean_of_the_levels_own_losses():
    levels, vessels = level_objective(), drawn(2, 4, LATENT)
    found = VesselObjective(levels, POSITIONS, 0.0)(vessels.flatten(1))
    for row in range(2):
        own = levels(vessels[row])
        torch.testing.assert_close(found.total[row], own.total.mean())
        torch.testing.assert_close(found.gradient[row], own.gradient.flatten() / 4)
        for name, value in own.parts.items():
            torch.testing.assert_close(found.parts[name][row], value.mean())


def test_the_coupling_is_told_without_its_weight():
    vessels = drawn(2, 4, LATENT)
    found = VesselObjective(level_objective(), POSITIONS, 7.0)(vessels.flatten(1))
    torch.testing.assert_close(found.parts[COUPLING], latent_roughness(vessels, POSITIONS)[0])


def test_the_numbers_of_vessels_change_nothing():
    objective, vessels = VesselObjective(level_objective(), POSITIONS, 0.5), drawn(3, 4 * LATENT)
    together, some = objective(vessels), objective(vessels[1:], torch.tensor([1, 2]))
    torch.testing.assert_close(some.total, together.total[1:])
    torch.testing.assert_close(some.gradient, together.gradient[1:])


def test_the_reduced_one_couples_the_reduced_levels():
    objective, vessel = VesselObjective(level_objective(), POSITIONS, 0.5), drawn(1, 4, LATENT)
    small, own = objective.reduced(4), objective.levels.reduced(4)(vessel[0])
    assert small.targets.shape == (4, 1, 4, 4)
    value, slope = latent_roughness(vessel, POSITIONS)
    torch.testing.assert_close(small(vessel.flatten(1)).total, own.total.mean() + 0.5 * value)
    torch.testing.assert_close(small(vessel.flatten(1)).gradient[0], own.gradient.flatten() / 4 + 0.5 * slope.flatten())


@given(seed=st.integers(0, 2**16), shift=st.floats(-5, 5), factor=st.floats(0.1, 10))
@settings(deadline=None, max_examples=25)
def test_roughness_knows_neither_place_nor_unit(seed, shift, factor):
    """All latents moved alike are as rough; at so many times the distance they are as much less rough."""
    latents = drawn(2, 4, LATENT, seed=seed)
    value = latent_roughness(latents, POSITIONS)[0]
    torch.testing.assert_close(latent_roughness(latents + shift, POSITIONS + shift)[0], value)
    torch.testing.assert_close(latent_roughness(latents, POSITIONS * factor)[0], value / factor)


def test_a_straight_line_is_the_smoothest_way_between_two_latents():
    ends, inner = drawn(2, LATENT), torch.zeros(2, LATENT, dtype=torch.double)
    share = (POSITIONS / POSITIONS[-1])[:, None]
    line = ends[0] + share * (ends[1] - ends[0])
    assert latent_roughness(line[None], POSITIONS)[1][0, 1:-1].abs().max() < 1e-12
    bent = line.clone()
    bent[1:3] += drawn(*inner.shape, seed=5)
    assert latent_roughness(bent[None], POSITIONS)[0] > latent_roughness(line[None], POSITIONS)[0] + 0.1


def test_one_level_has_no_neighbour():
    value, gradient = latent_roughness(drawn(2, 1, LATENT), torch.zeros(1))
    assert value.tolist() == [0.0, 0.0]
    assert not gradient.any()


@pytest.mark.parametrize(
    "positions", [[0.0, 10.0, 20.0], [0.0, 10.0, 10.0, 20.0], [30.0, 20.0, 10.0, 0.0], [0.0, torch.nan, 1.0, 2.0]]
)
def test_positions_that_do_not_fit_are_refused(positions):
    with pytest.raises(
        ValueError, match=r"4 levels at \[.*\] mm: expected one position for each, increasing along the vessel"
    ):
        VesselObjective(level_objective(), torch.tensor(positions), 0.1)


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_weight_that_makes_no_sense_is_refused(weight):
    with pytest.raises(ValueError, match=f"coupling's weight is {weight}: expected a finite number of at least 0"):
        VesselObjective(level_objective(), POSITIONS, weight)
