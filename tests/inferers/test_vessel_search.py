import numpy as np
import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import (
    BatchedLBFGS,
    LatentBank,
    LatentInpaintingInferer,
    RandomInitializer,
    VesselSearch,
    lbfgs_search,
)
from monai_cardiac_gan.inferers.objective import Evaluation
from monai_cardiac_gan.inferers.traces import StopReason
from monai_cardiac_gan.losses import InpaintingLoss, MaskedL2

SIDE, LATENT = 6, 4
POSITIONS = torch.tensor([0.0, 10.0, 15.0, 35.0, 45.0], dtype=torch.double)
COUNT = len(POSITIONS)


class Linear(nn.Module):
    """G(z) = A z."""

    def __init__(self):
        super().__init__()
        source = torch.Generator().manual_seed(1)
        self.weight = nn.Parameter(0.2 * torch.randn(SIDE * SIDE, LATENT, dtype=torch.double, generator=source))

    def forward(self, latents):
        return (latents @ self.weight.T).reshape(-1, 1, SIDE, SIDE)


@pytest.fixture
def linear():
    return Linear()


@pytest.fixture
def patches():
    return torch.rand(COUNT, 1, SIDE, SIDE, dtype=torch.double, generator=torch.Generator().manual_seed(2)) - 0.5


@pytest.fixture
def hole():
    hole = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    hole[2:4, 1:4] = True
    return hole


def search(weight, chunk=None, **options):
    inferer = LatentInpaintingInferer(
        loss=InpaintingLoss({"contextual": MaskedL2()}),
        initializer=RandomInitializer(LATENT, batches=2, batch_size=8),
        optimizer=BatchedLBFGS(evaluations=400, tolerance=0),
        chunk=chunk,
        progress=False,
        **options,
    )
    return VesselSearch(inferer, weight)


def solution(generator, patches, known, weight):
    """Where the quadratic has no slope: the normal equations of all levels and couplings, (K, L).

    Pixels outside the field of view differ by nothing; the mean is still over all that are not hidden.
    """
    visible = SIDE * SIDE - 6
    matrix, right = np.zeros((COUNT * LATENT, COUNT * LATENT)), np.zeros(COUNT * LATENT)
    for k in range(COUNT):
        rows = slice(k * LATENT, (k + 1) * LATENT)
        inside = known[k].flatten().numpy()
        part = generator.weight.detach().numpy()[inside]
        matrix[rows, rows] += part.T @ part / visible / COUNT
        right[rows] += part.T @ patches[k].flatten().numpy()[inside] / visible / COUNT
    for k, gap in enumerate(POSITIONS.diff().tolist()):
        pull = weight * 10 / gap / (COUNT - 1) / LATENT * np.eye(LATENT)
        one, other = slice(k * LATENT, (k + 1) * LATENT), slice((k + 1) * LATENT, (k + 2) * LATENT)
        for first, second, sign in ((one, one, 1), (other, other, 1), (one, other, -1), (other, one, -1)):
            matrix[first, second] += sign * pull
    return np.linalg.solve(matrix, right).reshape(COUNT, LATENT)


@pytest.mark.parametrize("weight", [0.0, 0.01, 1.0])
def test_it_finds_the_solution_of_the_normal_equations(linear, patches, hole, weight):
    found = search(weight)(patches, hole, linear, POSITIONS)
    known = (~hole).expand(COUNT, 1, SIDE, SIDE)
    np.testing.assert_allclose(found.latents[0], solution(linear, patches, known, weight), atol=1e-4)


def test_pixels_outside_the_field_of_view_do_not_count(linear, patches, hole):
    valid = torch.ones(COUNT, 1, SIDE, SIDE, dtype=torch.bool)
    valid[1, :, :, 5:] = False
    found = search(0.01)(patches, hole, linear, POSITIONS, valid)
    np.testing.assert_allclose(found.latents[0], solution(linear, patches, ~hole & valid, 0.01), atol=1e-4)


def test_without_coupling_each_level_is_searched_as_if_alone(linear, patches, hole):
    together = search(0.0)(patches, hole, linear, POSITIONS)
    for k in range(COUNT):
        alone = search(0.0)(patches[k : k + 1], hole, linear, POSITIONS[k : k + 1])
        torch.testing.assert_close(alone.latents[0, 0], together.latents[0, k], rtol=0, atol=1e-4)
        torch.testing.assert_close(alone.losses[0, 0], together.losses[0, k])


