import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.stats import pearsonr, spearmanr

from monai_cardiac_gan.data import near_duplicates, volume_fingerprint
from monai_cardiac_gan.data.volume_identity import _of_scanned


def anatomy(seed):
    """Smooth structures of the size of organs."""
    source = np.random.default_rng(seed)
    volume = ndimage.gaussian_filter(source.normal(size=(60, 72, 54)), 5)
    return (volume - volume.min()) / np.ptp(volume)


CHANGES = {
    "rescaled": lambda v: 300 * np.sqrt(v) + 20,
    "shifted by half a voxel": lambda v: ndimage.shift(v, 0.5, order=1, mode="nearest"),
    "regridded": lambda v: ndimage.zoom(v, 1.25, order=1),
    "noisy": lambda v: v + np.random.default_rng(9).normal(0, 0.05, v.shape),
    "coil nearby": lambda v: v * np.linspace(0.95, 1.05, v.shape[1])[None, :, None],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_others(change):
    volumes = {f"other {seed}": anatomy(seed) for seed in range(1, 12)}
    volumes |= {"image": anatomy(0), "copy": CHANGES[change](anatomy(0))}
    found = near_duplicates({name: volume_fingerprint(volume) for name, volume in volumes.items()})
    assert [pair[:2] for pair in found] == [("image", "copy")]


def test_the_cosine_is_spearmans_correlation_of_block_means():
    one, other = anatomy(3), anatomy(4)
    means = [v.reshape(12, 5, 12, 6, -1)[..., :48].reshape(12, 5, 12, 6, 12, 4).mean((1, 3, 5)) for v in (one, other)]
    expected = spearmanr(means[0].ravel(), means[1].ravel()).statistic
    cosine = volume_fingerprint(one[..., :48])[0] @ volume_fingerprint(other[..., :48])[0]
    assert cosine == pytest.approx(expected, abs=1e-4)


@given(seed=st.integers(0, 2**16), power=st.floats(0.3, 3.0))
@settings(deadline=None, max_examples=15)
def test_no_growing_function_of_the_brightness_of_blocks_matters(seed, power):
    blocks = np.random.default_rng(seed).random((12, 12, 12))
    one, other = (volume_fingerprint(np.kron(b, np.ones((2, 3, 2))))[0] for b in (blocks, 5 * blocks**power + 1))
    assert one @ other == pytest.approx(1, abs=1e-4)


def test_pairs_come_in_the_order_of_the_names_whatever_the_rows_at_once(monkeypatch):
    prints = {str(place): volume_fingerprint(anatomy(place % 5)) for place in range(12)}
    whole = near_duplicates(prints)
    assert len(whole) == 3 + 3 + 1 + 1 + 1
    monkeypatch.setattr("monai_cardiac_gan.data.volume_identity.ROWS", 2)
    assert [pair[:2] for pair in near_duplicates(prints)] == [pair[:2] for pair in whole]
    assert near_duplicates({}) == []


def masked(volume, radius=0.7, value=0.0):
    """What lies outside an ellipsoid around the middle is black."""
    grid = np.ogrid[tuple(slice(-1, 1, size * 1j) for size in volume.shape)]
    return np.where(sum(axis**2 for axis in grid) < radius**2, volume, value)


def speckled(volume):
    """One voxel lies below the mask's value."""
    volume = masked(volume)
    volume[30, 36, 27] = -1
    return volume


MASKS = {
    "with one voxel below": speckled,
    "heart in a mask in padding": lambda v: masked(masked(v), 1.2, -1024.0),
    "of a bright value": lambda v: masked(v, value=4095.0),
    "inverted": lambda v: 2 - masked(v),
    "ellipsoid": masked,
    "small ellipsoid": lambda v: masked(v, 0.55),
    "of another value": lambda v: masked(v, value=-1024.0),
    "box": lambda v: np.pad(v[15:-15, 18:-18, 12:-12], ((15, 15), (18, 18), (12, 12))),
    "padded": lambda v: np.pad(v, ((40, 10), (0, 60), (5, 5))),
}


@pytest.mark.parametrize("mask", MASKS)
def test_what_was_masked_or_padded_alike_is_no_copy_but_a_copy_is(mask):
    volumes = {f"other {seed}": anatomy(seed) + 0.01 for seed in range(1, 12)}
    volumes |= {"image": anatomy(0) + 0.01, "copy": CHANGES["noisy"](anatomy(0)).clip(0) + 0.01}
    found = near_duplicates({name: volume_fingerprint(MASKS[mask](volume)) for name, volume in volumes.items()})
    assert [pair[:2] for pair in found] == [("image", "copy")]


def test_correlations_of_scanned_blocks_are_those_of_scipy():
    one, other = (volume_fingerprint(masked(anatomy(seed), radius))[1] for seed, radius in ((1, 0.9), (2, 0.7)))
    both = np.isfinite(one) & np.isfinite(other)
    expected = pearsonr(one[both], other[both]).statistic
    found, count = _of_scanned(one[None], other[None])
    assert found[0, 0] == pytest.approx(expected, abs=1e-6)
    assert count[0, 0] == both.sum()
    few = np.where(np.cumsum(both) <= 63, other, np.nan)
    assert _of_scanned(one[None], few[None])[0][0, 0] == -1


def test_volumes_of_one_value_are_like_none():
    found = {name: volume_fingerprint(np.full((20, 20, 20), value)) for name, value in (("a", 0.0), ("b", 7.0))}
    assert near_duplicates(found) == []


def test_what_is_no_volume_is_refused():
    with pytest.raises(ValueError, match=r"the volume has shape \(4, 4\): expected three axes"):
        volume_fingerprint(np.zeros((4, 4)))
