import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import AmortisedInferer, inpainting_search, square_mask
from monai_cardiac_gan.networks.nets import ComodulatedGenerator


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = ComodulatedGenerator(latent_size=5, width=2, max_channels=8)
    for block in network.up:
        for noise in block.noise:
            nn.init.constant_(noise.weight, 0.3)
    return network


PATCHES = torch.rand(3, 1, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1


def drawn(network, patches=PATCHES, masks=None, **options):
    return AmortisedInferer(**{"latent_size": 5, "starts": 4, **options}).search(patches, masks, network)


def test_known_pixels_stay_bit_by_bit_and_hidden_ones_are_the_generator_s(network):
    masks = square_mask(41)
    result = drawn(network, masks=masks)
    hidden = masks.expand_as(PATCHES)
    for images, painted in zip(result.generated.unbind(1), result.inpainted.unbind(1), strict=True):
        assert torch.equal(painted[~hidden], PATCHES[~hidden])
        assert torch.equal(painted[hidden], images[hidden])


def test_an_answer_does_not_depend_on_its_batch(network):
    together, alone = drawn(network), drawn(network, PATCHES[1:2])
    torch.testing.assert_close(together.inpainted[1:2], alone.inpainted)  # the encoder sees all patches at once
    assert torch.equal(together.latents[0], together.latents[1])


def test_a_seed_means_the_same_answers_and_the_callers_numbers_stay(network):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one, same, other = (drawn(network, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one.inpainted, same.inpainted)
    assert not torch.allclose(one.inpainted, other.inpainted)


def test_more_answers_are_added_to_fewer(network):
    few, many = drawn(network, starts=2), drawn(network, starts=6)
    assert torch.equal(few.latents, many.latents[:, :2])
    torch.testing.assert_close(few.inpainted, many.inpainted[:, :2])


def test_the_best_is_the_nearest_to_the_mean(network):
    result = drawn(network)
    hidden = square_mask().expand(1, 128, 128)
    for row in range(len(result)):
        answers = result.inpainted[row]
        distances = [(answer - answers.mean(0)).abs()[hidden].mean().item() for answer in answers]
        assert result.losses[row].tolist() == pytest.approx(distances, rel=1e-5)
        assert result[row].best == min(range(4), key=distances.__getitem__)


def test_what_is_hidden_does_not_matter(network):
    masks = square_mask(41)
    other = torch.where(masks, -PATCHES, PATCHES)
    assert torch.equal(drawn(network, masks=masks).generated, drawn(network, other, masks).generated)


def test_modes_and_flags_are_as_before(network):
    network.train()
    drawn(network)
    assert network.training
    assert all(weight.requires_grad for weight in network.parameters())


def test_it_is_a_preset(network):
    inferer = inpainting_search("amortised", latent_size=5, starts=4)
    assert torch.equal(inferer.search(PATCHES, None, network).inpainted, drawn(network).inpainted)
    assert torch.equal(inferer(PATCHES, network), drawn(network).best_inpainted())


def test_a_generator_without_condition_is_refused():
    with pytest.raises(
        ValueError, match=r"the generator is a Linear: expected one that is conditioned on masked patches"
    ):
        AmortisedInferer().search(PATCHES, None, nn.Linear(5, 5))


def test_no_answers_are_refused():
    with pytest.raises(ValueError, match=r"starts is 0: expected at least 1"):
        AmortisedInferer(starts=0)
