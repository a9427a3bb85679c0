import itertools
from collections import defaultdict

import pytest
import torch
from torch.nn import functional as F
from torchinfo import summary

from monai_cardiac_gan.metrics.frechet import frechet_distance
from monai_cardiac_gan.networks.nets.patch_features import PatchFeatures

LARGEST = 500_000
"""Parameters: 2 MB of weights."""


def new_network(**sizes):
    torch.manual_seed(0)
    return PatchFeatures(**sizes).eval()


def blobs(count, seed=0):
    """Smooth random images with sharp edges, in [-1, 1]."""
    coarse = torch.randn(count, 1, 12, 12, generator=torch.Generator().manual_seed(seed))
    return (20 * F.interpolate(coarse, (128, 128), mode="bicubic")).tanh()


def blurred(images, sigma):
    offsets = torch.arange(-8.0, 9.0)
    kernel = (-(offsets**2) / (2 * sigma**2)).exp() if sigma > 0 else (offsets == 0).float()
    wide = F.pad(images, [8] * 4, mode="replicate")
    rows = F.conv2d(wide, (kernel / kernel.sum()).view(1, 1, -1, 1))
    return F.conv2d(rows, (kernel / kernel.sum()).view(1, 1, 1, -1))


def test_table_of_the_docstring_at_default_sizes():
    network = PatchFeatures()
    rows = defaultdict(list)
    for layer in summary(network, (2, 1, 128, 128), verbose=0).summary_list:
        rows[layer.class_name].append(layer)
    normalised = [
        conv.num_params + norm.num_params for conv, norm in zip(rows["Conv2d"], rows["BatchNorm2d"], strict=False)
    ]
    assert normalised == [912, 10_464, 41_664, 103_920]
    shapes = [layer.output_size[1:] for layer in rows["Conv2d"]]
    assert shapes == [[24, 64, 64], [48, 32, 32], [96, 16, 16], [120, 8, 8], [8, 8, 8]]
    assert rows["Conv2d"][-1].num_params == 968
    assert [layer.num_params for layer in rows["Linear"]] == [76_896]
    assert sum(parameter.numel() for parameter in network.parameters()) == 234_824 < LARGEST


def test_features_of_a_patch_do_not_depend_on_its_batch():
    network, images = new_network(), blobs(5)
    together = network(images)
    alone = torch.cat([network(image) for image in images.split(1)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    assert torch.equal(network(images), together)


def test_training_gives_each_feature_unit_variance():
    network, images = new_network(size=6, width=1), blobs(20)
    network.train()
    for _ in range(150):  # the running averages forget their start by 0.9 a step
        network(images)
    features = network.eval()(images)
    torch.testing.assert_close(features.mean(0), torch.zeros(6), rtol=0, atol=1e-3)
    torch.testing.assert_close(features.std(0), torch.ones(6), rtol=0, atol=1e-2)


@pytest.mark.parametrize("period", [2, 4, 8])
def test_patterns_of_single_pixels_are_seen_like_coarser_ones(period):
    network, squares = new_network(), torch.arange(128) // (period // 2) % 2
    pattern = 0.1 * (1.0 - 2 * ((squares[:, None] + squares) % 2))
    grey = torch.zeros(1, 1, 128, 128)
    noise = 0.1 * torch.randn(grey.shape, generator=torch.Generator().manual_seed(0))
    still, reference, answer = network(torch.cat([grey, noise, pattern[None, None]]))
    assert (answer - still).norm() > 0.5 * (reference - still).norm()


@pytest.mark.parametrize("seed", [0, 1])
def test_distance_grows_with_blur_even_untrained(seed):
    torch.manual_seed(seed)
    network, images = PatchFeatures(size=32, width=8).eval(), blobs(60, seed)
    with torch.no_grad():
        reference = network(images)
        distances = [frechet_distance(network(blurred(images, sigma)), reference) for sigma in (0, 0.5, 1, 2, 4)]
    assert distances[0] == pytest.approx(0, abs=1e-9)
    assert all(after > 1.5 * before for before, after in itertools.pairwise(distances))


def test_smaller_images_are_enlarged_and_larger_ones_averaged():
    network, images = new_network(), blobs(2)
    small = F.avg_pool2d(images, 2)
    expected = network(F.interpolate(small, (128, 128), mode="bilinear", align_corners=False))
    torch.testing.assert_close(network(small), expected, rtol=1e-3, atol=1e-4)
    grey = torch.full((1, 1, 128, 128), 0.3)
    torch.testing.assert_close(network(F.interpolate(grey, 300)), network(grey), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 128, 128), (2, 3, 128, 128)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected \(N, 1, H, W\): add the axes of batch and channel"):
        new_network()(torch.zeros(shape))


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match="size 0 and width 24 must be at least 1"):
        PatchFeatures(size=0)


def test_texture_is_the_mean_of_each_channel_of_each_stage():
    network, images = new_network(), blobs(2)
    seen = []
    hooks = [stage.register_forward_hook(lambda _, __, output: seen.append(output)) for stage in network.stages]
    with torch.no_grad():
        texture = network.texture(images, torch.ones(2, 1, 128, 128, dtype=torch.bool))
    for hook in hooks:
        hook.remove()
    assert texture.shape == (2, 288)
    torch.testing.assert_close(texture, torch.cat([stage.mean((2, 3)) for stage in seen], 1))


def test_texture_does_not_see_what_lies_outside_the_field_of_view():
    """But for 16 pixels, half of what the deepest stage looks at."""
    network, images = new_network(), blobs(2)
    valid = torch.ones(2, 1, 128, 128, dtype=torch.bool)
    valid[..., 64:] = False
    other = images.clone()
    other[..., 80:] = -1
    with torch.no_grad():
        torch.testing.assert_close(network.texture(other, valid), network.texture(images, valid))
        whole = torch.ones_like(valid)
        assert not torch.allclose(network.texture(other, whole), network.texture(images, whole), atol=0.01)
