import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.aorta import localise_aorta
from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.phantom import WholeHeartPhantom
from monai_cardiac_gan.transforms import LoadVolume

SHAPE, SPACING = (90, 90, 40), (1.3, 1.3, 2.5)


def curved(z):
    return np.stack([55 + 0.08 * z, 60 + 6 * np.sin(z / 40)])


@pytest.fixture(scope="module")
def volume(tube):
    return tube(SHAPE, SPACING, curved, 24.0)


def test_the_centre_line_of_a_curved_tube_is_found_on_every_slice(volume):
    track = localise_aorta(volume, SPACING)
    truth = curved(track.slices * SPACING[2]).T
    assert len(track) >= SHAPE[2] - 2
    assert np.abs(track.centres_mm - truth).max() < 0.5
    assert np.abs(track.diameters_mm - 24).max() < 0.5
    assert track.confidence.min() > 0.9


@given(gain=st.floats(1e-3, 1e4), offset=st.floats(-5e3, 1e3))
@settings(deadline=None, max_examples=5)
def test_intensity_scale_does_not_matter(volume, gain, offset):
    expected = localise_aorta(volume, SPACING)
    track = localise_aorta(gain * (volume + offset), SPACING)
    np.testing.assert_array_equal(track.slices, expected.slices)
    np.testing.assert_allclose(track.centres_mm, expected.centres_mm, atol=0.05)


@pytest.mark.parametrize("value", [-1024.0, -32768.0])
@pytest.mark.parametrize("place", [np.s_[:2, :2, :2], np.s_[:, :8]])
def test_padding_does_not_matter(volume, value, place):
    black, padded = volume.copy(), volume.astype(np.float32)
    black[place], padded[place] = 0, value
    expected, found = (localise_aorta(each, SPACING) for each in (black, padded))
    np.testing.assert_array_equal(found.slices, expected.slices)
    np.testing.assert_allclose(found.centres_mm, expected.centres_mm, atol=0.1)
    assert found.track_confidence == pytest.approx(expected.track_confidence, abs=0.02)


def test_shifting_the_volume_shifts_the_track(volume):
    shift = np.array([7, 4, 0])
    moved = localise_aorta(np.roll(volume, shift, (0, 1, 2)), SPACING)
    expected = localise_aorta(volume, SPACING)
    difference = moved.centres_mm.mean(0) - expected.centres_mm.mean(0)
    np.testing.assert_allclose(difference, shift[:2] * SPACING[:2], atol=0.2)


def test_a_seed_settles_which_of_two_equal_tubes_is_taken(tube):
    left, right = (tube(SHAPE, SPACING, lambda z, x=x: np.stack([x + 0 * z, 60 + 0 * z]), 22.0) for x in (30, 85))
    both = np.maximum(left, right)
    for x in (30.0, 85.0):
        track = localise_aorta(both, SPACING, seed=(x + 4, 58.0, 50.0))
        np.testing.assert_allclose(track.centres_mm.mean(0), [x, 60], atol=0.3)


def test_grey_blood_in_a_bright_wall_is_found_beside_a_bright_canal(tube):
    """As late enhancement shows it: the canal is the brightest straight tube, behind the aorta and to its right."""
    outer, inner = (tube(SHAPE, SPACING, curved, diameter) for diameter in (28.0, 23.0))
    canal = tube(SHAPE, SPACING, lambda z: np.stack([82 + 0 * z, 30 + 0 * z]), 14.0)
    low, high = inner.min(), inner.max()
    vessel, blood, spine = ((volume - low) / (high - low) for volume in (outer, inner, canal))
    track = localise_aorta(100 + 800 * np.maximum(vessel - 0.6 * blood, spine), SPACING)
    assert len(track) >= SHAPE[2] - 4
    assert np.abs(track.centres_mm - curved(track.slices * SPACING[2]).T).max() < 0.5
    assert np.abs(track.diameters_mm - 23).max() < 1.5
    assert track.track_confidence > 0.5


