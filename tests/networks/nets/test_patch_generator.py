import pytest
import torch
from torchinfo import summary

from monai_cardiac_gan.networks.nets import PatchGenerator


def small_generator(**options):
    torch.manual_seed(0)
    return PatchGenerator(width=2, max_channels=8, **options)


@pytest.mark.parametrize("norm", ["batch", None])
def test_patches_lie_in_minus_one_to_one(norm):
    patches = small_generator(norm=norm)(100 * torch.randn(3, 100))
    assert patches.shape == (3, 1, 128, 128)
    assert patches.abs().max() <= 1


def test_latents_may_have_two_axes_of_one():
    generator, latents = small_generator().eval(), torch.randn(2, 100)
    assert torch.equal(generator(latents), generator(latents.reshape(2, 100, 1, 1)))


def test_table_of_the_docstring_at_default_widths():
    generator = PatchGenerator()
    layers = summary(generator, (1, 100), verbose=0).summary_list
    steps = [layer for layer in layers if layer.depth == 2]
    assert [layer.output_size[1:] for layer in steps] == [
        [256, 2, 2], [256, 4, 4], [256, 8, 8], [128, 16, 16], [64, 32, 32], [32, 64, 64], [16, 128, 128], [1, 128, 128],
    ]  # fmt: skip
    assert [layer.num_params for layer in steps] == [
        102_912,
        1_049_088,
        1_049_088,
        524_544,
        131_200,
        32_832,
        8_224,
        145,
    ]
    assert sum(parameter.numel() for parameter in generator.parameters()) == 2_898_033


def test_patches_are_independent_in_evaluation():
    generator, latents = small_generator().eval(), torch.randn(3, 100)
    alone = torch.cat([generator(latent[None]) for latent in latents])
    torch.testing.assert_close(generator(latents), alone, rtol=1e-5, atol=1e-6)


def test_script_gives_the_same_patches_and_the_same_error():
    generator, latents = small_generator().eval(), torch.randn(2, 100)
    script = torch.jit.script(generator)
    torch.testing.assert_close(script(latents), generator(latents))
    with pytest.raises(torch.jit.Error, match=r"latents are \[2, 7\], expected \(N, 100\)"):
        script(torch.zeros(2, 7))


def test_weights_start_as_in_dcgan():
    torch.manual_seed(0)
    generator = PatchGenerator()
    assert generator.layers[2][0].weight.std().item() == pytest.approx(0.02, rel=0.01)
    assert generator.layers[2][1].weight.mean().item() == pytest.approx(1.0, abs=0.01)
    assert generator.layers[7][0].bias.item() == 0


@pytest.mark.parametrize("shape", [(100,), (2, 99), (2, 100, 2, 1), (2, 1, 100)])
def test_latents_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(N, 100\) or \(N, 100, 1, 1\): give one row"):
        small_generator()(torch.zeros(shape))


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match=r"width 0 .* must be at least 1"):
        PatchGenerator(width=0)
    with pytest.raises(ValueError, match="norm is 'layer', expected 'batch' or None"):
        PatchGenerator(norm="layer")


@pytest.mark.parametrize("upsampling", ["nearest", "bilinear"])
def test_smooth_upsampling_leaves_no_checkerboard(upsampling):
    def unevenness(network):
        """How much the mean image of even pixels differs from that of odd ones, in units of its spread."""
        torch.manual_seed(0)
        with torch.no_grad():
            image = network.train()(torch.randn(64, 100)).mean((0, 1))[8:-8, 8:-8]
        quarters = image.unflatten(0, (-1, 2)).unflatten(2, (-1, 2)).mean((0, 2))
        return (quarters.max() - quarters.min()) / image.std()

    torch.manual_seed(0)
    smooth = PatchGenerator(width=2, max_channels=8, upsampling=upsampling)
    transposed = PatchGenerator(width=2, max_channels=8)
    assert unevenness(smooth) < 0.3 * unevenness(transposed)


def test_unknown_upsampling_is_refused():
    with pytest.raises(
        ValueError, match=r"upsampling is 'cubic', expected one of \('nearest', 'bilinear', 'transposed'\)"
    ):
        PatchGenerator(upsampling="cubic")
