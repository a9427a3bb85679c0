import numpy as np
import pytest
import torch
from scipy import ndimage

from monai_cardiac_gan.inferers import HoleResiduals, ResidualGaussianSampler, fit_residuals, square_mask
from monai_cardiac_gan.metrics import energy_score

SIDE = 48
MASK = square_mask(21, shape=(SIDE, SIDE))


def zero(patches, masks, valid):
    return torch.where(masks, 0.0, patches)


def rim_distance(mask):
    """Pixels from the rim, ring by ring."""
    rings = torch.zeros(mask.shape, dtype=torch.long)
    inside = mask.numpy()
    while inside.any():
        rings += torch.from_numpy(inside).long()
        inside = ndimage.binary_erosion(inside, np.ones((3, 3)))
    return rings


def smooth_noise(count, seed=0, sigma=1.5):
    white = torch.randn(count, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)).numpy()
    fields = ndimage.gaussian_filter(white, sigma, axes=(1, 2), mode="wrap")
    return torch.from_numpy(fields / fields.std())[:, None].float()


def test_the_spread_is_that_of_each_ring():
    truth = 0.02 * rim_distance(MASK) * torch.randn(200, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    found = fit_residuals(zero, truth, MASK.expand_as(truth))
    assert found.side == 21
    # the middle is one pixel: 200 draws of it
    assert found.stds[:9].tolist() == pytest.approx([0.02 * ring for ring in range(1, 10)], rel=0.06)
    assert found.stds[10].item() == pytest.approx(0.22, rel=0.2)
    torch.testing.assert_close(found.std(MASK), torch.where(MASK, found.stds[(rim_distance(MASK) - 1).clamp(0)], 0.0))


@pytest.mark.parametrize("sigma", [0.0, 1.5, 3.0])
def test_samples_have_the_correlation_of_the_residuals(sigma):
    """Blurred white noise has the correlation exp(-lag² / 4 sigma²)."""
    truth = 0.1 * smooth_noise(200, sigma=sigma)
    found = fit_residuals(zero, truth, MASK.expand_as(truth))
    sampler = ResidualGaussianSampler(zero, [found])
    samples = sampler(torch.zeros(1, 1, SIDE, SIDE), MASK.expand(1, 1, SIDE, SIDE), count=2000, seed=0)[0, :, 0]
    for lag in (1, 2, 3, 5):
        expected = np.exp(-(lag**2) / (4 * sigma**2)) if sigma else 0.0
        taper = np.hanning(23)[1:-1]
        window = taper[lag:] @ taper[:-lag] / (taper @ taper)
        pair = torch.stack([samples[:, 24, 22], samples[:, 24, 22 + lag]])
        assert torch.corrcoef(pair)[0, 1].item() == pytest.approx(expected * window, abs=0.08)
    assert samples[:, MASK].std().item() == pytest.approx(0.1, rel=0.05)


def test_correlated_samples_are_nearer_and_white_ones_of_the_same_spread_are_worse():
    taught, truths = 0.1 * smooth_noise(100, sigma=5), 0.1 * smooth_noise(100, seed=1, sigma=5)
    found = fit_residuals(zero, taught, MASK.expand_as(taught))
    white = HoleResiduals(
        found.side, found.stds, torch.zeros(2 * SIDE, 2 * SIDE).index_put((torch.tensor(0),) * 2, torch.tensor(1.0))
    )
    scores = []
    for residuals in (found, white):
        samples = ResidualGaussianSampler(zero, [residuals])(truths, MASK.expand_as(truths), count=20, seed=0)
        scores.append(
            np.mean([energy_score(own[:, 0, MASK], truth[0, MASK]) for own, truth in zip(samples, truths, strict=True)])
        )
    assert scores[0] < 0.99 * scores[1]


def test_padding_teaches_nothing():
    truth = 0.1 * torch.randn(50, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    valid = torch.ones_like(truth, dtype=torch.bool)
    valid[..., 22:] = False
    found = fit_residuals(zero, torch.where(valid, truth, -1.0), MASK.expand_as(truth), valid)
    # the deepest ring lies outside the field of view: that of all together
    assert found.stds.tolist() == pytest.approx([0.1] * 11, rel=0.12)
    with pytest.raises(ValueError, match="no hidden pixel lies inside the field of view"):
        fit_residuals(zero, truth, MASK.expand_as(truth), torch.zeros_like(valid))


def test_each_hole_takes_the_residuals_of_its_size_and_the_middle_is_the_inpainters():
    ones = torch.ones(2 * SIDE, 2 * SIDE)
    known = [HoleResiduals(side, torch.tensor([std]), ones) for side, std in ((21.0, 0.1), (9.0, 0.01))]
    masks = torch.stack([square_mask(side, shape=(SIDE, SIDE)) for side in (20, 11)])[:, None]
    half = ResidualGaussianSampler(lambda patches, masks, valid: torch.where(masks, 0.25, patches), known)
    samples = half(torch.zeros(2, 1, SIDE, SIDE), masks, count=1500, seed=1)[:, :, 0, 24, 24]
    assert samples.std(1).tolist() == pytest.approx([0.1, 0.01], rel=0.05)
    assert samples.mean(1).tolist() == pytest.approx([0.25, 0.25], abs=0.01)


def test_a_perfect_inpainter_gives_the_truth_again():
    patches = smooth_noise(3).tanh()
    masks = MASK.expand_as(patches)
    sampler = ResidualGaussianSampler(lambda patches, masks, valid: patches).fitted(patches, masks)
    samples = sampler(patches, masks, count=2, seed=0)
    torch.testing.assert_close(samples, patches[:, None].expand_as(samples), rtol=0, atol=1e-6)


def test_what_was_not_learnt_is_not_made_up():
    with pytest.raises(ValueError, match="no residuals were learnt: expected those of one size of hole at least"):
        ResidualGaussianSampler(zero)(torch.zeros(1, 1, SIDE, SIDE), MASK.expand(1, 1, SIDE, SIDE), count=1, seed=0)
