import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from monai_cardiac_gan.augmentation import corruptions
from monai_cardiac_gan.augmentation.corruptions import KINDS, corrupted


def images(count=3, side=32, seed=0):
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(seed)) * 1.8 - 0.9


def with_defect(batch, kind, strength, seed=0):
    kinds = torch.full((len(batch),), KINDS.index(kind))
    strengths = torch.full((len(batch),), float(strength))
    return corrupted(batch, kinds, strengths, torch.Generator().manual_seed(seed))


def test_only_what_shall_have_a_defect_gets_one():
    batch = images(len(KINDS))
    before = batch.clone()
    result = corrupted(batch, torch.arange(len(KINDS)), torch.ones(len(KINDS)), torch.Generator().manual_seed(0))
    changed = (result != before).flatten(1).any(1)
    assert changed.tolist() == [False] + [True] * (len(KINDS) - 1)
    assert torch.equal(batch, before)
    assert result.shape == before.shape


@pytest.mark.parametrize("kind", KINDS)
def test_the_generator_makes_it_repeatable(kind):
    first, again = (with_defect(images(), kind, 0.5, seed=3) for _ in range(2))
    assert torch.equal(first, again)


@pytest.mark.parametrize(("strength", "sigma"), [(0, 0.4), (0.5, 1.0), (1, 2.5)])
def test_blur_spreads_a_point_by_its_variance(strength, sigma):
    point = torch.zeros(1, 1, 64, 64)
    point[..., 30, 30] = 1
    spread = with_defect(point, "blur", strength)[0, 0].double()
    assert spread.sum().item() == pytest.approx(1, abs=1e-3)
    for axis in (0, 1):
        variance = (spread.sum(axis) * (torch.arange(64) - 30) ** 2).sum().item()
        offsets = np.arange(-12, 13)
        weights = norm.cdf((offsets + 0.5) / sigma) - norm.cdf(
            (offsets - 0.5) / sigma
        )  # the Gaussian within each pixel
        assert variance == pytest.approx((weights * offsets**2).sum(), rel=0.01)


def test_blur_of_a_constant_changes_nothing_up_to_the_border():
    grey = torch.full((1, 1, 32, 32), 0.7)
    torch.testing.assert_close(with_defect(grey, "blur", 1), grey, rtol=1e-3, atol=0)


@pytest.mark.parametrize(("strength", "sigma"), [(0, 0.01), (1, 0.15)])
def test_noise_has_its_deviation(strength, sigma):
    batch = images(4, side=128)
    noise = with_defect(batch, "noise", strength) - batch
    assert noise.std().item() == pytest.approx(sigma, rel=4 / math.sqrt(2 * noise.numel()))
    assert noise.mean().item() == pytest.approx(0, abs=4 * sigma / math.sqrt(noise.numel()))


def test_patterns_are_chequerboards_of_four_sizes():
    batch = images(40)
    added = (with_defect(batch, "pattern", 1) - batch)[:, 0]
    torch.testing.assert_close(added.abs(), torch.full_like(added, 0.2))
    torch.testing.assert_close(added.sum((1, 2)), torch.zeros(40), rtol=0, atol=1e-4)
    # sides of squares: how long the first row keeps its sign
    sides = {int((pattern[0].sign() != pattern[0, 0].sign()).float().argmax()) for pattern in added}
    assert sides == set(corruptions.PATTERN_BLOCKS)
    for pattern in added:
        torch.testing.assert_close(pattern, pattern[0, 0].sign() * torch.outer(*2 * [pattern[0].sign()]) * 0.2)


@pytest.mark.parametrize(("strength", "weight"), [(0, 0.1), (1, 0.5)])
def test_a_ghost_is_a_weighted_shifted_copy(strength, weight):
    point = torch.zeros(20, 1, 64, 64)
    point[:, :, 5, 9] = 1
    for image in with_defect(point, "ghost", strength)[:, 0]:
        places = image.nonzero().tolist()
        assert [5, 9] in places
        (ghost,) = [place for place in places if place != [5, 9]]
        assert image[5, 9].item() == pytest.approx(1 - weight)
        assert image[tuple(ghost)].item() == pytest.approx(weight)
        shifts = [(after - before) % 64 for before, after in zip([5, 9], ghost, strict=True)]
        assert sorted(shifts)[0] == 0
        assert 8 <= sorted(shifts)[1] <= 32


@pytest.mark.parametrize(("strength", "moved"), [(0, 3), (1, 38)])
def test_blocks_change_places_and_none_is_lost(strength, moved):
    blocks = torch.arange(64.0).reshape(1, 1, 8, 8)
    batch = blocks.repeat_interleave(16, 2).repeat_interleave(16, 3)
    result = with_defect(batch, "shuffle", strength)[0, 0]
    after = result[::16, ::16]
    assert torch.equal(result, after.repeat_interleave(16, 0).repeat_interleave(16, 1))
    assert sorted(after.flatten().tolist()) == list(range(64))
    assert (after != blocks[0, 0]).sum() == moved  # 5 % and 60 % of 64


@pytest.mark.parametrize(("strength", "exponent"), [(0, 0.2), (1, 0.9)])
def test_contrast_is_a_power_of_the_grey_value(strength, exponent):
    batch = images(30)
    grey, result = ((values + 1) / 2 for values in (batch, with_defect(batch, "contrast", strength)))
    powers = (result.log() / grey.log()).flatten(1)
    torch.testing.assert_close(powers, powers[:, :1].expand_as(powers), rtol=1e-3, atol=1e-3)
    assert {round(power, 2) for power in powers[:, 0].log().tolist()} == {-exponent, exponent}


def test_a_warp_moves_pixels_as_far_as_it_shall():
    """In an image of its own coordinates the shift of a pixel can be read; every 19th pixel is a control point."""
    side, count = 96, 60
    ramp = torch.arange(96.0).expand(count, 1, side, side)
    shifts = (with_defect(ramp, "warp", 1) - ramp)[:, 0, 19:-1:19, 19:-1:19]
    assert shifts.shape == (count, 4, 4)
    expected = 0.06 * side / 2
    assert shifts.std().item() == pytest.approx(expected, rel=4 / math.sqrt(2 * shifts.numel()))
    grey = torch.full((1, 1, 32, 32), 0.7)
    torch.testing.assert_close(with_defect(grey, "warp", 1), grey)
