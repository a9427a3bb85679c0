import numpy as np
import pytest
import torch
from inpainting import (
    PapersRuns,
    Recorder,
    UsualLoop,
    compare_std,
    compare_with_nearest,
    step_costs,
    time_of_papers_search,
    times_to_target,
)
from torch import nn

from monai_cardiac_gan.inferers import LatentObjective, NearestPatchInpainter, gradient_descent_search
from monai_cardiac_gan.losses import contextual_plus_perceptual_loss

MASK = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
MASK[..., 3:5, 3:5] = True


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
    search = gradient_descent_search(critic, iterations=30, step_size=2.0, progress=False)
    result = search.search(patches, MASK, generator)
    total = result.traces.total[:, :, 0]
    targets = torch.tensor([total[0, 0], total[10, 1], -9.0])
    reached, lowest = times_to_target(search, patches, MASK, generator, critic, targets)
    torch.testing.assert_close(lowest, result.losses[:, 0], rtol=1e-4, atol=1e-6)
    assert reached[2] is None
    assert 0 < reached[0] < reached[1] < 60


def test_a_recorder_changes_nothing(networks, patches):
    generator, critic = networks
    search = gradient_descent_search(critic, iterations=5, progress=False)
    plain = search.search(patches, MASK, generator)
    search.optimizer = recorder = Recorder(search.optimizer)
    recorded = search.search(patches, MASK, generator)
    assert torch.equal(plain.latents, recorded.latents)
    assert [len(latents) for _, latents, _ in recorder.notes] == [3] * 6


def test_the_usual_loop_descends_the_same_loss(networks, patches):
    generator, critic = networks
    latents = torch.randn(3, 100, generator=torch.Generator().manual_seed(2))
    usual = UsualLoop(generator, critic, latents, patches, MASK)
    usual.step()
    loss = contextual_plus_perceptual_loss(critic, 0.1 / 60)  # the sum over 60 known pixels
    objective = LatentObjective(generator, loss, patches, MASK.expand_as(patches))
    expected = latents - 1e-4 * 60 * objective(latents).gradient
    torch.testing.assert_close(usual.latents.detach(), expected, rtol=1e-5, atol=1e-6)


def test_networks_are_left_frozen(networks, patches):
    costs = step_costs(*networks, patches, MASK)
    assert set(costs) == {"ours, ms", "bare, ms", "usual, ms", "ours / usual", "ours / bare"}
    assert costs["ours / bare"] == pytest.approx(costs["ours, ms"] / costs["bare, ms"], rel=0.9)
    assert not any(weight.requires_grad for network in networks for weight in network.parameters())


def test_results_of_the_published_search_are_kept_and_used_again(networks, patches, tmp_path):
    generator, critic = networks
    runs = PapersRuns(tmp_path / "runs.pt", generator, critic, iterations=20)
    first = runs.latents(patches[:2], MASK, seed=0)
    expected = gradient_descent_search(critic, iterations=20, progress=False).search(patches[:2], MASK, generator)
    torch.testing.assert_close(first, expected.latents[:, 0])
    again = PapersRuns(tmp_path / "runs.pt", generator, critic, iterations=20)
    assert len(again.kept) == 2
    name = next(iter(again.kept))
    again.kept[name] = torch.full((100,), 7.0)  # what is kept is not searched again
    assert torch.equal(again.latents(patches, MASK, seed=0)[0], again.kept[name])
    assert len(again.kept) == 3
    other = PapersRuns(tmp_path / "runs.pt", generator, critic, iterations=5)
    other.latents(patches, MASK, seed=0)
    assert len(other.kept) == 6  # two of twenty steps, whose file it was, and three of five


def test_the_published_searchs_time_is_that_of_its_iterations(networks, patches, monkeypatch):
    class Timed:
        def __init__(self, iterations):
            self.seconds = 2.0 + 0.5 * iterations

        def search(self, *arguments):
            return self

    monkeypatch.setattr("inpainting.gradient_descent_search", lambda critic, iterations, **settings: Timed(iterations))
    assert time_of_papers_search(*networks, patches, MASK, 8000, 10) == pytest.approx(2.0 + 0.5 * 8000)


def test_the_nearest_patch_is_held_against_the_image_of_the_latent(networks, patches):
    generator, _ = networks
    latents = torch.randn(3, 100, generator=torch.Generator().manual_seed(2))
    images = generator(latents).detach()
    found = compare_with_nearest(generator, latents, images, MASK, NearestPatchInpainter(patches))
    assert found["difference outside the mask, L-BFGS search"] == pytest.approx([0, 0, 0], abs=1e-6)
    assert found["L-BFGS not worse than nearest outside the mask, share"] == 1
    nearest = [min(((p - image).abs() * ~MASK[0]).sum().item() / 60 for p in patches) for image in images]
    assert found["difference outside the mask, nearest training patch"] == pytest.approx(nearest, rel=1e-5)


def test_the_standard_deviation_is_that_of_the_diameters_over_starts():
    rows, columns = np.ogrid[:128, :128]
    distance = np.hypot(rows - 63.5, columns - 63.5)
    discs = [torch.tensor(np.clip(size / 2 + 0.5 - distance, 0, 1), dtype=torch.float32)[None] for size in (20, 23, 26)]

    class Runs:
        """The paper's search ends at a latent that its generator paints as a disc of the seed's size."""

        generator = staticmethod(lambda latents: torch.stack([discs[int(seed)] for seed in latents[:, 0]]))

        def latents(self, patches, mask, seed):
            return torch.full((len(patches), 1), float(seed))

    mask = distance[None, None] <= 20
    patches = torch.zeros(2, 1, 128, 128)
    quick = torch.stack([torch.stack([discs[0], discs[0], discs[0]])] * 2)
    found = compare_std(quick, Runs(), patches, torch.tensor(mask), 3)
    assert found["diameter's standard deviation over starts, mm, paper's search"] == pytest.approx([3.0, 3.0], abs=0.1)
    assert found["ratio of the mean standard deviations, L-BFGS / paper"] == pytest.approx(0, abs=1e-6)
