from functools import partial

import pytest
import torch

from monai_cardiac_gan.inferers import (
    AmortisedInferer,
    DiscMasks,
    LabelMasks,
    LatentBank,
    PoissonBlending,
    gradient_descent_search,
    lbfgs_search,
    mask_digest,
    search_digests,
    square_mask,
)
from monai_cardiac_gan.networks.nets import (
    ComodulatedGenerator,
    InpaintingUNet,
    LatentEncoder,
    ResidualCritic,
    ResidualGenerator,
)

SMALL = {"width": 1, "max_channels": 4, "size": 16}


def network(kind, seed=0, **settings):
    torch.manual_seed(seed)
    return kind(**settings)


def lbfgs(seed=0, changed=None, **settings):
    """The usual search, with the weights of one network changed."""
    seeds = dict.fromkeys(("critic", "encoder", "inpainting_unet", "bank"), 0) | ({changed: 1} if changed else {})
    bank = LatentBank(latent_size=4, count=8)
    bank.latents.copy_(torch.randn(bank.latents.shape, generator=torch.Generator().manual_seed(seeds["bank"])))
    return lbfgs_search(
        network(ResidualCritic, seeds["critic"], **SMALL), bank, network(LatentEncoder, seeds["encoder"], latent_size=4),
        network(InpaintingUNet, seeds["inpainting_unet"]), **({"starts": 2, "nearest": 2, "seed": seed} | settings),
    )  # fmt: skip


def parts_that_differ(one, other, generators=(0, 0)):
    found = [
        search_digests(search, network(ResidualGenerator, seed, latent_size=4, **SMALL))
        for search, seed in zip((one, other), generators, strict=True)
    ]
    assert set(found[0]) == set(found[1])
    return {name for name in found[0] if found[0][name] != found[1][name]}


def test_the_same_search_has_the_same_digests_whatever_its_seed_and_what_it_shows():
    assert parts_that_differ(lbfgs(), lbfgs(seed=7, progress=False, snapshots=9)) == set()


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"starts": 1}, {"starts"}),
        ({"nearest": 3}, {"initializer"}),
        ({"evaluations": 61}, {"optimizer"}),
        ({"coarse_evaluations": 61}, {"optimizer"}),
        ({"coarse_size": None}, {"optimizer"}),
        ({"prior_weight": 0.04}, {"loss"}),
        ({"proposal_weight": 0.04}, {"loss"}),
        ({"perceptual_weight": 0.04}, {"loss"}),
        ({"autocast": "bfloat16"}, {"autocast"}),
        ({"changed": "critic"}, {"loss"}),
        ({"changed": "bank"}, {"initializer", "optimizer"}),
        ({"changed": "encoder"}, {"initializer"}),
        ({"changed": "inpainting_unet"}, {"proposal"}),
    ],
)
def test_each_setting_and_each_network_is_seen(settings, parts):
    assert parts_that_differ(lbfgs(), lbfgs(**settings)) == parts


def test_the_generator_is_seen_and_so_is_another_kind_of_search():
    assert parts_that_differ(lbfgs(), lbfgs(), generators=(0, 1)) == {"generator"}
    critic = network(ResidualCritic, **SMALL)
    one, other = (gradient_descent_search(critic, 4, iterations=number) for number in (10, 11))
    assert parts_that_differ(one, other) == {"optimizer"}
    assert {"optimizer", "initializer", "loss", "proposal"} <= parts_that_differ(lbfgs(), one)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({}, set()),
        ({"starts": 3}, {"starts"}),
        ({"latent_size": 5}, {"latent_size"}),
        ({"seed": 1}, {"seed"}),
        ({"blending": PoissonBlending()}, {"blending"}),
    ],
)
def test_each_setting_of_drawn_answers_is_seen_and_their_seed_too(settings, parts):
    usual = {"latent_size": 4, "starts": 2}
    assert parts_that_differ(AmortisedInferer(**usual), AmortisedInferer(**(usual | settings))) == parts


def test_the_spread_of_a_generator_is_seen():
    torch.manual_seed(0)
    one = ComodulatedGenerator(latent_size=4, width=2, max_channels=8)
    other = ComodulatedGenerator(latent_size=4, width=2, max_channels=8, spread=1.5)
    other.load_state_dict(one.state_dict())
    found = [search_digests(AmortisedInferer(4), each) for each in (one, other)]
    assert {name for name in found[0] if found[0][name] != found[1][name]} == {"spread"}


def test_a_mask_is_known_by_what_it_hides():
    usual = square_mask(25)
    assert mask_digest() == mask_digest(usual) == mask_digest(usual[None, None]) == mask_digest(usual.float())
    others = [square_mask(27), square_mask(25, (96, 96)), usual.roll(1, 0), DiscMasks(3.0), DiscMasks(4.0)]
    assert len({mask_digest(mask) for mask in (usual, *others)}) == 6


class Slotted:
    __slots__ = ("size",)

    def __init__(self, size):
        self.size = size

    def mask(self, batch):
        return square_mask(self.size)


class Private:
    def __init__(self, size):
        self._size = size

    def __call__(self, batch):
        return square_mask(self._size)


@pytest.mark.parametrize(
    "make",
    [
        Private,
        lambda size: Slotted(size).mask,
        lambda size: partial(square_mask, size),
        lambda size: LabelMasks(f"labels_{size}"),
        lambda size: LabelMasks("labels", [size]),
        lambda size: DiscMasks(size),
    ],
)
def test_functions_that_make_masks_are_known_by_what_they_were_given(make):
    assert mask_digest(make(25)) == mask_digest(make(25)) != mask_digest(make(41))


def test_masks_that_tell_nothing_of_themselves_are_refused():
    with pytest.raises(TypeError, match="has no name that tells what it does"):
        mask_digest(lambda batch: square_mask(25))
