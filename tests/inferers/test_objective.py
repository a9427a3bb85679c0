import pytest
import torch

from monai_cardiac_gan.inferers import LatentObjective
from monai_cardiac_gan.losses import InpaintingLoss, LatentNormPrior, MaskedL2, contextual_plus_perceptual_loss


@pytest.fixture
def objective(painter, judge, mask):
    targets = torch.rand(5, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    return LatentObjective(painter, contextual_plus_perceptual_loss(judge, 0.2), targets, mask.expand(5, -1, -1, -1))


LATENTS = torch.randn(5, 6, generator=torch.Generator().manual_seed(2))


def test_the_gradient_is_that_of_finite_differences(objective):
    objective.generator.double()
    objective.loss.networks()[0].double()
    objective.targets = objective.targets.double()
    latents, shift = LATENTS.double(), 1e-6
    found = objective(latents)
    for axis in range(6):
        step = shift * torch.eye(6, dtype=torch.double)[axis]
        slope = (objective.totals(latents + step) - objective.totals(latents - step)) / (2 * shift)
        torch.testing.assert_close(found.gradient[:, axis], slope, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(found.total, found.parts["contextual"] + 0.2 * found.parts["perceptual"])


@pytest.mark.parametrize("chunk", [1, 2, 5, 9])
def test_chunks_change_nothing(objective, chunk):
    whole = objective(LATENTS)
    objective.chunk = chunk
    parts = objective(LATENTS)
    torch.testing.assert_close(parts.total, whole.total)
    torch.testing.assert_close(parts.gradient, whole.gradient)
    torch.testing.assert_close(objective.totals(LATENTS), whole.total)


def test_rows_name_the_patches(objective):
    rows = torch.tensor([3, 0])
    some, whole = objective(LATENTS[rows], rows), objective(LATENTS)
    torch.testing.assert_close(some.total, whole.total[rows])
    torch.testing.assert_close(some.gradient, whole.gradient[rows])
    assert not torch.allclose(objective(LATENTS[rows], rows.flip(0)).total, whole.total[rows])


def test_one_image_more_than_another_makes_no_difference(objective):
    first = objective(LATENTS[:1], torch.tensor([0]))
    torch.testing.assert_close(first.gradient[0], objective(LATENTS).gradient[0])


def test_half_precision_is_near_and_comes_back_in_full(objective):
    whole = objective(LATENTS)
    objective.autocast = torch.bfloat16
    half = objective(LATENTS)
    assert half.total.dtype == half.gradient.dtype == torch.float32
    torch.testing.assert_close(half.total, whole.total, rtol=0.02, atol=0.02)


def test_the_reduced_objective_has_no_critic_and_no_half_hidden_pixels(objective):
    reduced = objective.reduced(4)
    assert list(reduced.loss.terms) == ["contextual"]
    assert reduced.targets.shape == (5, 1, 4, 4)
    assert reduced.masks[0, 0].nonzero().tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]  # rows 6-9, columns 5-8
    images = objective.generator(LATENTS).reshape(5, 4, 4, 4, 4).mean((2, 4))
    targets = objective.targets.reshape(5, 4, 4, 4, 4).mean((2, 4))
    expected = ((images - targets).abs() * ~reduced.masks[:, 0]).sum((1, 2)) / 12
    torch.testing.assert_close(reduced(LATENTS).total, expected)


def test_sizes_that_do_not_divide_are_refused(objective):
    with pytest.raises(ValueError, match=r"images of \(16, 16\) pixels cannot be reduced to 5 x 5"):
        objective.reduced(5)


def test_chunks_of_nothing_are_refused(painter, mask):
    loss = InpaintingLoss({"contextual": MaskedL2(), "prior": LatentNormPrior()})
    with pytest.raises(ValueError, match="chunk is 0: expected at least 1 image at once"):
        LatentObjective(painter, loss, torch.zeros(1, 1, 16, 16), mask, chunk=0)
