"""One law for every network: TorchScript, which MONAI Deploy and C++ take, computes what it computes, and refuses alike."""

import pytest
import torch

from monai_cardiac_gan.networks import nets

SMALL = {"width": 2, "max_channels": 8}
LATENTS = (torch.randn(3, 100, generator=torch.Generator().manual_seed(0)),)
PATCHES = (torch.rand(3, 1, 128, 128, generator=torch.Generator().manual_seed(1)) * 2 - 1,)
HIDDEN = torch.zeros(3, 1, 128, 128, dtype=torch.bool)
HIDDEN[:, :, 50:75, 50:75] = True
BUILD = {
    "ComodulatedGenerator": (
        lambda: nets.ComodulatedGenerator(**SMALL, noise=False, output_filter=3),
        (*LATENTS, *PATCHES, HIDDEN),
    ),
    "InpaintingUNet": (lambda: nets.InpaintingUNet((4, 8, 8)), (*PATCHES, HIDDEN)),
    "LatentEncoder": (lambda: nets.LatentEncoder(width=2), (*PATCHES, HIDDEN)),
    "PatchCritic": (lambda: nets.PatchCritic(**SMALL), PATCHES),
    "PatchFeatures": (lambda: nets.PatchFeatures(width=2), PATCHES),
    "PatchGenerator": (lambda: nets.PatchGenerator(**SMALL), LATENTS),
    "ResidualCritic": (lambda: nets.ResidualCritic(**SMALL), PATCHES),
    "ResidualGenerator": (lambda: nets.ResidualGenerator(**SMALL), LATENTS),
    "ResidualCritic, subpixel": (lambda: nets.ResidualCritic(**SMALL, subpixel=True), PATCHES),
    "ResidualGenerator, subpixel": (lambda: nets.ResidualGenerator(**SMALL, subpixel=True, output_filter=3), LATENTS),
    **{
        f"ResidualGenerator, {upsampling}, {norm}": (
            lambda upsampling=upsampling, norm=norm: nets.ResidualGenerator(**SMALL, norm=norm, upsampling=upsampling),
            LATENTS,
        )
        for upsampling in ("nearest", "transposed")
        for norm in ("batch", None)
    },
}
REFUSES = {
    "ComodulatedGenerator": r"patches are \[3, 1, 64, 64\], expected",
    "LatentEncoder": r"patches are \[3, 1, 64, 64\] and masks \[3, 1, 64, 64\], expected",
    "PatchCritic": r"images are \[3, 1, 64, 64\], expected",
    "PatchFeatures": r"images are \[3, 2, 64, 64\], expected",
    "PatchGenerator": r"latents are \[3, 50\], expected",
    "ResidualCritic": r"images are \[3, 1, 64, 64\], expected",
    "ResidualGenerator": r"latents are \[3, 50\], expected",
}


def test_every_network_is_built_here():
    networks = {name for name in nets.__all__ if isinstance(getattr(nets, name), type)} - {"OutputFilter"}  # a part
    assert networks == {name for name in BUILD if "," not in name}


@pytest.mark.parametrize("name", BUILD)
def test_script_gives_the_same_values_and_gradients(name):
    build, inputs = BUILD[name]
    network = build().eval()
    script = torch.jit.script(network)
    torch.testing.assert_close(script(*inputs), network(*inputs))
    weights = list(network.parameters())  # the script shares them
    expected, found = (
        torch.autograd.grad(each(*inputs).square().mean(), weights, allow_unused=True) for each in (network, script)
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", REFUSES)
def test_script_refuses_what_the_network_refuses(name):
    build, inputs = BUILD[name]
    wrong = [each[:, :50] if each.ndim == 2 else each[..., :64, :64] for each in inputs]
    if name == "PatchFeatures":  # takes patches of any size
        wrong = [each.expand(-1, 2, -1, -1) for each in wrong]
    with pytest.raises(ValueError, match=REFUSES[name]):
        build()(*wrong)
    with pytest.raises(torch.jit.Error, match=REFUSES[name]):
        torch.jit.script(build())(*wrong)


def test_a_scripted_generator_paints_smaller_images():
    network = nets.ResidualGenerator(**SMALL).eval()
    script = torch.jit.script(network)
    torch.testing.assert_close(script(*LATENTS, 32), network(*LATENTS, 32))
    with pytest.raises(torch.jit.Error, match="size is 5, expected one of 4, 8, 16, 32, 64, 128"):
        script(*LATENTS, 5)
