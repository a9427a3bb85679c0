import pytest
import torch

from monai_cardiac_gan.inferers import BatchedLBFGS, CoarseToFine, GradientDescent, LatentObjective
from monai_cardiac_gan.losses import contextual_plus_perceptual_loss

STARTS = torch.randn(3, 6, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def objective(painter, judge, mask):
    targets = painter(torch.randn(3, 6, generator=torch.Generator().manual_seed(7)))
    return LatentObjective(painter, contextual_plus_perceptual_loss(judge, 0.01), targets, mask.expand(3, -1, -1, -1))


def test_the_second_optimiser_begins_where_the_first_ended(objective):
    first, second = GradientDescent(30, 0.1, "adam"), GradientDescent(20, 0.05, "adam")
    found = CoarseToFine(first, second, size=8)(objective, STARTS, snapshots=100)
    middle = first(objective.reduced(8), STARTS, 2, False).latents
    expected = second(objective, middle, 2, False)
    assert torch.equal(found.latents, expected.latents)
    assert torch.equal(found.total, expected.total)
    assert list(found.parts) == ["contextual", "perceptual"]
    assert torch.equal(found.path[0], STARTS)
    assert found.path_iterations.tolist() == list(range(51))


def test_small_evaluations_count_by_their_pixels(objective):
    found = CoarseToFine(GradientDescent(9), GradientDescent(4), size=8)(objective, STARTS)
    assert found.evaluations.tolist() == [5 + 3] * 3  # 10 quarters, rounded up


def test_it_comes_as_low_as_the_whole_way_at_full_size(objective):
    coarse = CoarseToFine(BatchedLBFGS(60), BatchedLBFGS(30), size=8)(objective, STARTS)
    fine = BatchedLBFGS(90)(objective, STARTS)
    assert coarse.losses.mean() <= fine.losses.mean() + 0.01


def test_a_size_below_one_is_refused():
    with pytest.raises(ValueError, match="size is 0: expected at least 1 pixel"):
        CoarseToFine(GradientDescent(1), GradientDescent(1), size=0)
