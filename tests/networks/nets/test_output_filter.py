import pytest
import torch
from scipy.ndimage import correlate

from monai_cardiac_gan.networks.nets import ComodulatedGenerator, OutputFilter, ResidualGenerator, grow_from

BINOMIAL = torch.outer(torch.tensor([1.0, 2.0, 1.0]), torch.tensor([1.0, 2.0, 1.0])) / 16


def images(count=2, side=128):
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_it_begins_as_the_identity():
    assert torch.equal(OutputFilter(9)(images()), images())


def test_it_filters_as_scipy_does_with_mirrored_borders():
    network = OutputFilter(3)
    network.kernel.copy_(BINOMIAL)
    for image, filtered in zip(images(side=16), network(images(side=16)), strict=True):
        expected = correlate(image[0].numpy(), BINOMIAL.numpy(), mode="mirror")
        torch.testing.assert_close(filtered[0], torch.from_numpy(expected))


def test_what_overshoots_is_cut_off():
    network = OutputFilter(3)
    network.kernel.copy_(2 * OutputFilter(3).kernel[0, 0] - BINOMIAL)
    checkerboard = ((torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1)[None, None]
    assert torch.equal(network(checkerboard), checkerboard)


@pytest.mark.parametrize("taps", [0, 4, -3])
def test_a_kernel_without_a_middle_is_refused(taps):
    with pytest.raises(ValueError, match=rf"taps is {taps}, expected an odd number"):
        OutputFilter(taps)


def blurred(network):
    network.output_filter.kernel.copy_(BINOMIAL)
    return network.eval()


def test_a_generator_filters_its_full_size_alone():
    torch.manual_seed(0)
    network = ResidualGenerator(width=2, max_channels=8, output_filter=3)
    latents = torch.randn(2, 100)
    plain, small = network(latents), network(latents, 64)
    blurred(network)
    torch.testing.assert_close(network(latents), network.output_filter(plain))
    assert torch.equal(network(latents, 64), small)


def test_a_smaller_generator_grows_into_one_with_a_filter():
    small = ResidualGenerator(width=2, max_channels=8, size=64, output_filter=3)
    assert small.output_filter is None
    grown = grow_from(ResidualGenerator(width=2, max_channels=8, output_filter=3), small.state_dict())
    assert torch.equal(grown.output_filter.kernel, OutputFilter(3).kernel)


def test_a_conditional_generator_filters_known_and_painted_pixels_together():
    torch.manual_seed(0)
    network = ComodulatedGenerator(width=2, max_channels=8, noise=False, output_filter=3).eval()
    patches, latents = images(), torch.randn(2, 100)
    masks = torch.zeros(2, 1, 128, 128, dtype=torch.bool)
    masks[:, :, 50:80, 50:80] = True
    plain = network(latents, patches, masks)
    assert torch.equal(plain[~masks], patches[~masks])
    painted = blurred(network)(latents, patches, masks)
    torch.testing.assert_close(painted, network.output_filter(plain))


def test_the_kernel_is_no_weight_that_a_training_moves():
    network = ResidualGenerator(width=2, max_channels=8, output_filter=9)
    assert "output_filter.kernel" in network.state_dict()
    assert "output_filter.kernel" not in dict(network.named_parameters())
