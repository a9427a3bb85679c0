import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from monai_cardiac_gan.inferers import AmortisedInferer, amortised, inpainting_search, square_mask
from monai_cardiac_gan.inferers.amortised import NOISE_SEED_STEP
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


def test_what_is_expected_is_the_typical_image_behind_the_mask(network):
    result = drawn(network, seed=3)
    hidden = square_mask().expand_as(PATCHES)
    with torch.no_grad():
        noise = network.draw_noise([3 + NOISE_SEED_STEP])
        typical = network.eval().decode_typical(network.encode(PATCHES, hidden), noise)
    assert torch.equal(result.best_inpainted()[~hidden], PATCHES[~hidden])
    torch.testing.assert_close(result.best_inpainted()[hidden], typical[hidden])
    for number, patch in enumerate(result):
        assert torch.equal(patch.expected, result.best_inpainted()[number])


def test_the_aorta_of_what_is_expected_is_measured_in_the_typical_image(network):
    rows, columns = np.ogrid[:128, :128]
    disc = np.clip(11.5 - np.hypot(rows - 63.5, columns - 63.5), 0, 1) * 1.4 - 0.7
    typical = torch.tensor(disc, dtype=torch.float32)[None]
    patch = replace(drawn(network)[0], typical=typical)
    assert patch.expected_disc.diameter_mm == pytest.approx(22, abs=0.3)
    assert patch.expected_ellipse.eccentricity < 0.3


def test_answers_of_one_latent_differ_by_their_noise(network):
    """Else a mean over answers keeps one texture, and they all look surer than they are."""
    inferer, one = AmortisedInferer(latent_size=5), torch.ones(2, 5)
    masks = square_mask(41).expand_as(PATCHES)
    first, second = inferer.answers(network, PATCHES, masks, one).unbind(1)
    difference = (first - second)[masks].unflatten(0, (3, -1))
    torch.testing.assert_close(inferer.answers(network, PATCHES, masks, one[:1])[:, 0], first)
    assert (difference.std(1) > 1e-3).all()
    noiseless = copy.deepcopy(network)
    for block in noiseless.up:
        for noise in block.noise:
            nn.init.zeros_(noise.weight)
    first, second = inferer.answers(noiseless, PATCHES, masks, one).unbind(1)
    assert torch.equal(first, second)


def test_no_two_images_and_no_latents_share_random_numbers(network):
    inferer, seeds = AmortisedInferer(latent_size=5, starts=3, seed=7), []
    spy = copy.deepcopy(network)
    spy.draw_noise = lambda chosen: seeds.extend(chosen) or network.draw_noise(chosen)
    inferer.search(PATCHES, None, spy)
    assert len(seeds) == 1 + 3
    assert len({7, *seeds}) == 1 + len(seeds)


def test_few_at_a_time_are_painted_as_all_at_once(network, monkeypatch):
    together = drawn(network)
    monkeypatch.setattr(amortised, "CHUNK", 2)
    apart = drawn(network)
    for name in ("generated", "typical"):
        torch.testing.assert_close(getattr(apart, name), getattr(together, name), atol=1e-5, rtol=1e-4)


def test_the_frames_are_the_answers_one_after_another(network):
    result = drawn(network)
    assert result.snapshot_iterations.tolist() == [1, 2, 3, 4]
    shown = result.snapshots[:, 1].float() / 127.5 - 1
    torch.testing.assert_close(shown, result.generated[1, :, 0].clamp(-1, 1), atol=1.01 / 255, rtol=0)
    assert not result[1].is_searched


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


def test_the_typical_image_of_a_vessel_s_slices_is_that_of_its_patches(network):
    inferer = AmortisedInferer(latent_size=5, starts=2)
    masks = square_mask().expand_as(PATCHES)
    torch.testing.assert_close(
        inferer.typical(network, PATCHES[1:2], masks[1:2]), inferer.typical(network, PATCHES, masks)[1:2]
    )


def test_no_answers_are_refused():
    with pytest.raises(ValueError, match=r"starts is 0: expected at least 1"):
        AmortisedInferer(starts=0)
