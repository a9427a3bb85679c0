"""One law for each kind of part: every class of the kind is called as its protocol says."""

import inspect

import pytest
import torch
from torch import nn

from monai_cardiac_gan import augmentation, engines, inferers, losses, transforms
from monai_cardiac_gan.inferers.latent_bank import LatentBank

LATENT, SIDE = 6, 128


class Painter(nn.Module):
    """G(z) = tanh(A z), at any size."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16 * 16, LATENT, generator=torch.Generator().manual_seed(1)))

    def forward(self, latents, size=SIDE):
        images = (latents @ self.weight.T).tanh().reshape(-1, 1, 16, 16)
        return nn.functional.interpolate(images, (size, size), mode="nearest")


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(LATENT))

    def forward(self, patches, masks):
        return self.weight * torch.where(masks, 0.0, patches).mean((1, 2, 3), keepdim=True)[:, 0, 0]


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, patches, masks):
        return torch.where(masks, self.bias, patches)


def critic():
    return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0))


class Comodulated(Network):
    """Answers with what is known, with a latent's mean behind the mask and noise of its own."""

    latent_size = LATENT

    def encode(self, patches, masks):
        return [patches, masks]

    def decode(self, encoded, latents):
        patches, masks = encoded
        noise = 0.1 * torch.randn(patches.shape, device=patches.device)
        return torch.where(masks, (latents.mean(1)[:, None, None, None] + noise).tanh(), patches) + self.bias


PAINTER = Painter().requires_grad_(False)
BANK = LatentBank(LATENT, count=32, side=8).fill(PAINTER, metric_samples=1)
SEARCH = inferers.gradient_descent_search(critic(), latent_size=LATENT, iterations=1, start_batches=1, progress=False)
RESIDUALS = inferers.HoleResiduals(40.0, torch.tensor([0.1, 0.2]), torch.ones(2 * SIDE, 2 * SIDE))
KINDS = {
    inferers.LatentInitializer: {
        "RandomInitializer": lambda: inferers.RandomInitializer(LATENT, batches=2),
        "EncoderBankInitializer": lambda: inferers.EncoderBankInitializer(BANK, Encoder()),
    },
    inferers.LatentOptimizer: {
        "GradientDescent": lambda: inferers.GradientDescent(3),
        "BatchedLBFGS": lambda: inferers.BatchedLBFGS(3),
        "CoarseToFine": lambda: inferers.CoarseToFine(inferers.BatchedLBFGS(2), inferers.BatchedLBFGS(2)),
    },
    inferers.Proposal: {
        "EncoderProposal": lambda: inferers.EncoderProposal(Encoder()),
        "UNetProposal": lambda: inferers.UNetProposal(Network()),
    },
    inferers.Blending: {
        "Paste": inferers.Paste, "FeatheredBlending": inferers.FeatheredBlending,
        "PoissonBlending": inferers.PoissonBlending,
    },
    inferers.Inpainter: {
        "BiharmonicInpainter": inferers.BiharmonicInpainter,
        "EncoderInpainter": lambda: inferers.EncoderInpainter(Encoder(), PAINTER),
        "MeanPatchInpainter": lambda: inferers.MeanPatchInpainter(torch.zeros(2, 1, SIDE, SIDE)),
        "NearestPatchInpainter": lambda: inferers.NearestPatchInpainter(torch.zeros(2, 1, SIDE, SIDE)),
        "NetworkInpainter": lambda: inferers.NetworkInpainter(Network()),
        "OpenCVInpainter": lambda: pytest.importorskip("cv2") and inferers.OpenCVInpainter(),
        "SearchInpainter": lambda: inferers.SearchInpainter(SEARCH, PAINTER),
    },
    inferers.Sampler: {
        "NetworkSampler": lambda: inferers.NetworkSampler(Comodulated()),
        "ResidualGaussianSampler": lambda: inferers.ResidualGaussianSampler(
            inferers.NetworkInpainter(Network()), [RESIDUALS]
        ),
        "SearchSampler": lambda: inferers.SearchSampler(SEARCH, PAINTER),
    },
    losses.InpaintingTerm: {
        "MaskedL1": losses.MaskedL1, "MaskedL2": losses.MaskedL2, "DistanceWeightedL1": losses.DistanceWeightedL1,
        "MaskedGradients": losses.MaskedGradients, "ProposalL1": losses.ProposalL1,
        "CriticScore": lambda: losses.CriticScore(critic()),
        "CriticFeatures": lambda: losses.CriticFeatures(critic(), ["2"]), "LatentNormPrior": losses.LatentNormPrior,
    },
    losses.AdversarialLoss: {
        "HingeLoss": losses.HingeLoss, "RelativisticLoss": losses.RelativisticLoss,
        "WassersteinLoss": losses.WassersteinLoss,
    },
    losses.CriticPenalty: {
        "GradientPenalty": losses.GradientPenalty, "ZeroCentredPenalty": losses.ZeroCentredPenalty,
    },
    augmentation.Augmentation: {"DifferentiableAugmentation": augmentation.DifferentiableAugmentation},
    transforms.Crop: {"CropAortaPatchesd": lambda: transforms.CropAortaPatchesd("image")},
    engines.PatchSearch: {
        "AmortisedInferer": inferers.AmortisedInferer, "LatentInpaintingInferer": lambda: SEARCH,
    },
}  # fmt: skip
CASES = [(kind, name) for kind, made in KINDS.items() for name in made]
ROOMS = (inferers, losses, augmentation)
WHOLES = ("AmortisedVessel", "InpaintingLoss", "VesselSearch")
"""Made of parts of a kind, or of another kind, and called like them."""
SAMPLED = ["count", "seed"]
"""What a sampler is called with, and an inpainter is not."""


