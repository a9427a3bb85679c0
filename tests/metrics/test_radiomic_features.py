import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from monai_cardiac_gan.metrics import frechet_distance, radiomic_distance, radiomic_features

MEAN, SD, SKEWNESS, KURTOSIS, ENTROPY = range(5)
CONTRAST, HOMOGENEITY, CORRELATION, ENERGY = (slice(start, start + 2) for start in (10, 12, 14, 16))
PATTERNS, GRADIENT = slice(18, 27), slice(27, 29)
WHOLE, CENTRE = slice(0, 29), slice(29, 58)


def noise(count, side=32, seed=0):
    return 2 * torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1


def test_first_order_statistics_are_those_of_scipy():
    image = noise(1)
    values = image.numpy().ravel()
    row = radiomic_features(image)[0].numpy()
    assert row[MEAN] == pytest.approx(values.mean())
    assert row[SD] == pytest.approx(values.std())
    assert row[SKEWNESS] == pytest.approx(stats.skew(values))
    assert row[KURTOSIS] == pytest.approx(stats.kurtosis(values))
    counts, _ = np.histogram(values, bins=32, range=(-1, 1))
    assert row[ENTROPY] == pytest.approx(stats.entropy(counts, base=2))
    assert row[5:10] == pytest.approx(np.percentile(values, [5, 25, 50, 75, 95]))


def test_co_occurrence_of_stripes_in_closed_form():
    """Columns of two grey levels in turn: along them all pairs are equal, across and at one pixel all differ."""
    image = torch.where(torch.arange(64) % 2 == 0, -0.97, -0.9).expand(1, 1, 64, 64)  # levels 0 and 1
    row = radiomic_features(image)[0].numpy()
    # at one pixel three of four directions differ by one level; at four pixels, and at three along both axes, depends on parity
    assert row[CONTRAST][0] == pytest.approx(3 / 4)
    assert row[HOMOGENEITY][0] == pytest.approx((1 + 3 * 0.5) / 4)
    assert row[CORRELATION][0] == pytest.approx((1 - 3) / 4, abs=1e-3)
    assert row[ENERGY][0] == pytest.approx(np.sqrt(0.5), abs=1e-3)
    assert row[ENTROPY] == pytest.approx(1.0)


def test_an_image_without_contrast_has_finite_features():
    row = radiomic_features(torch.full((1, 1, 32, 32), 0.3))[0]
    assert torch.isfinite(row).all()
    assert row[[SD, SKEWNESS, KURTOSIS, ENTROPY]].tolist() == [0.0] * 4
    assert row[GRADIENT].tolist() == [0.0, 0.0]


def test_the_central_region_does_not_see_the_border_and_the_whole_does():
    image = noise(1, side=128)
    changed = image.clone()
    changed[..., :30, :] = 1.0
    before, after = (radiomic_features(each)[0] for each in (image, changed))
    assert torch.equal(before[CENTRE], after[CENTRE])
    assert abs(before[WHOLE][MEAN] - after[WHOLE][MEAN]) > 0.1


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100), turns=st.integers(1, 3))
def test_patterns_and_first_order_do_not_know_turns(seed, turns):
    image = noise(1, seed=seed)
    first, second = (radiomic_features(each)[0] for each in (image, image.rot90(turns, (2, 3))))
    torch.testing.assert_close(first[:10], second[:10])
    torch.testing.assert_close(first[10:14], second[10:14], rtol=0.05, atol=1e-3)  # diagonal pairs fall on other pixels
    assert first[PATTERNS].sum() <= 1


def test_the_distance_is_that_of_features_standardised_by_the_real_ones():
    generated, real = 0.8 * noise(30, seed=1), noise(40)
    features = [radiomic_features(each).numpy() for each in (generated, real)]
    spread = features[1].std(0, ddof=1)
    standard = [(each - features[1].mean(0)) / np.where(spread > 0, spread, 1) for each in features]
    expected = frechet_distance(*map(torch.from_numpy, standard))
    assert radiomic_distance(generated, real)["frechet_radiomic"] == pytest.approx(expected, rel=1e-9)


def test_blur_and_noise_are_farther_than_another_sample():
    smooth = torch.nn.functional.interpolate(noise(80, side=16), 64, mode="bicubic").clamp(-1, 1)
    real, other = smooth[:40], smooth[40:]
    blurred = torch.nn.functional.avg_pool2d(other, 5, 1, 2)
    noisy = (other + 0.2 * noise(40, side=64)).clamp(-1, 1)
    found = [radiomic_distance(each, real)["frechet_radiomic"] for each in (other, blurred, noisy)]
    assert found[0] < found[1]
    assert found[0] < found[2]


def test_what_is_no_image_is_refused():
    with pytest.raises(ValueError, match=r"images are \[2, 3, 32, 32\], expected \(N, 1, H, W\)"):
        radiomic_features(torch.zeros(2, 3, 32, 32))
