import numpy as np
import pytest
import torch
from scipy.ndimage import shift as shifted_by_scipy
from torch.nn import functional as F

from monai_cardiac_gan.metrics.planted_copies import moved, planted_copies


def smooth(count, seed=0):
    random = torch.Generator().manual_seed(seed)
    return F.interpolate(2 * torch.rand(count, 1, 8, 8, generator=random) - 1, 64, mode="bicubic").clamp(-1, 1)


@pytest.mark.parametrize("shift", [(3.0, 0.0), (0.0, -2.5), (1.25, 4.0)])
def test_a_shift_is_that_of_scipy(shift):
    image = smooth(1)
    found = moved(image, torch.ones(1), torch.tensor([shift]))[0, 0].numpy()
    np.testing.assert_allclose(found, shifted_by_scipy(image[0, 0].numpy(), shift, order=1, mode="nearest"), atol=1e-5)


def test_an_enlarged_disc_is_larger_and_stays_in_the_middle():
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    disc = (torch.hypot(rows - 31.5, columns - 31.5) < 20).float()[None, None]
    large = moved(disc, torch.tensor([1.05]), torch.zeros(1, 2))
    assert large.sum().item() == pytest.approx(1.05**2 * disc.sum().item(), rel=0.01)
    assert (large[0, 0] * rows).sum() / large.sum() == pytest.approx(31.5, abs=1e-3)


def test_copies_are_of_what_they_say_and_differ_by_what_they_say():
    train = smooth(40)
    copies, originals = planted_copies(train, 30, seed=1)
    assert len(set(originals.tolist())) == 30
    assert copies.abs().max() <= 1
    flat = (copies.flatten(1), train.flatten(1))
    correlations = torch.corrcoef(torch.cat(flat))[:30, 30:]
    assert correlations.argmax(1).eq(originals).float().mean() > 0.9  # shifts alone make some unlike at the same place
    fine = (copies - F.avg_pool2d(copies, 3, 1, 1))[..., 2:-2, 2:-2]
    inner = copies[..., 2:-2, 2:-2].abs() < 0.6  # clamping takes noise away
    assert fine[inner].std().item() == pytest.approx(0.1 * np.sqrt(8 / 9), rel=0.05)


def test_the_seed_decides():
    train = smooth(10)
    first, again, other = (planted_copies(train, 5, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_more_copies_than_patches_take_each_in_turn():
    _, originals = planted_copies(smooth(4), 10)
    assert torch.bincount(originals).tolist().count(2) + torch.bincount(originals).tolist().count(3) == 4


@pytest.mark.parametrize(("patches", "count"), [(0, 3), (3, 0)])
def test_no_copies_are_refused(patches, count):
    with pytest.raises(ValueError, match=f"{count} copies of {patches} patches are asked for, expected at least 1"):
        planted_copies(torch.zeros(patches, 1, 32, 32), count)