@pytest.fixture
def patches():
    source = torch.Generator().manual_seed(2)
    return PAINTER(torch.randn(3, LATENT, generator=source)).clamp(-1, 1)


@pytest.fixture
def masks(patches):
    masks = torch.zeros(patches.shape, dtype=torch.bool)
    masks[..., 50:80, 40:90] = True
    return masks


def made(kind, name):
    return KINDS[kind][name]()


@pytest.mark.parametrize(("kind", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_it_has_what_its_protocol_asks_for(kind, name):
    part = made(kind, name)
    assert isinstance(part, kind)
    asked, given = (
        (list(inspect.signature(each.__call__).parameters) for each in (kind, type(part)))
        if ("__call__" in vars(kind))
        else ([], [])
    )
    if not isinstance(part, nn.Module) and kind is not transforms.Crop:
        assert given[: len(asked)] == asked


def test_no_class_of_a_kind_is_forgotten():
    """Whoever has the words of a protocol in its call belongs to that kind."""
    for kind, known in KINDS.items():
        if "__call__" not in vars(kind) or kind in (transforms.Crop, losses.CriticPenalty):
            continue
        asked = list(inspect.signature(kind.__call__).parameters)
        for room in ROOMS:
            for name in room.__all__:
                part = getattr(room, name)
                if (
                    name in WHOLES
                    or not inspect.isclass(part)
                    or getattr(part, "_is_protocol", False)
                    or "__call__" not in vars(part)
                ):
                    continue
                given = list(inspect.signature(part.__call__).parameters)
                if given[: len(asked)] == asked and not (kind is inferers.Inpainter and given[-2:] == SAMPLED):
                    assert name in known, (kind.__name__, name)


@pytest.mark.parametrize("name", KINDS[inferers.LatentInitializer])
def test_initial_latents_come_best_first_with_their_images(name, patches, masks):
    latents, images = made(inferers.LatentInitializer, name)(patches, ~masks, PAINTER, 3)
    assert latents.shape == (3, 3, LATENT)
    assert images.chosen.shape == (3, 3, 1, SIDE, SIDE)
    assert bool((images.chosen_losses.diff(dim=1) >= 0).all())
    torch.testing.assert_close(images.chosen[1, 2], PAINTER(latents[1, 2:])[0])


@pytest.mark.parametrize("name", KINDS[inferers.LatentOptimizer])
def test_no_search_ends_above_its_start(name, patches, masks):
    objective = inferers.LatentObjective(
        PAINTER, losses.InpaintingLoss({"contextual": losses.MaskedL1()}), patches, masks
    )
    start = torch.randn(3, LATENT, generator=torch.Generator().manual_seed(3))
    found = made(inferers.LatentOptimizer, name)(objective, start)
    assert bool((objective.totals(found.latents) <= objective.totals(start) + 1e-6).all())
    torch.testing.assert_close(objective.totals(found.latents), found.losses)
    assert found.path.shape[1:] == start.shape
    assert len(found.stops) == len(found.evaluations) == 3


@pytest.mark.parametrize(
    ("kind", "name"), [case for case in CASES if case[0] in (inferers.Proposal, inferers.Inpainter)]
)
def test_what_is_hidden_is_not_looked_at(kind, name, patches, masks):
    part = made(kind, name)
    other = torch.where(masks, -patches, patches)
    last = (PAINTER,) if kind is inferers.Proposal else ()
    one, two = (part(images, masks, *last) for images in (patches, other))
    assert one.shape == patches.shape
    assert torch.equal(torch.where(masks, one, 0.0), torch.where(masks, two, 0.0))


@pytest.mark.parametrize(
    ("kind", "name"), [case for case in CASES if case[0] in (inferers.Blending, inferers.Inpainter)]
)
def test_known_pixels_stay_bit_by_bit(kind, name, patches, masks):
    part = made(kind, name)
    found = part(PAINTER(torch.ones(3, LATENT)), patches, masks) if kind is inferers.Blending else part(patches, masks)
    assert torch.equal(found[~masks], patches[~masks])
    assert found.abs().max() <= 1


@pytest.mark.parametrize("name", KINDS[inferers.Sampler])
def test_samples_come_from_their_seed_alone_and_only_the_hole_changes(name, patches, masks):
    part = made(inferers.Sampler, name)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    samples = part(patches, masks, count=4, seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(part(patches, masks, torch.ones_like(masks), count=4, seed=5), samples)
    assert not torch.equal(part(patches, masks, count=4, seed=6), samples)
    assert samples.shape == (3, 4, 1, SIDE, SIDE)
    assert samples.abs().max() <= 1
    for sample in samples.unbind(1):
        assert torch.equal(sample[~masks], patches[~masks])
    assert len(samples[0].flatten(1).unique(dim=0)) == 4
    hidden = part(torch.where(masks, -patches, patches), masks, count=4, seed=5)
    assert torch.equal(torch.where(masks[:, None], hidden, 0.0), torch.where(masks[:, None], samples, 0.0))


@pytest.mark.parametrize("name", KINDS[inferers.Sampler])
def test_no_sample_at_all_is_refused(name, patches, masks):
    with pytest.raises(ValueError, match="count is 0: expected at least 1 sample of each patch"):
        made(inferers.Sampler, name)(patches, masks, count=0, seed=0)


@pytest.mark.parametrize("name", KINDS[losses.InpaintingTerm])
def test_each_sample_has_a_term_of_its_own(name, patches, masks):
    term = made(losses.InpaintingTerm, name)
    latents = torch.randn(3, LATENT, generator=torch.Generator().manual_seed(4))
    images = PAINTER(latents)
    together = term(images, latents, patches, masks)
    assert together.shape == (3,)
    alone = term(images[1:2], latents[1:2], patches[1:2], masks[1:2])
    torch.testing.assert_close(together[1:2], alone)
    assert isinstance(term, losses.NetworkTerm) == name.startswith("Critic")


@pytest.mark.parametrize("name", KINDS[losses.CriticPenalty])
def test_a_penalty_grows_with_its_weight_and_gives_detached_norms(name, patches):
    judge, epsilon = critic(), torch.tensor([0.2, 0.5, 0.8])
    kind = getattr(losses, name)
    one, two = (kind(weight)(judge, patches, -patches, epsilon=epsilon) for weight in (1.0, 2.0))
    torch.testing.assert_close(two[0], 2 * one[0])
    assert one[0].requires_grad
    assert not one[1].requires_grad
    assert len(one[1]) % 3 == 0
