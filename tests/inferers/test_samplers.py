import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import (
    BatchedLBFGS,
    EncoderBankInitializer,
    LatentBank,
    LatentInpaintingInferer,
    NetworkSampler,
    RandomInitializer,
    SearchSampler,
)
from monai_cardiac_gan.losses import InpaintingLoss, MaskedL2

PATCHES = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
MASKS = torch.zeros(3, 1, 16, 16, dtype=torch.bool)
MASKS[..., 4:12, 4:12] = True


class Comodulated(nn.Module):
    """Paints a fifth of the latent's first number, and counts its calls."""

    latent_size = 2

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.2))
        self.seen = []

    def encode(self, patches, masks):
        assert not self.training
        self.seen.append((patches, masks))
        return [patches]

    def decode(self, encoded, latents):
        return encoded[0] + self.scale * latents[:, :1, None, None]


def test_a_network_encodes_once_and_decodes_each_latent():
    network = Comodulated().train()
    samples = NetworkSampler(network)(PATCHES, MASKS, count=500, seed=3)
    assert network.training
    [(seen, masks)] = network.seen
    assert torch.equal(masks, MASKS)
    assert torch.equal(seen, torch.where(MASKS, 0.0, PATCHES))
    inside = samples[:, :, 0, 4:12, 4:12].flatten(2)
    assert bool((inside == inside[..., :1]).all())
    drawn = inside[..., 0] / 0.2
    assert drawn.mean(1).tolist() == pytest.approx([0, 0, 0], abs=0.15)
    assert drawn.std(1).tolist() == pytest.approx([1, 1, 1], abs=0.1)
    correlation = torch.corrcoef(drawn)
    assert (correlation - torch.eye(3)).abs().max() < 0.15  # each patch has latents of its own
    assert not samples.requires_grad


def test_what_a_network_paints_beyond_the_range_is_cut():
    network = Comodulated()
    network.scale.data.fill_(100.0)
    assert NetworkSampler(network)(PATCHES, MASKS, count=4, seed=0).abs().max() == 1


def search(initializer, starts=1):
    return LatentInpaintingInferer(
        loss=InpaintingLoss({"contextual": MaskedL2()}),
        initializer=initializer,
        optimizer=BatchedLBFGS(evaluations=2),
        starts=starts,
        progress=False,
    )


class Painter(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 256, generator=torch.Generator().manual_seed(1)))

    def forward(self, latents):
        return (latents @ self.weight).tanh().view(-1, 1, 16, 16)


def test_a_search_gives_all_its_starts_best_first_and_stays_as_it_was():
    generator = Painter()
    inferer = search(RandomInitializer(4, batches=1, batch_size=6), starts=2)
    samples = SearchSampler(inferer, generator)(PATCHES, MASKS, count=5, seed=0)
    found = search(RandomInitializer(4, batches=1, batch_size=6), starts=5).search(PATCHES, MASKS, generator)
    order = found.losses.argsort(1)
    expected = torch.stack([own[rows] for own, rows in zip(found.inpainted, order, strict=True)])
    torch.testing.assert_close(samples, expected)
    torch.testing.assert_close(samples[:, 0], found.best_inpainted())
    assert (inferer.starts, inferer.seed, inferer.initializer.seed) == (2, 0, 0)


def test_a_bank_gives_the_same_samples_for_each_seed():
    generator = Painter().requires_grad_(False)
    bank = LatentBank(4, count=16, side=8).fill(generator, metric_samples=1)
    sampler = SearchSampler(search(EncoderBankInitializer(bank, nearest=4)), generator)
    one, two = (sampler(PATCHES, MASKS, count=4, seed=seed) for seed in (0, 1))
    assert torch.equal(one, two)
    with pytest.raises(ValueError, match="count is 5, and the search tries 4 initial latents: let it try more"):
        sampler(PATCHES, MASKS, count=5, seed=0)