@pytest.mark.parametrize(("depth", "belief"), [(0.25, 0.1 + 0.9 * 3 / 11), (0.42, 1.0), (0.6, 0.1 + 0.9 * 2 / 12)])
def test_a_lone_tube_is_believed_by_its_depth_in_the_chest(tube, depth, belief):
    """A chest of 200 mm between air and air, and in it nothing but one tube."""
    shape = (80, 190, 44)
    vessel = tube(shape, SPACING, lambda z: np.stack([50 + 0 * z, 20 + 200 * depth + 0 * z]), 22.0)
    rows = np.arange(shape[1]) * SPACING[1]
    inside = np.broadcast_to(((rows >= 20) & (rows <= 220))[None, :, None], shape)
    track = localise_aorta(np.where(inside, vessel, 0.01 * vessel), SPACING)
    length = min(1.0, len(track) * SPACING[2] / 100)
    assert track.track_confidence == pytest.approx(
        belief * length * track.confidence.mean(), abs=0.06
    )  # surfaces: a pixel
    assert length > 0.9


def test_noise_has_no_aorta():
    noise = np.random.default_rng(0).normal(100, 20, SHAPE)
    assert localise_aorta(noise, SPACING).track_confidence < 0.25


def test_slices_beyond_the_vessel_are_not_believed(tube):
    volume = tube(SHAPE, SPACING, curved, 24.0)
    volume[:, :, 25:] = np.random.default_rng(1).normal(100, 15, (*SHAPE[:2], 15))
    track = localise_aorta(volume, SPACING)
    assert set(range(1, 23)) <= set(track.slices.tolist()) <= set(range(27))


@pytest.mark.parametrize("seed", [3, 11])
def test_the_phantoms_aorta_is_found_where_the_truth_is(seed):
    phantom = WholeHeartPhantom()(seed)
    track = localise_aorta(phantom.image, phantom.spacing)
    _, rows, true_rows = np.intersect1d(track.slices, phantom.aorta.slices, return_indices=True)
    assert len(rows) >= 0.98 * len(phantom.aorta)
    errors = np.linalg.norm(track.centres_mm[rows] - phantom.aorta.centres_mm[true_rows], axis=1)
    assert np.median(errors) < 1.0
    assert np.percentile(errors, 95) < 3.0
    assert np.abs(track.diameters_mm[rows] - phantom.aorta.diameters_mm[true_rows]).mean() < 1.5


def test_a_vessel_that_is_hidden_for_two_centimetres_goes_on_beyond(tube):
    """Its rim is lost in something as bright as itself; both parts are one vessel, and what lies between them is left out."""
    shape = (90, 90, 60)
    volume = tube(shape, SPACING, curved, 24.0)
    rows = np.arange(shape[0])[:, None, None] * SPACING[0]
    volume[:, :, 26:34] = np.where(np.abs(rows - 56) < 35, volume.max(), volume[:, :, 26:34])
    track = localise_aorta(volume, SPACING)
    assert track.slices[0] <= 2
    assert track.slices[-1] >= 57
    assert not set(range(27, 33)) & set(track.slices.tolist())
    assert np.abs(track.centres_mm - curved(track.slices * SPACING[2]).T).max() < 1


def test_the_track_ends_below_the_arch(tube):
    """A tube that runs into a strip as wide as itself, above which two narrow vessels go on."""
    shape = (90, 90, 60)
    volume = tube(shape, SPACING, curved, 24.0)
    centres = curved(np.arange(60) * SPACING[2]).T
    rows, columns = (np.arange(shape[0]) * SPACING[0])[:, None], (np.arange(shape[1]) * SPACING[1])[None]
    low, high = volume.min(), volume.max()
    for level in range(42, 60):
        x, y = centres[level]
        narrow = np.hypot(rows - x, columns - y) < 7
        strip = (np.abs(rows - x) < 12) & (columns > y) | (np.hypot(rows - x, columns - y) < 12)
        volume[:, :, level] = np.where(strip if level < 50 else narrow, high, low)
    track = localise_aorta(volume, SPACING)
    assert 39 <= track.slices[-1] <= 42
    assert track.slices[0] <= 1


