import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import LatentBank


@pytest.fixture
def bank(painter):
    return LatentBank(latent_size=6, count=300, side=8).fill(painter, seed=3, metric_samples=2)


def test_the_nearest_are_those_of_a_search_one_by_one(bank, painter, mask):
    patches = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.5
    masks = torch.cat([mask.roll(shift, 3) for shift in range(4)])
    found = bank.nearest(patches, ~masks, count=3)
    small = painter(bank.latents, size=8)
    for patch, known, latents in zip(patches, ~masks, found, strict=True):
        weights = nn.functional.avg_pool2d(known.float(), 2)
        values = nn.functional.avg_pool2d(patch * known, 2) / weights.clamp(min=1e-9)
        distances = (weights * (small - values).square()).flatten(1).sum(1)
        assert torch.equal(latents, bank.latents[distances.topk(3, largest=False).indices])


def test_an_image_of_the_bank_is_found_whatever_is_hidden(bank, painter, mask):
    patches = painter(bank.latents[100:110])
    assert torch.equal(bank.nearest(patches, ~mask.expand_as(patches), 1)[:, 0], bank.latents[100:110])


def test_it_travels_as_weights_do(bank, painter, tmp_path):
    torch.save(bank.state_dict(), tmp_path / "bank.pt")
    other = LatentBank(latent_size=6, count=300, side=8)
    other.load_state_dict(torch.load(tmp_path / "bank.pt", weights_only=True))
    assert other.belongs_to(painter)
    assert torch.equal(other.metric, bank.metric)
    assert other.images.dtype == torch.float16


def test_it_knows_its_generator(bank, painter):
    assert bank.belongs_to(painter)
    painter.weight[0, 0] += 1e-6
    assert not bank.belongs_to(painter)


def test_the_same_seed_fills_alike(bank, painter):
    again = LatentBank(latent_size=6, count=300, side=8).fill(painter, seed=3, metric_samples=2)
    assert all(torch.equal(one, two) for one, two in zip(bank.buffers(), again.buffers(), strict=True))


def test_an_empty_bank_warns(mask):
    with pytest.warns(RuntimeWarning, match="the bank is empty: fill it with its generator first"):
        LatentBank(6, 10, 8).nearest(torch.zeros(1, 1, 16, 16), ~mask, 1)


@pytest.mark.parametrize("settings", [{"latent_size": 0}, {"count": 0}, {"side": 0}])
def test_sizes_below_one_are_refused(settings):
    with pytest.raises(ValueError, match="must be at least 1: give positive whole numbers"):
        LatentBank(**settings)
