import numpy as np
import pytest
from scipy import ndimage, stats

from monai_cardiac_gan.phantom import PhantomLabel, WholeHeartPhantom
from monai_cardiac_gan.phantom.anatomy import draw_anatomy
from monai_cardiac_gan.phantom.contrast import rician
from monai_cardiac_gan.phantom.course import AORTA_MAXIMUM_MM, AORTA_MEAN_MM, AORTA_MINIMUM_MM, AORTA_STD_MM
from monai_cardiac_gan.phantom.view import EXTENT_MM_RANGES, SPACING_MM_RANGE, draw_view

SMALL = {"shape": (72, 96, 104), "spacing": (2.5, 2.5, 2.5)}
RAYLEIGH_MEAN_OVER_STD = np.sqrt(np.pi / (4 - np.pi))  # 1.913, whatever the noise


@pytest.fixture(scope="module")
def clean():
    """Nothing that blurs the contrast between tissues but the point spread."""
    return WholeHeartPhantom(**SMALL, noise=0.0, bias=0.0, ghosting=0.0)(seed=3)


def signal_of(volume, label):
    """Median away from the tissue's border, where voxels are mixed."""
    inside = ndimage.binary_erosion(volume.labels == label)
    return np.median(volume.image[inside if inside.any() else volume.labels == label])


