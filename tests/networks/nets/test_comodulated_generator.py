import pytest
import torch

from monai_cardiac_gan.networks.nets import ComodulatedGenerator


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = ComodulatedGenerator(latent_size=5, width=2, max_channels=8, noise=False).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def patches_and_masks(count=2):
    random = torch.Generator().manual_seed(1)
    masks = torch.zeros(count, 1, 128, 128, dtype=torch.bool)
    masks[:, :, 40:90, 50:80] = True
    return torch.rand(count, 1, 128, 128, generator=random, dtype=torch.float64) * 2 - 1, masks


def test_what_is_hidden_does_not_matter(network):
    patches, masks = patches_and_masks()
    latents = torch.randn(2, 5, dtype=torch.float64)
    other = torch.where(masks, -patches, patches)
    assert torch.equal(network(latents, patches, masks), network(latents, other, masks))
    assert not torch.allclose(network(latents, patches, masks), network(latents, -patches, masks))


def test_the_hole_itself_is_seen(network):
    patches, masks = patches_and_masks()
    patches, latents = torch.zeros_like(patches), torch.randn(2, 5, dtype=torch.float64)
    assert not torch.allclose(network(latents, patches, masks), network(latents, patches, ~masks))


def test_one_pass_of_the_encoder_serves_all_latents(network):
    patches, masks = patches_and_masks()
    seen = network.encode(patches, masks)
    for seed in range(3):
        latents = torch.randn(2, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert torch.equal(network.decode(seen, latents), network(latents, patches, masks))


def test_another_latent_is_another_answer_everywhere_in_the_hole(network):
    patches, masks = patches_and_masks(1)
    seen = network.encode(patches, masks)
    one, other = (network.decode(seen, value * torch.ones(1, 5, dtype=torch.float64)) for value in (1.0, -1.0))
    assert ((one - other).abs()[masks] > 0).all()


def test_the_length_of_a_latent_says_nothing(network):
    patches, masks = patches_and_masks()
    latents = torch.randn(2, 5, dtype=torch.float64)
    torch.testing.assert_close(network(latents, patches, masks), network(7 * latents, patches, masks))


def test_the_mean_style_is_the_mean_over_many_latents(network):
    latents = torch.randn(100_000, 5, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    styles = network.mapping(latents)
    error = (network.mean_style() - styles.mean(0)).abs()
    assert (error <= 5 * styles.std(0) * (1 / 4096 + 1 / 100_000) ** 0.5).all()
    assert torch.equal(network.mean_style(), network.mean_style())


def test_the_typical_answer_is_that_of_the_mean_style_with_half_of_the_noise():
    torch.manual_seed(0)
    network = ComodulatedGenerator(latent_size=5, width=2, max_channels=8).double().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    patches, masks = patches_and_masks()
    seen = network.encode(patches, masks)

    def seeded(paint):
        torch.manual_seed(3)
        return paint()

    styles = network.mean_style().expand(2, -1)
    typical = seeded(lambda: network.decode_typical(seen))
    assert torch.equal(typical, seeded(lambda: network.paint(seen, styles, 0.5)))
    for block in network.up:
        for noise in block.noise:
            noise.weight.data /= 2
    torch.testing.assert_close(typical, seeded(lambda: network.paint(seen, styles, 1.0)))
    constant = torch.nn.Sequential(torch.nn.Linear(5, 128)).double()
    torch.nn.init.zeros_(constant[0].weight)
    network.mapping = constant  # all latents have one style
    latents = torch.randn(2, 5, dtype=torch.float64)
    torch.testing.assert_close(
        seeded(lambda: network.decode(seen, latents)),
        seeded(lambda: network.paint(seen, network.mean_style().expand(2, -1), 1.0)),
    )


@pytest.mark.parametrize("spread", [0.5, 1.0, 1.5])
def test_answers_lie_as_many_times_as_far_from_the_mean_style_and_in_training_once(spread):
    torch.manual_seed(0)
    network = ComodulatedGenerator(latent_size=5, width=2, max_channels=8, spread=spread).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    patches, masks = patches_and_masks()
    seen, latents = network.encode(patches, masks), torch.randn(2, 5, dtype=torch.float64)
    styles, mean = network.mapping(latents), network.mean_style()

    def seeded(paint):
        torch.manual_seed(3)
        return paint()

    for is_training, times in ((True, 1.0), (False, spread)):
        network.train(is_training)
        expected = seeded(lambda times=times: network.paint(seen, mean + times * (styles - mean), times))
        torch.testing.assert_close(seeded(lambda: network.decode(seen, latents)), expected)
    scripted = torch.jit.script(network)
    torch.testing.assert_close(seeded(lambda: scripted.decode(seen, latents, None)), expected)


@pytest.mark.parametrize("spread", [0.0, -1.0, float("nan")])
def test_a_spread_that_is_not_positive_is_refused(spread):
    with pytest.raises(ValueError, match=r"spread is .*, expected more than 0; 1 decodes as in training"):
        ComodulatedGenerator(spread=spread)


def test_noise_that_was_drawn_before_takes_the_place_of_the_network_s_own():
    torch.manual_seed(0)
    network = ComodulatedGenerator(latent_size=5, width=2, max_channels=8, spread=1.5).double().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    patches, masks = patches_and_masks()
    seen, latents = network.encode(patches, masks), torch.randn(2, 5, dtype=torch.float64)
    noise = network.draw_noise([3, 8])
    assert [tuple(each.shape) for each in noise] == [(2, 1, side, side) for side in (8, 8, 16, 16, 32, 32, 64, 64)]
    found = network.decode(seen, latents, noise)
    rows = [network.decode([each[row : row + 1] for each in seen], latents[row : row + 1], network.draw_noise([seed]))
            for row, seed in enumerate((3, 8))]  # fmt: skip
    torch.testing.assert_close(found, torch.cat(rows))
    torch.testing.assert_close(torch.jit.script(network).decode(seen, latents, noise), found)
    for block in network.up:
        for layer in block.noise:
            torch.nn.init.zeros_(layer.weight)
    torch.testing.assert_close(network.decode(seen, latents, noise), network.decode(seen, latents))


def test_samples_do_not_mix(network):
    patches, masks = patches_and_masks(3)
    latents = torch.randn(3, 5, dtype=torch.float64)
    alone = network(latents[1:2], patches[1:2], masks[1:2])
    torch.testing.assert_close(network(latents, patches, masks)[1:2], alone)


def test_each_weight_learns():
    torch.manual_seed(0)
    network = ComodulatedGenerator(latent_size=5, width=2, max_channels=8)
    patches, masks = patches_and_masks()
    network(torch.randn(2, 5), patches.float(), masks).square().sum().backward()
    still = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert still == []


def test_one_mask_serves_all_patches(network):
    patches, masks = patches_and_masks()
    latents = torch.randn(2, 5, dtype=torch.float64)
    assert torch.equal(network(latents, patches, masks[:1]), network(latents, patches, masks))


def test_it_compiles_to_torchscript(network):
    patches, masks = patches_and_masks()
    latents = torch.randn(2, 5, dtype=torch.float64)
    torch.testing.assert_close(torch.jit.script(network)(latents, patches, masks), network(latents, patches, masks))


@pytest.mark.parametrize("shape", [(2, 1, 64, 64), (2, 2, 128, 128), (1, 128, 128)])
def test_patches_of_another_shape_are_refused(network, shape):
    patches = torch.zeros(shape, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"patches are \[.*\], expected \(N, 1, 128, 128\)"):
        network(torch.zeros(2, 5, dtype=torch.float64), patches, patches > 0)


def test_latents_of_another_size_are_refused(network):
    patches, masks = patches_and_masks()
    with pytest.raises(ValueError, match=r"latents are \[2, 4\], expected \(N, 5\)"):
        network(torch.zeros(2, 4, dtype=torch.float64), patches, masks)


def test_no_latents_are_refused():
    with pytest.raises(ValueError, match=r"latent_size is 0, expected at least 1"):
        ComodulatedGenerator(latent_size=0)
