import pytest
import torch
from inpainting import Recorder, UsualLoop, step_costs, times_to_target
from torch import nn

from monai_cardiac_gan.inferers import LatentObjective, paper_search
from monai_cardiac_gan.losses import published_loss

KNOWN = torch.ones(1, 1, 8, 8, dtype=torch.bool)
KNOWN[..., 3:5, 3:5] = False


@pytest.fixture
def networks():
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(100, 64), nn.Unflatten(1, (1, 8, 8)), nn.Tanh())
    critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Flatten(0))
    return generator.requires_grad_(False).eval(), critic.requires_grad_(False).eval()


@pytest.fixture
def patches():
    return torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(1)) - 0.5


def test_a_target_is_reached_at_the_first_gradient_that_is_as_low(networks, patches):
    generator, critic = networks
    search = paper_search(critic, iterations=30, step_size=2.0, progress=False)
    result = search.search(patches, ~KNOWN, generator)
    total = result.traces.total[:, :, 0]
    targets = torch.tensor([total[0, 0], total[10, 1], -9.0])
    reached, lowest = times_to_target(search, patches, KNOWN, generator, critic, targets)
    torch.testing.assert_close(lowest, result.losses[:, 0], rtol=1e-4, atol=1e-6)
    assert reached[2] is None
    assert 0 < reached[0] < reached[1] < 60


def test_a_recorder_changes_nothing(networks, patches):
    generator, critic = networks
    search = paper_search(critic, iterations=5, progress=False)
    plain = search.search(patches, ~KNOWN, generator)
    search.descent = recorder = Recorder(search.descent)
    recorded = search.search(patches, ~KNOWN, generator)
    assert torch.equal(plain.latents, recorded.latents)
    assert [len(latents) for _, latents, _ in recorder.notes] == [3] * 6


def test_the_usual_loop_descends_the_same_loss(networks, patches):
    generator, critic = networks
    latents = torch.randn(3, 100, generator=torch.Generator().manual_seed(2))
    usual = UsualLoop(generator, critic, latents, patches, KNOWN)
    usual.step()
    loss = published_loss(critic, 0.1 / 60)  # the sum over 60 known pixels
    objective = LatentObjective(generator, loss, patches, KNOWN.expand_as(patches))
    expected = latents - 1e-4 * 60 * objective(latents).gradient
    torch.testing.assert_close(usual.latents.detach(), expected, rtol=1e-5, atol=1e-6)


def test_networks_are_left_frozen(networks, patches):
    costs = step_costs(*networks, patches, KNOWN)
    assert set(costs) == {"ours, ms", "bare, ms", "usual, ms", "ours / usual", "ours / bare"}
    assert costs["ours / bare"] == pytest.approx(costs["ours, ms"] / costs["bare, ms"], rel=0.9)
    assert not any(weight.requires_grad for network in networks for weight in network.parameters())
