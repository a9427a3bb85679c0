import pytest
import torch

from monai_cardiac_gan.networks.nets import InpaintingUNet


def network(**settings):
    torch.manual_seed(0)
    return InpaintingUNet(**settings).eval()


def test_patches_of_any_size_that_its_levels_divide():
    patches = torch.rand(2, 1, 64, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1
    painted = network()(patches, torch.zeros(1, 1, 64, 48, dtype=torch.bool))
    assert painted.shape == patches.shape
    assert painted.abs().max() < 1


def test_it_sees_where_the_hole_is_but_not_what_it_hides():
    source = torch.Generator().manual_seed(1)
    patches = torch.rand(2, 1, 32, 32, generator=source) * 2 - 1
    masks = torch.zeros(2, 1, 32, 32, dtype=torch.bool)
    masks[:, :, 8:20, 8:20] = True
    other = torch.where(masks, torch.rand(patches.shape, generator=source), patches)
    filler = network(channels=(4, 8, 8))
    assert torch.equal(filler(patches, masks), filler(other, masks))
    moved = masks.roll(2, 3)
    dark = torch.where(masks | moved, 0.0, patches)  # what it sees is the same, where it is hidden is not
    assert (filler(dark, masks) - filler(dark, moved)).abs().max() > 1e-3


def test_about_as_large_as_the_generator():
    assert sum(weight.numel() for weight in network().parameters()) == 505945


def test_a_single_level_is_refused():
    with pytest.raises(ValueError, match=r"channels is \(8,\): expected at least 2 levels"):
        InpaintingUNet((8,))
