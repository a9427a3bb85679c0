import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.inferers import InpaintedVessel
from monai_cardiac_gan.inferers.inpainted_vessel import latents_between

POSITIONS = torch.tensor([0.0, 10.0, 14.0, 40.0])


def vessel(totals, solutions):
    latents = torch.randn(solutions, 4, 3, generator=torch.Generator().manual_seed(0))
    none = torch.zeros(solutions, 4)
    return InpaintedVessel(POSITIONS, latents, none, none, torch.tensor(totals), none[:, 0], ("",) * solutions, 0.0)


@given(wanted=st.lists(st.floats(-20, 60, width=32), min_size=1, max_size=8))
@settings(deadline=None)
def test_latents_between_levels_are_those_of_numpy(wanted):
    latents = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    found = latents_between(latents, POSITIONS, torch.tensor(wanted))
    expected = np.stack([np.interp(wanted, POSITIONS.numpy(), column) for column in latents.numpy().T], 1)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_at_a_level_it_is_that_levels_latent_to_the_bit():
    latents = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(latents_between(latents, POSITIONS, POSITIONS), latents)


def test_of_one_level_all_places_have_the_latent():
    found = latents_between(torch.tensor([[1.0, 2.0]]), torch.tensor([5.0]), torch.tensor([0.0, 5.0, 9.0]))
    assert found.tolist() == [[1.0, 2.0]] * 3


def test_each_solution_has_its_own_latents_between():
    found = vessel([1.0, 2.0], 2)
    wanted = torch.tensor([5.0, 12.0])
    assert found.latents_at(wanted).shape == (2, 2, 3)
    torch.testing.assert_close(found.latents_at(wanted)[1, 1], found.latents[1, 1:3].mean(0))


@pytest.mark.parametrize(("totals", "best"), [([0.3, 0.1, 0.2], 1), ([torch.inf, 0.4, torch.inf], 1), ([0.1], 0)])
def test_the_best_solution_is_that_of_lowest_loss(totals, best):
    assert vessel(totals, len(totals)).best == best
