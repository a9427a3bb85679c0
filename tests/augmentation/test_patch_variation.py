import math

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from scipy.optimize import brentq

from monai_cardiac_gan.augmentation import PatchVariation


def smooth(count=3, side=64):
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    phases = torch.arange(count)[:, None, None, None]
    return 0.5 * torch.sin(rows / 7 + phases) * torch.cos(columns / 5)


def uniforms(seed, count=3):
    return torch.rand(count, PatchVariation.draws, generator=torch.Generator().manual_seed(seed))


def everywhere(images):
    return torch.ones_like(images, dtype=torch.bool)


def test_it_turns_and_scales_as_scipy_does():
    images = smooth()
    varied, inside = PatchVariation(20, 0.2, 0, 0)(images, everywhere(images), uniforms(5))
    drawn = 2 * uniforms(5).numpy() - 1
    middle = np.full(2, 31.5)
    for image, mine, valid, (turn, grow, *_) in zip(images, varied, inside, drawn, strict=True):
        angle, size = math.radians(20) * turn, 1 / (1 + 0.2 * grow)
        matrix = size * np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        expected = affine_transform(image[0].numpy(), matrix, middle - matrix @ middle, order=1, cval=np.nan)
        known = valid[0].numpy() & np.isfinite(expected)
        assert known.mean() > 0.6
        np.testing.assert_allclose(mine[0].numpy()[known], expected[known], atol=1e-5)


def test_contrast_and_brightness_are_of_each_patch_alone():
    images = 0.5 * smooth()
    varied, _ = PatchVariation(0, 0, 0.3, 0.2)(images, everywhere(images), uniforms(1))
    drawn = 2 * uniforms(1) - 1
    expected = images * (1 + 0.3 * drawn[:, 2])[:, None, None, None] + 0.2 * drawn[:, 3, None, None, None]
    torch.testing.assert_close(varied, expected, atol=1e-5, rtol=0)


def test_the_middle_stays():
    images = torch.zeros(20, 1, 65, 65)
    images[:, :, 31:34, 31:34] = 1
    varied, _ = PatchVariation(30, 0.2, 0, 0)(images, everywhere(images), uniforms(1, 20))
    torch.testing.assert_close(varied[:, 0, 32, 32], torch.ones(20))


def test_the_unseen_stays_unseen():
    images = smooth()
    valid = everywhere(images)
    valid[..., :20] = False
    varied, inside = PatchVariation(10, 0.2, 0.1, 0.1)(images, valid, uniforms(2))
    assert bool((varied[~inside] == -1).all())
    assert 0.2 < (~inside).float().mean().item() < 0.6
    assert not inside[..., :10].any()


def test_patches_that_shrink_have_an_edge():
    images = smooth()
    _, inside = PatchVariation(0, 0.5, 0, 0)(images, everywhere(images), uniforms(2))
    drawn = 2 * uniforms(2) - 1
    sides = (1 + 0.5 * drawn[:, 1]).clamp(max=1) * 64
    np.testing.assert_allclose(inside.flatten(1).sum(1).sqrt(), sides, atol=1.5)


@pytest.mark.parametrize("arguments", [{"rotation": -1}, {"scale": 1.0}, {"contrast": float("nan")}])
def test_impossible_ranges_are_refused(arguments):
    with pytest.raises(ValueError, match=r"expected 0 or more each, and shares below 1"):
        PatchVariation(**arguments)


def test_numbers_of_another_count_are_refused():
    with pytest.raises(ValueError, match=r"uniforms are \[3, 3\], expected \[3, 5\]"):
        PatchVariation()(smooth(), everywhere(smooth()), torch.rand(3, 3))


@pytest.mark.parametrize("factor", [0.7, 0.85, 1.2, 1.4])
def test_a_vessel_changes_by_its_factor_and_the_body_beyond_it_stays(factor):
    rows, columns = torch.meshgrid(torch.arange(128) - 63.5, torch.arange(128) - 63.5, indexing="ij")
    radius = torch.hypot(rows, columns)
    images = (radius < 10).float()[None, None] - (radius > 50).float() * torch.sin(columns / 3)
    variation = PatchVariation(0, 0, 0, 0, vessel=(factor, factor))
    varied, inside = variation(images, everywhere(images), uniforms(0, 1))
    area = (varied[0, 0] * (radius < 25)).sum().item()
    wall = brentq(lambda r: r * (1 + (1 / factor - 1) * math.exp(-((r / 26) ** 4))) - 10, 1, 25)
    assert wall / 10 == pytest.approx(factor, abs=0.04)
    assert math.sqrt(area / math.pi) == pytest.approx(wall, abs=0.1)
    assert inside.all()
    torch.testing.assert_close(varied[0, 0][radius > 52], images[0, 0][radius > 52], atol=1e-3, rtol=0)


def test_all_ratios_between_the_factors_are_as_likely():
    images = torch.zeros(1001, 1, 4, 4)
    reach = PatchVariation(0, 0, 0, 0, vessel=(0.8, 1.25))._reach(images, torch.linspace(0, 1, 1001))
    factors = 1 / (1 + (reach[:, 1, 1, 0] - 1) / math.exp(-((math.hypot(0.5, 0.5) / 26) ** 4)))
    torch.testing.assert_close(factors.log(), torch.linspace(math.log(0.8), math.log(1.25), 1001), atol=1e-5, rtol=0)


@pytest.mark.parametrize("vessel", [(0.6, 1.0), (1.1, 0.9), (1.0, 1.5)])
def test_factors_out_of_range_are_refused(vessel):
    with pytest.raises(ValueError, match=r"expected 0.7 <= least <= greatest <= 1.4"):
        PatchVariation(vessel=vessel)