def test_same_seed_gives_identical_bytes():
    first, second = (WholeHeartPhantom(**SMALL)(seed=11) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes()
    assert first.labels.tobytes() == second.labels.tobytes()
    np.testing.assert_array_equal(first.aorta.centres_mm, second.aorta.centres_mm)


def test_other_seed_gives_another_aorta():
    first, second = (WholeHeartPhantom(**SMALL)(seed) for seed in (0, 1))
    assert abs(first.aorta.diameters_mm.mean() - second.aorta.diameters_mm.mean()) > 0.1


def test_noise_and_contrast_leave_the_anatomy_of_a_seed_alone(clean):
    np.testing.assert_array_equal(WholeHeartPhantom(**SMALL, noise=0.05, bias=2.0)(seed=3).labels, clean.labels)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("seed", range(8))
def test_label_map_agrees_with_the_truth(seed):
    volume = WholeHeartPhantom(**SMALL)(seed)
    descending = volume.labels == PhantomLabel.DESCENDING_AORTA
    np.testing.assert_array_equal(np.flatnonzero(descending.any(axis=(0, 1))), volume.aorta.slices)
    half_voxel = volume.spacing[0] / 2
    for number, centre, diameter in zip(
        volume.aorta.slices, volume.aorta.centres_mm, volume.aorta.diameters_mm, strict=True
    ):
        section = descending[:, :, number]
        centroid = np.argwhere(section).mean(0) * volume.spacing[:2]
        area = section.sum() * volume.spacing[0] * volume.spacing[1]
        np.testing.assert_allclose(centroid, centre, atol=half_voxel)
        assert 2 * np.sqrt(area / np.pi) == pytest.approx(diameter, abs=half_voxel)


@pytest.mark.parametrize("seed", range(4))
def test_aorta_lies_left_of_the_spine_and_in_front_of_the_canal(seed):
    volume = WholeHeartPhantom(**SMALL)(seed)
    canal = volume.labels == PhantomLabel.SPINAL_CANAL
    level = volume.aorta.slices >= volume.labels.shape[2] // 2  # farther down it moves to the midline
    for number, (right, front) in zip(
        volume.aorta.slices[level], volume.aorta.centres_mm[level] / volume.spacing[:2], strict=True
    ):
        middle = np.argwhere(canal[:, :, number]).mean(0)
        assert right < middle[0], "RAS+: the patient's left has the lower index"
        assert front > middle[1]


@pytest.mark.parametrize("seed", range(3))
def test_arch_joins_the_descending_aorta(seed):
    labels = WholeHeartPhantom(**SMALL)(seed).labels
    aorta = (labels == PhantomLabel.ASCENDING_AORTA) | (labels == PhantomLabel.DESCENDING_AORTA)
    parts, _ = ndimage.label(aorta)
    sizes = np.bincount(parts.ravel())[1:]
    assert sizes.max() > 0.95 * sizes.sum()
    assert {PhantomLabel.ASCENDING_AORTA, PhantomLabel.DESCENDING_AORTA} <= set(labels[parts == 1 + sizes.argmax()])


@pytest.mark.parametrize("seed", [0, 5])
def test_every_tissue_is_shown(seed):
    labels = WholeHeartPhantom(shape=(96, 104, 104), spacing=(2.5, 2.5, 2.5))(seed).labels
    assert set(np.unique(labels)) == set(PhantomLabel)


def test_contrast_is_that_of_bright_blood(clean):
    blood = signal_of(clean, PhantomLabel.LEFT_VENTRICLE)
    muscle = signal_of(clean, PhantomLabel.MYOCARDIUM)
    assert 1.5 * muscle < blood < 4 * muscle
    assert 5 * signal_of(clean, PhantomLabel.LUNG) < muscle
    assert signal_of(clean, PhantomLabel.DESCENDING_AORTA) == pytest.approx(blood, rel=0.2)
    assert signal_of(clean, PhantomLabel.FAT) < 0.3 * blood


def test_empty_air_is_dark_without_noise(clean):
    air = ndimage.binary_erosion(clean.labels == PhantomLabel.BACKGROUND, iterations=6)
    assert air.any()
    assert np.all(clean.image[air] == 0)


def test_noise_in_air_follows_a_rayleigh_law():
    volume = WholeHeartPhantom(**SMALL, noise=0.03, ghosting=0.0)(seed=3)
    air = volume.image[ndimage.binary_erosion(volume.labels == PhantomLabel.BACKGROUND, iterations=6)]
    assert air.mean() / air.std() == pytest.approx(RAYLEIGH_MEAN_OVER_STD, rel=0.03)


def test_noise_on_bright_signal_has_the_stated_strength():
    image = np.ones((20, 60, 60), dtype=np.float32)
    rician(np.random.default_rng(0), image, noise=0.02)
    assert image.std() == pytest.approx(0.02, rel=0.05)
    assert image.mean() == pytest.approx(1 + 0.02**2 / 2, abs=5e-4)


def test_coil_falls_off_towards_head_and_feet():
    even, uneven = (WholeHeartPhantom(**SMALL, noise=0.0, bias=bias, ghosting=0.0)(seed=3) for bias in (0.0, 1.0))
    scans = [volume.image.astype(float).mean(axis=(0, 1)) for volume in (even, uneven)]
    left_over = scans[1] / scans[0]
    assert left_over[0] < 0.9 * left_over[len(left_over) // 2] > left_over[-1]


def test_drawn_diameters_follow_the_stated_law():
    rng = np.random.default_rng(0)
    anatomies = [draw_anatomy(rng) for _ in range(2000)]
    diameters = np.array([anatomy.aorta.diameter_mm * anatomy.scale for anatomy in anatomies])
    assert diameters.min() >= AORTA_MINIMUM_MM - 1e-9
    assert diameters.max() <= AORTA_MAXIMUM_MM + 1e-9
    assert stats.kstest(diameters, stats.norm(AORTA_MEAN_MM, AORTA_STD_MM).cdf).pvalue > 0.05


@pytest.mark.parametrize("diameter", [16.0, 24.0, 38.0])
def test_a_given_diameter_is_that_of_the_four_chamber_level(diameter):
    track = WholeHeartPhantom(**SMALL, aorta_diameter_mm=diameter)(seed=2).aorta
    assert track.diameters_mm.min() < diameter < track.diameters_mm.max()
    assert np.all(np.diff(track.diameters_mm) > 0), "tapers downwards"
    assert track.track_confidence == 1
    assert set(track.confidence) == {1.0}


def test_drawn_views_stay_in_the_stated_ranges():
    rng = np.random.default_rng(1)
    for _ in range(300):
        view = draw_view(rng, scale=1.0)
        step = view.spacing_mm[0]
        assert SPACING_MM_RANGE[0] <= step <= SPACING_MM_RANGE[1] * 1.001
        for count, (low, high) in zip(view.shape, EXTENT_MM_RANGES, strict=True):
            assert low - step < count * step < high + step


@pytest.mark.parametrize("seed", range(3))
def test_aorta_is_inside_the_smallest_view(seed):
    volume = WholeHeartPhantom(shape=(50, 72, 72), spacing=(2.5, 2.5, 2.5), aorta_diameter_mm=38.0)(seed)
    radius = volume.aorta.diameters_mm[:, None] / 2
    assert np.all(volume.aorta.centres_mm - radius > 0)
    assert np.all(volume.aorta.centres_mm + radius < 2.5 * np.array([49, 71]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (64, 64)}, r"shape is \(64, 64\): give three whole numbers"),
        ({"shape": (64, 64, 0)}, r"shape is \(64, 64, 0\): give three whole numbers"),
        ({"spacing": (1.0, -1.0, 1.0)}, r"spacing is \(1.0, -1.0, 1.0\): give three lengths above 0"),
        ({"noise": -0.1}, "noise is -0.1: give a finite strength"),
        ({"bias": float("nan")}, "bias is nan: give a finite strength"),
        ({"ghosting": float("inf")}, "ghosting is inf: give a finite strength"),
        ({"aorta_diameter_mm": 50.0}, "aorta_diameter_mm is 50.0: give 16.0 to 38.0 mm"),
        ({"dilation": 0.2}, r"dilation is 0.2: give a factor of 0.5 to 2.5"),
        ({"dilation": float("nan")}, r"dilation is nan: give a factor"),
        ({"dilation": 1.5, "dilation_length_mm": 0.0}, r"dilation_length_mm is 0.0: give a length above 0"),
        ({"dilation": 1.5, "dilation_at": 1.2}, r"dilation_at is 1.2: give a share"),
    ],
)
def test_odd_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        WholeHeartPhantom(**arguments)