def test_a_strong_coupling_makes_one_image_of_all_levels(linear, patches, hole):
    found = search(100.0)(patches, hole, linear, POSITIONS)
    known = (~hole).flatten().numpy()
    common = np.linalg.lstsq(
        linear.weight.detach().numpy()[known], patches.mean(0).flatten().numpy()[known], rcond=None
    )[0]
    np.testing.assert_allclose(found.latents[0], np.tile(common, (COUNT, 1)), atol=3e-3)


def test_the_more_coupling_the_nearer_are_neighbours(linear, patches, hole):
    steps = [
        search(weight)(patches, hole, linear, POSITIONS).latents[0].diff(dim=0).square().sum().item()
        for weight in (0.0, 0.003, 0.03, 0.3)
    ]
    assert np.max(np.divide(steps[1:], steps[:-1])) < 0.9


def test_the_chunk_changes_nothing(linear, patches, hole):
    whole, parts = (search(0.01, chunk)(patches, hole, linear, POSITIONS) for chunk in (None, 2))
    torch.testing.assert_close(whole.latents, parts.latents, rtol=0, atol=1e-6)
    torch.testing.assert_close(whole.generated, parts.generated, rtol=0, atol=1e-6)


def test_what_lies_behind_the_hole_is_out_of_reach(painter, judge, mask):
    """Of the whole search, its starts included: not a bit changes."""
    bank = LatentBank(latent_size=6, count=100, side=8).fill(painter, metric_samples=4)
    inferer = lbfgs_search(judge, bank, nearest=3, coarse_evaluations=8, evaluations=4, coarse_size=8, progress=False)
    patches = painter(torch.randn(3, 6, generator=torch.Generator().manual_seed(3)))
    spoilt = torch.where(mask, torch.rand(patches.shape, generator=torch.Generator().manual_seed(4)), patches)
    assert not torch.equal(patches, spoilt)
    one, other = (
        VesselSearch(inferer)(each, mask, painter, torch.tensor([0.0, 10.0, 20.0])) for each in (patches, spoilt)
    )
    for name in ("latents", "generated", "losses", "totals", "evaluations"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name


def test_each_start_is_one_solution_of_all_levels(linear, patches, hole):
    found = search(0.01, starts=3)(patches, hole, linear, POSITIONS)
    assert found.latents.shape == (3, COUNT, LATENT)
    assert found.generated.shape == (3, COUNT, 1, SIDE, SIDE)
    assert len(found.stops) == len(found.evaluations) == 3
    for latents, images in zip(found.latents, found.generated, strict=True):
        torch.testing.assert_close(images, linear(latents).detach())
        np.testing.assert_allclose(
            latents, solution(linear, patches, (~hole).expand(COUNT, 1, SIDE, SIDE), 0.01), atol=1e-3
        )


def test_losses_are_the_levels_own_and_totals_hold_the_coupling(linear, patches, hole):
    found = search(0.5)(patches, hole, linear, POSITIONS)
    away = (found.generated[0] - patches)[(~hole).expand_as(patches)].square().view(COUNT, -1).mean(1)
    torch.testing.assert_close(found.losses[0], away)
    steps = found.latents[0].diff(dim=0).square().sum(1) / LATENT
    coupling = (10 / POSITIONS.diff() * steps).mean()
    torch.testing.assert_close(found.totals[0], away.mean() + 0.5 * coupling)


def test_the_generator_is_as_it_was(linear, patches, hole):
    linear.train()
    search(0.1)(patches, hole, linear, POSITIONS)
    assert linear.training
    assert linear.weight.requires_grad
    assert linear.weight.grad is None


def test_positions_that_do_not_fit_are_refused(linear, patches, hole):
    with pytest.raises(
        ValueError, match=r"5 levels at \[0\.0, 10\.0, 15\.0, 35\.0\] mm: expected one position for each"
    ):
        search(0.1)(patches, hole, linear, POSITIONS[:-1])


def test_a_search_that_is_lost_is_told(linear, patches, hole):
    class Lost(BatchedLBFGS):
        def __call__(self, objective, initial_latents, snapshots=2, progress=False):
            def broken(latents, rows=None):
                found = objective(latents, rows)
                return Evaluation(found.total * torch.nan, found.gradient, found.parts)

            return super().__call__(broken, initial_latents, snapshots, progress)

    vessel = search(0.1)
    vessel.inferer.optimizer = Lost(5)
    with pytest.warns(RuntimeWarning, match="1 of 1 searches left the finite numbers"):
        found = vessel(patches, hole, linear, POSITIONS)
    assert found.stops == (StopReason.NOT_FINITE,)
