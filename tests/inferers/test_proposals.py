import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import (
    BatchedLBFGS,
    EncoderProposal,
    LatentBank,
    LatentInpaintingInferer,
    RandomInitializer,
    UNetProposal,
    lbfgs_search,
)
from monai_cardiac_gan.losses import InpaintingLoss, MaskedL2, ProposalL1


class Reader(nn.Module):
    """Latents from the known pixels alone: least squares for a linear generator."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight
        self.normalise = nn.BatchNorm1d(weight.shape[1])

    def forward(self, patches, masks):
        known = ~masks.expand_as(patches)
        rows = [
            torch.linalg.lstsq(self.weight[m.flatten()], y[m][:, None].clamp(-0.99, 0.99).atanh()).solution[:, 0]
            for y, m in zip(patches, known, strict=True)
        ]
        return self.normalise(torch.stack(rows))


def search(painter, encoder, proposal_weight, **settings):
    terms = {"contextual": MaskedL2(), "proposal": ProposalL1()}
    return LatentInpaintingInferer(
        loss=InpaintingLoss(terms, {"proposal": proposal_weight}),
        initializer=RandomInitializer(latent_size=6, batches=2),
        optimizer=BatchedLBFGS(evaluations=200, tolerance=1e-7),
        proposal=EncoderProposal(encoder),
        progress=False,
        **settings,
    )


def patches(painter, noise):
    source = torch.Generator().manual_seed(4)
    clean = painter(torch.randn(3, 6, generator=source))
    return (clean + noise * torch.randn(clean.shape, generator=source)).clamp(-1, 1)


def test_an_encoders_proposal_is_the_image_of_its_latent(painter, mask):
    encoder = Reader(painter.weight).eval()
    images = patches(painter, 0.0)
    torch.testing.assert_close(EncoderProposal(encoder)(images, mask, painter), images, rtol=0, atol=1e-4)


def test_the_weight_goes_from_fitting_what_is_known_to_the_proposal(painter, mask):
    class Elsewhere(nn.Module):
        def forward(self, patches, masks):
            return torch.full((len(patches), 6), 0.5)

    images, proposed = patches(painter, 0.05), painter(torch.full((3, 6), 0.5))
    found = [search(painter, Elsewhere(), weight).search(images, mask, painter) for weight in (0.0, 0.05, 5.0)]
    inside = [((one.generated[:, 0] - proposed).abs() * mask).sum() / mask.sum() / 3 for one in found]
    outside = [one.traces.terms["contextual"].amin(0).mean() for one in found]
    assert inside[0] > inside[1] > inside[2]
    assert inside[2] < 0.05 * inside[0]
    assert outside[0] < outside[1] < outside[2]


@pytest.mark.parametrize("chunk", [None, 2])
def test_what_is_hidden_reaches_neither_proposal_nor_search(painter, mask, chunk):
    images = patches(painter, 0.05)
    other = torch.where(mask, torch.rand(images.shape, generator=torch.Generator().manual_seed(7)), images)
    one, two = (
        search(painter, Reader(painter.weight), 0.1, chunk=chunk).search(each, mask, painter)
        for each in (images, other)
    )
    torch.testing.assert_close(one.latents, two.latents, rtol=0, atol=1e-4)  # least squares round differently


def test_without_a_proposal_hidden_pixels_are_out_of_reach_of_every_term(painter, mask):
    def peeks(images, latents, targets, mask):
        return (images - targets).square().flatten(1).mean(1)

    images = patches(painter, 0.05)
    other = torch.where(mask, -images, images)
    searches = [
        LatentInpaintingInferer(
            loss=InpaintingLoss({"peeks": peeks}),
            initializer=RandomInitializer(latent_size=6, batches=2),
            optimizer=BatchedLBFGS(evaluations=20),
            progress=False,
        ).search(each, mask, painter)
        for each in (images, other)
    ]
    assert torch.equal(searches[0].latents, searches[1].latents)


def test_an_encoder_in_training_mode_proposes_as_in_evaluation_and_stays_as_it_was(painter, mask):
    encoder = Reader(painter.weight).train()
    images = patches(painter, 0.05)
    with_others = search(painter, encoder, 0.1).search(images, mask, painter)
    alone = search(painter, encoder, 0.1).search(images[:1], mask, painter)
    torch.testing.assert_close(with_others.latents[:1], alone.latents)
    assert encoder.training
    assert encoder.normalise.num_batches_tracked == 0


def test_a_unets_proposal_is_what_the_network_paints_and_comes_before_the_encoders(painter, judge, mask):
    class Grey(nn.Module):
        def forward(self, patches, masks):
            return torch.where(masks, 0.25, patches)

    images = patches(painter, 0.0)
    assert torch.equal(UNetProposal(Grey())(images, mask, painter), torch.where(mask, 0.25, images))
    bank, encoder = LatentBank(latent_size=6, count=20, side=8), Reader(painter.weight)
    assert isinstance(lbfgs_search(judge, bank, encoder, Grey()).proposal, UNetProposal)
    assert isinstance(lbfgs_search(judge, bank, encoder).proposal, EncoderProposal)
    assert lbfgs_search(judge, bank).proposal is None


def test_the_term_without_a_proposal_is_refused():
    with pytest.raises(ValueError, match="the loss has the term ProposalL1 and there is no proposal"):
        LatentInpaintingInferer(
            loss=InpaintingLoss({"proposal": ProposalL1()}),
            initializer=RandomInitializer(latent_size=6),
            optimizer=BatchedLBFGS(),
        )