@pytest.mark.parametrize(
    ("beside", "message"),
    [(30.0, "no vessel lies at the seed: .*give a point inside the descending"), (24.5, "no vessel lies at the seed")],
)
def test_a_seed_beside_every_vessel_is_refused(tube, beside, message):
    volume = tube(SHAPE, SPACING, lambda z: np.stack([40 + 0 * z, 60 + 0 * z]), 24.0)
    volume += np.random.default_rng(0).normal(0, 0.02 * volume.max(), SHAPE)
    with pytest.raises(ValueError, match=message):
        localise_aorta(volume, SPACING, seed=(40 + beside, 60.0, 50.0))
    assert localise_aorta(volume, SPACING, seed=(50.0, 60.0, 50.0)).track_confidence > 0.9  # at the rim


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("subject", "lowest", "highest"),
    [("la_007", 10, 199), ("la_017", 20, 199), ("la_021", 19, 189), ("la_029", 0, 189)],
)
def test_real_tracks_end_below_the_arch_and_where_the_rim_fades(real_hearts, subject, lowest, highest):
    """Bounds: the next slices on which a reader saw the arch, or no aorta (tests/data/aorta_reference.csv)."""
    (record,) = [r for r in read_datalist(real_hearts / "images") if r["subject"] == subject]
    image = LoadVolume()(record["image"])
    track = localise_aorta(image[0].numpy(), image.pixdim.numpy())
    assert lowest <= track.slices[0] <= lowest + 10
    assert highest - 12 <= track.slices[-1] <= highest
    assert track.diameters_mm[-1] > 0.8 * np.median(track.diameters_mm)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("subject", "level", "centre"),
    [("la_003", 128, (92, 112)), ("la_009", 128, (38, 117)), ("la_029", 128, (71, 118))],
)
def test_the_aorta_of_real_volumes_is_where_a_person_sees_it(real_hearts, subject, level, centre):
    """Centres were set by eye on enlarged axial slices, to within about 2 mm."""
    (record,) = [r for r in read_datalist(real_hearts / "images") if r["subject"] == subject]
    image = LoadVolume()(record["image"])
    track = localise_aorta(image[0].numpy(), image.pixdim.numpy())
    (row,) = np.flatnonzero(track.slices == level)
    assert np.linalg.norm(track.centres_mm[row] - centre) < 3


@pytest.mark.parametrize(
    ("volume", "spacing", "seed", "message"),
    [
        (np.zeros((4, 4)), (1, 1, 1), None, r"shape \(4, 4\): expected three axes"),
        (np.zeros((0, 4, 4)), (1, 1, 1), None, r"no voxels: check how it was cropped"),
        (np.full((4, 4, 4), np.nan), (1, 1, 1), None, "64 of 64 voxels are NaN or infinite: replace or mask"),
        (np.full((4, 4, 4), 7.0), (1, 1, 1), None, "every voxel has the value 7: an image with contrast"),
        (np.eye(4)[..., None] * np.ones(4), (1, 0, 1), None, "expected three positive voxel sizes"),
        (np.eye(4)[..., None] * np.ones(4), (1, 1), None, "expected three positive voxel sizes"),
        (np.eye(4)[..., None] * np.ones(4), (1, 1, 1), (1, 2), "expected three coordinates in mm"),
        (np.eye(4)[..., None] * np.ones(4), (1, 1, 1), (1, 2, 3.5), "lies outside the volume.*voxels or in scanner"),
        (np.eye(4)[..., None] * np.ones(4), (1, 1, 1), (-1, 2, 3), "lies outside the volume"),
    ],
)
def test_unusable_input_is_refused(volume, spacing, seed, message):
    with pytest.raises(ValueError, match=message):
        localise_aorta(volume, spacing, seed)
