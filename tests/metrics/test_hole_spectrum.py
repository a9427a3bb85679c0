import pytest
import torch
from scipy import ndimage

from monai_cardiac_gan.inferers import disc_mask, square_mask
from monai_cardiac_gan.metrics import crop_holes, hole_spectrum, power_spectrum_distance

NAMES = ["a", "a", "b", "b", "c", "c"]
MASKS = square_mask(41).expand(6, 1, 128, 128)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_squares_are_cropped_as_they_are():
    images = noise(6, 1, 128, 128)
    assert torch.equal(crop_holes(images, MASKS).flatten(), images[MASKS])


def test_holes_of_different_size_are_cropped_to_the_smallest_in_their_middle():
    masks = torch.stack([disc_mask((40.0, 60.0), 30, 0.0), square_mask(17, (64.0, 90.0))])[:, None]
    rows, columns = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    middles = [crop_holes(each.expand(2, 1, 128, 128), masks).mean((1, 2, 3)).tolist() for each in (rows, columns)]
    assert crop_holes(rows.expand(2, 1, 128, 128), masks).shape == (2, 1, 17, 17)
    assert middles[0] == pytest.approx([40, 64], abs=0.5)
    assert middles[1] == pytest.approx([60, 90], abs=0.5)


@pytest.mark.parametrize("contrast", [0.1, 0.5, 2.0])
def test_contrast_in_the_hole_is_its_decibels_and_outside_it_does_not_matter(contrast):
    originals = noise(6, 1, 128, 128)
    samples = torch.where(MASKS, contrast * originals, 7.0)[:, None].expand(6, 3, 1, 128, 128)
    found = hole_spectrum(samples, originals, MASKS, NAMES)
    assert found.distance_db == pytest.approx(abs(20 * torch.log10(torch.tensor(contrast)).item()), abs=1e-4)
    assert found.ratio == found.distance_db / found.real_vs_real_db


def test_each_sample_is_sharp_where_their_mean_is_not():
    originals = noise(6, 1, 128, 128)
    samples = noise(6, 8, 1, 128, 128, seed=1)
    found = hole_spectrum(samples, originals, MASKS, NAMES)
    of_mean = hole_spectrum(samples.mean(1, keepdim=True), originals, MASKS, NAMES)
    assert found.distance_db < 1.0
    assert of_mean.distance_db == pytest.approx(10 * torch.log10(torch.tensor(8.0)).item(), abs=1.0)


def test_blur_is_seen():
    originals = noise(6, 1, 128, 128)
    blurred = torch.from_numpy(ndimage.gaussian_filter(originals.numpy(), 1.5, axes=(2, 3)))
    found = hole_spectrum(blurred[:, None], originals, MASKS, NAMES)
    assert found.distance_db == pytest.approx(
        power_spectrum_distance(crop_holes(blurred, MASKS), crop_holes(originals, MASKS))
    )
    assert found.ratio > 5


def test_what_cannot_be_said_is_none():
    originals = noise(6, 1, 128, 128)
    assert hole_spectrum(originals[:, None], originals, square_mask(15).expand(6, 1, 128, 128), NAMES) is None
    alone = hole_spectrum(originals[:, None], originals, MASKS, ["a"] * 6)
    assert (alone.distance_db, alone.real_vs_real_db, alone.ratio) == (0, None, None)


def test_empty_masks_and_other_shapes_are_refused():
    images = torch.zeros(2, 1, 32, 32)
    with pytest.raises(ValueError, match="expected one shape, and a hidden pixel in each mask"):
        crop_holes(images, torch.zeros(2, 1, 32, 32, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"images \[2, 1, 32, 32\] and masks \[1, 1, 32, 32\]: expected one shape"):
        crop_holes(images, torch.ones(1, 1, 32, 32, dtype=torch.bool))
