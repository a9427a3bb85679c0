import itertools

import numpy as np
import pytest
import torch
from torch import nn

from monai_cardiac_gan.networks.nets import PatchGenerator, ResidualGenerator
from monai_cardiac_gan.networks.nets.residual_generator import PixelNoise, PixelNorm, UpBlock, upsample

SIZES = (8, 16, 32, 64, 128)


def small_generator(size=16, seed=0, **options):
    torch.manual_seed(seed)
    return ResidualGenerator(latent_size=5, width=2, max_channels=8, size=size, **options)


def counted(latent_size, width, most, size, norm, transposed):
    """Parameters by the shapes of the class's table."""
    sides = [side for side in (4, 8, 16, 32, 64, 128) if side <= size]
    channels = [min(width * 128 // side, most) for side in sides]
    total = (latent_size + 1) * 16 * channels[0] + sum(c + 1 for c in channels)  # input and to_image
    for before, after in itertools.pairwise(channels):
        total += before * after + (9 * before + 1) * after + (9 * after + 1) * after + 2 * after  # the last: noise
        total += transposed * (16 * before + 1) * before
    if norm == "batch":
        total += 2 * channels[0] + sum(4 * c for c in channels[1:])
    return total


def nyquist_ratios(images):
    """Power of the three patterns of period 2 in the images, relative to the frequencies around each."""
    window = np.hanning(images.shape[-1] + 1)[:-1]
    centred = images - images.mean((2, 3), keepdims=True)
    power = (np.abs(np.fft.fft2(centred * window * window[:, None])) ** 2).mean((0, 1))
    side, ratios = len(power), []
    near = [(i, j) for i in range(-4, 5) for j in range(-4, 5) if max(abs(i), abs(j)) >= 2]  # beyond the window's leak
    for row, column in ((side // 2, 0), (0, side // 2), (side // 2, side // 2)):
        around = [power[(row + i) % side, (column + j) % side] for i, j in near]
        ratios.append(power[row, column] / np.mean(around))
    return ratios


def first_ratios(kind, seed, **options):
    torch.manual_seed(seed)
    generator = kind(width=4, max_channels=32, **options)
    with torch.no_grad():
        return nyquist_ratios(generator(torch.randn(16, 100)).double().numpy())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "options",
    [{"norm": "pixel"}, {"norm": "batch"}, {"norm": None}, {"upsampling": "nearest"}, {"upsampling": "transposed"}],
)
def test_patches_have_the_size_and_lie_in_minus_one_to_one(size, options):
    patches = small_generator(size, **options)(100 * torch.randn(3, 5))
    assert patches.shape == (3, 1, size, size)
    assert patches.abs().max() <= 1


@pytest.mark.parametrize(("latent_size", "width", "most"), [(1, 1, 7), (9, 3, 40)])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("norm", ["pixel", "batch", None])
@pytest.mark.parametrize("upsampling", ["bilinear", "nearest", "transposed"])
def test_number_of_parameters_in_closed_form(latent_size, width, most, size, norm, upsampling):
    generator = ResidualGenerator(latent_size, width, most, size, norm, upsampling=upsampling)
    expected = counted(latent_size, width, most, size, norm, upsampling == "transposed")
    assert sum(parameter.numel() for parameter in generator.parameters()) == expected


def test_table_of_the_docstring_at_default_widths():
    generator, shapes = ResidualGenerator(), {}
    for name, layer in generator.named_modules():
        layer.register_forward_hook(lambda _, __, output, name=name: shapes.update({name: tuple(output.shape[1:])}))
    with torch.no_grad():
        generator(torch.zeros(1, 100))
    assert shapes["activation"] == (256, 4, 4)
    assert [shapes[f"blocks.{side}"] for side in SIZES] == [
        (256, 8, 8), (128, 16, 16), (64, 32, 32), (32, 64, 64), (16, 128, 128),
    ]  # fmt: skip
    assert [shapes[f"to_image.{side}"] for side in (4, *SIZES)] == [(1, side, side) for side in (4, *SIZES)]


@pytest.mark.parametrize("size", [8, 32, 128])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_first_images_neither_vanish_nor_saturate(size, seed):
    torch.manual_seed(seed)
    generator = ResidualGenerator(size=size)
    with torch.no_grad():
        images = generator(torch.randn(8, 100))
    assert 0.07 < images.std() < 0.3
    assert images.abs().max() < 0.95
    assert images.std(0).mean() > 0.05  # images of different latents differ


@pytest.mark.parametrize(("seed", "norm"), [(0, "pixel"), (1, "pixel"), (2, "batch"), (3, None)])
def test_there_is_no_checkerboard(seed, norm):
    assert max(first_ratios(ResidualGenerator, seed, norm=norm)) < 2


@pytest.mark.parametrize(("seed", "norm"), [(0, "batch"), (1, "batch"), (2, None)])
def test_a_generator_of_transposed_convolutions_has_one(seed, norm):
    assert max(first_ratios(PatchGenerator, seed, norm=norm)) > 50


@pytest.mark.parametrize("norm", ["pixel", None])
def test_transposed_convolutions_in_the_blocks_bring_it_back(norm):
    assert max(first_ratios(ResidualGenerator, 0, norm=norm, upsampling="transposed")) > 10


def test_enlarging_weighs_four_neighbours_by_nine_three_three_one():
    images = np.random.default_rng(0).normal(size=(5, 6))
    padded = np.pad(images, 1, mode="edge")
    for rows in (0, 1):
        for columns in (0, 1):
            near = padded[1:-1, 1:-1]
            other_row = padded[2 * rows : 2 * rows + 5, 1:-1]
            other_column = padded[1:-1, 2 * columns : 2 * columns + 6]
            both = padded[2 * rows : 2 * rows + 5, 2 * columns : 2 * columns + 6]
            expected = (9 * near + 3 * other_row + 3 * other_column + both) / 16
            enlarged = upsample(torch.from_numpy(images)[None, None])[0, 0].numpy()
            np.testing.assert_allclose(enlarged[rows::2, columns::2], expected, rtol=1e-12, atol=1e-14)


def test_enlarging_by_repetition_shows_each_pixel_four_times():
    images = np.random.default_rng(0).normal(size=(2, 3, 5, 6))
    enlarged = upsample(torch.from_numpy(images), "nearest").numpy()
    np.testing.assert_array_equal(enlarged, np.kron(images, np.ones((2, 2))))


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_the_shortcut_may_be_convolved_before_it_is_enlarged(mode):
    block, hidden = UpBlock(3, 2, None, False, mode).double(), torch.randn(2, 3, 4, 4, dtype=torch.float64)
    nn.init.zeros_(block.second.weight)  # only the shortcut is left
    nn.init.zeros_(block.second.bias)
    torch.testing.assert_close(block(hidden), 0.5**0.5 * block.shortcut(upsample(hidden, mode)), rtol=1e-12, atol=1e-14)


def test_pixel_norm_gives_each_pixel_unit_mean_square():
    hidden = 1e3 * torch.randn(2, 6, 3, 3, dtype=torch.float64)
    normal = PixelNorm()(hidden)
    torch.testing.assert_close(normal.square().mean(1), torch.ones(2, 3, 3, dtype=torch.float64))
    torch.testing.assert_close(normal * hidden.square().mean(1, keepdim=True).sqrt(), hidden)
    assert not PixelNorm()(torch.zeros(1, 6, 1, 1)).any()


@pytest.mark.parametrize("norm", ["pixel", None])
def test_patches_are_independent_in_training(norm):
    generator, latents = small_generator(norm=norm).double().train(), torch.randn(3, 5, dtype=torch.float64)
    (gradient,) = torch.autograd.grad(generator(latents.requires_grad_())[0].sum(), latents)
    assert gradient[0].all()
    assert not gradient[1:].any()


def test_latents_may_have_two_axes_of_one():
    generator, latents = small_generator(), torch.randn(2, 5)
    assert torch.equal(generator(latents), generator(latents.reshape(2, 5, 1, 1)))


def test_noise_is_silent_at_first_though_it_is_drawn():
    latents = torch.randn(2, 5, generator=torch.Generator().manual_seed(1))
    quiet, noisy = small_generator(), small_generator(noise=True)
    state = torch.get_rng_state()
    assert torch.equal(noisy(latents), quiet(latents))
    assert not torch.equal(torch.get_rng_state(), state)


def test_noise_comes_from_the_global_random_state():
    latents = torch.randn(2, 5, generator=torch.Generator().manual_seed(1))
    generator = small_generator(noise=True)
    for name, parameter in generator.named_parameters():
        if "noise" in name:
            nn.init.ones_(parameter)
    images = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        images.append(generator(latents))
    assert torch.equal(images[0], images[1])
    assert (images[0] - images[2]).abs().mean() > 0.01


def test_without_noise_a_latent_means_one_image():
    generator, latents = small_generator(noise=False), torch.randn(2, 5)
    generator.load_state_dict({name: value + ("noise" in name) for name, value in generator.state_dict().items()})
    state = torch.get_rng_state()
    assert torch.equal(generator(latents), generator(latents))
    assert torch.equal(torch.get_rng_state(), state)


def test_noise_is_one_normal_number_a_pixel_times_a_weight_a_channel():
    noise = PixelNoise(3, active=True).double()
    noise.weight.data = torch.tensor([1.0, -2.0, 0.0], dtype=torch.float64).reshape(3, 1, 1)
    hidden = torch.randn(4, 3, 64, 64, dtype=torch.float64)
    torch.manual_seed(0)
    added = noise(hidden) - hidden
    torch.testing.assert_close(added[:, 1], -2 * added[:, 0], rtol=0, atol=1e-12)
    assert not added[:, 2].any()
    assert added[:, 0].mean().item() == pytest.approx(0, abs=4 / 128)  # four standard errors of 128 x 128 numbers
    assert added[:, 0].std().item() == pytest.approx(1, abs=4 / 128)


def test_noise_may_be_given():
    noise = PixelNoise(3, active=True).double()
    noise.weight.data = torch.tensor([1.0, -2.0, 0.0], dtype=torch.float64).reshape(3, 1, 1)
    hidden, given = torch.randn(2, 3, 8, 8, dtype=torch.float64), torch.randn(1, 1, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(noise(hidden, 0.5, given), hidden + 0.5 * noise.weight * given)


@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_noise_has_the_strength_that_is_asked_for(strength):
    noise = PixelNoise(3, active=True).double()
    nn.init.ones_(noise.weight)
    hidden = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    added = []
    for times in (1.0, strength):
        torch.manual_seed(0)
        added.append(noise(hidden, times) - hidden)
    torch.testing.assert_close(added[1], strength * added[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(5,), (2, 4), (2, 5, 2, 1), (2, 1, 5), (2, 5, 1)])
def test_latents_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(N, 5\) or \(N, 5, 1, 1\): give one row of numbers"):
        small_generator()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_size": 0}, "latent_size is 0, expected at least 1: give a positive whole number"),
        ({"norm": "layer"}, "norm is 'layer', expected 'pixel', 'batch' or None: choose one of the three"),
        (
            {"upsampling": "cubic"},
            r"upsampling is 'cubic', expected one of \('bilinear', 'nearest', 'transposed'\): choose one",
        ),
        ({"size": 48}, r"size is 48, expected one of \[8, 16, 32, 64, 128\]"),
        ({"width": 0}, "width 0 and max_channels 256 must be at least 1"),
        ({"max_channels": 0}, "width 16 and max_channels 0 must be at least 1"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ResidualGenerator(**options)


@pytest.mark.parametrize("size", [8, 16])
def test_a_smaller_image_is_painted_by_the_first_blocks_alone(size):
    torch.manual_seed(0)
    network = ResidualGenerator(latent_size=5, width=2, max_channels=8, size=32).eval()
    small = ResidualGenerator(latent_size=5, width=2, max_channels=8, size=size).eval()
    weights = {name: value for name, value in network.state_dict().items() if name in small.state_dict()}
    small.load_state_dict(weights)
    latents = torch.randn(3, 5)
    torch.testing.assert_close(network(latents, size=size), small(latents))


def test_a_size_without_a_head_is_refused():
    with pytest.raises(ValueError, match="size is 5, expected one of 4, 8, 16: the network paints at these alone"):
        ResidualGenerator(latent_size=5, width=2, max_channels=8, size=16)(torch.zeros(1, 5), size=5)


def test_subpixels_are_four_pixels_of_one_feature_pixel():
    torch.manual_seed(0)
    network = ResidualGenerator(latent_size=5, width=2, max_channels=8, subpixel=True)
    assert "128" not in network.blocks
    nn.init.zeros_(network.to_image["128"][2].weight)
    with torch.no_grad():
        for side in ("4", "8", "16", "32", "64"):
            network.to_image[side].weight.zero_()
        network.to_image["128"][2].bias.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]))
        image = network(torch.randn(1, 5))[0, 0]
    expected = torch.tensor([[0.1, 0.2], [0.3, 0.4]]).tanh()
    torch.testing.assert_close(image, expected.repeat(64, 64))


def test_subpixels_change_nothing_below_128_pixels():
    torch.manual_seed(0)
    plain = ResidualGenerator(latent_size=5, width=2, max_channels=8, size=64)
    subpixel = ResidualGenerator(latent_size=5, width=2, max_channels=8, size=64, subpixel=True)
    assert plain.state_dict().keys() == subpixel.state_dict().keys()


@pytest.mark.parametrize("training", [True, False])
def test_shared_noise_is_that_of_the_first_image_in_evaluation_mode(training):
    noise = PixelNoise(2, active=True, shared=True).train(training)
    nn.init.ones_(noise.weight)
    torch.manual_seed(0)
    added = noise(torch.zeros(3, 2, 4, 4))
    torch.manual_seed(0)
    expected = torch.randn(3 if training else 1, 1, 4, 4).expand(3, 2, 4, 4)
    assert torch.equal(added, expected)
