import pytest
import torch

from monai_cardiac_gan.inferers import EncoderBankInitializer, LatentBank
from monai_cardiac_gan.losses import masked_l1


@pytest.fixture
def bank(painter):
    return LatentBank(latent_size=6, count=200, side=8).fill(painter, metric_samples=1)


class Knows(torch.nn.Module):
    """An encoder that gives these latents."""

    def __init__(self, latents):
        super().__init__()
        self.latents = latents

    def forward(self, patches, masks):
        assert masks.dtype == torch.bool
        return self.latents


def test_the_best_of_encoder_and_bank_come_first(bank, painter, mask):
    latents = torch.randn(3, 6, generator=torch.Generator().manual_seed(5))
    patches = painter(latents)
    encoded = latents.clone()
    encoded[1] = 10.0  # a bad one
    context = (~mask).expand_as(patches)
    starts, images = EncoderBankInitializer(bank, Knows(encoded), nearest=4)(patches, context, painter, 3)
    candidates = torch.cat([encoded[:, None], bank.nearest(patches, context, 4)], 1)
    for row in range(3):
        losses = masked_l1(painter(candidates[row]), patches[row : row + 1], context[row : row + 1])
        order = losses.argsort()[:3]
        assert torch.equal(starts[row], candidates[row][order])
        torch.testing.assert_close(images.tried_losses[row], losses)
        assert images.chosen_indices[row].tolist() == order.tolist()
        torch.testing.assert_close(images.chosen[row], painter(starts[row]))
    assert (images.chosen_indices[:, 0] == 0).tolist() == [True, False, True]
    assert images.count == 5


def test_without_an_encoder_the_bank_alone_is_asked(bank, painter, mask):
    finder = EncoderBankInitializer(bank, nearest=2)
    starts, images = finder(painter(bank.latents[:1]), ~mask, painter, 1)
    assert torch.equal(starts[0, 0], bank.latents[0])
    assert finder.count == images.count == 2
    assert images.tried.shape == (1, 2, 1, 16, 16)


@pytest.mark.parametrize("nearest", [0, 201])
def test_more_than_the_bank_holds_is_refused(bank, nearest):
    with pytest.raises(ValueError, match=f"nearest is {nearest}: expected 1 to 200, as many as the bank holds"):
        EncoderBankInitializer(bank, nearest=nearest)