def test_a_view_that_cannot_hold_the_aorta_is_refused():
    with pytest.raises(ValueError, match=r"shape \(30, 30, 30\) at spacing .* covers .* the aorta needs at least"):
        WholeHeartPhantom(shape=(30, 30, 30), spacing=(2.0, 2.0, 2.0))(seed=0)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed is -1: give an integer of at least 0"):
        WholeHeartPhantom(**SMALL)(seed=-1)


def volume_bytes(volume):
    track = volume.aorta
    return [each.tobytes() for each in (volume.image, volume.labels, track.centres_mm, track.diameters_mm)]


def test_without_dilation_a_seed_gives_what_it_gave_before():
    plain, unit = (WholeHeartPhantom(**SMALL, **more)(seed=11) for more in ({}, {"dilation": 1.0, "dilation_at": 0.2}))
    assert volume_bytes(plain) == volume_bytes(unit)


@pytest.mark.parametrize(("factor", "share"), [(1.5, 0.5), (2.0, 0.3), (0.6, 0.6)])
def test_a_dilated_stretch_has_the_stated_factor_place_and_length(factor, share):
    plain = WholeHeartPhantom(**SMALL)(seed=3).aorta
    wide = WholeHeartPhantom(**SMALL, dilation=factor, dilation_at=share, dilation_length_mm=40.0)(seed=3).aorta
    np.testing.assert_array_equal(wide.slices, plain.slices)
    factors = wide.diameters_mm / plain.diameters_mm
    step_mm = SMALL["spacing"][2]
    below_top_mm = (plain.slices.max() - plain.slices) * step_mm
    middle = np.abs(factors - 1).argmax()
    # the top of the visible length lies inside the highest slice of the track
    assert below_top_mm[middle] == pytest.approx(share * below_top_mm.max(), abs=1.5 * step_mm)
    assert factors[middle] == pytest.approx(factor, rel=0.01)
    assert np.count_nonzero(np.abs(factors - 1) > abs(factor - 1) / 2) * step_mm == pytest.approx(40, abs=1.5 * step_mm)
    assert np.abs(factors - 1)[np.abs(below_top_mm - below_top_mm[middle]) > 60].max() < 0.01


def test_labels_follow_the_dilated_stretch_and_the_rest_stays(clean):
    wide = WholeHeartPhantom(**SMALL, noise=0.0, bias=0.0, ghosting=0.0, dilation=1.6, dilation_at=0.5)(seed=3)
    descending = wide.labels == PhantomLabel.DESCENDING_AORTA
    area = descending.sum((0, 1))[wide.aorta.slices] * 2.5**2
    np.testing.assert_allclose(2 * np.sqrt(area / np.pi), wide.aorta.diameters_mm, atol=1.25)
    place = np.stack(np.meshgrid(*(2.5 * np.arange(size) for size in wide.labels.shape[:2]), indexing="ij"), -1)
    changed = wide.labels != clean.labels
    assert changed.any()
    for number, centre, diameter in zip(wide.aorta.slices, wide.aorta.centres_mm, wide.aorta.diameters_mm, strict=True):
        beyond = np.linalg.norm(place - centre, axis=-1) > diameter / 2 + 30  # the heart gives way to the vessel
        assert not (changed[:, :, number] & beyond).any()


def test_the_place_of_a_dilation_is_drawn_by_the_seed():
    def middle(seed):
        plain, wide = (WholeHeartPhantom(**SMALL, dilation=factor)(seed).aorta for factor in (None, 1.5))
        factors = wide.diameters_mm / plain.diameters_mm
        return (len(factors) - 1 - factors.argmax()) / (len(factors) - 1)

    shares = [middle(seed) for seed in range(4)]
    assert 0.28 < min(shares) < max(shares) < 0.72
    assert np.ptp(shares) > 0.05
    assert shares[0] == middle(0)
