import nibabel
import numpy as np
import pytest

from monai_cardiac_gan.anomaly import find_landmarks
from monai_cardiac_gan.aorta import AortaTrack, localise_aorta

SPACING = (1.5, 1.5, 2.0)
TOP, DIAPHRAGM = 110, 50
"""Slices: the arch begins above the first, the lung ends at the second; 120 mm between them."""


def thorax(lung=60.0, organ=700.0, arch=True, noise=0.0):
    """A vessel of 24 mm with lung on its left down to the diaphragm, and an arch that opens to the front."""
    x, y, z = np.ogrid[:90, :90, :130]
    left = x * SPACING[0] < 60 - 14
    volume = np.where(left & (z >= DIAPHRAGM), lung, np.where(left, organ, 300.0)) + 0.0 * y
    volume[-10:] = 20.0  # air, from which brightness counts
    vessel = (np.hypot(x * SPACING[0] - 60, y * SPACING[1] - 60) < 12) & (z <= TOP + 8)
    if arch:
        vessel |= (np.abs(x * SPACING[0] - 60) < 9) & (y * SPACING[1] > 60) & (z > TOP) & (z <= TOP + 8)
    volume = np.where(vessel, 1000.0, volume)
    return volume + np.random.default_rng(0).normal(0, noise, volume.shape)


def straight(first=5, last=TOP):
    slices = np.arange(first, last + 1)
    count = len(slices)
    return AortaTrack(slices, np.full((count, 2), 60.0), np.full(count, 24.0), np.ones(count), 1.0)


@pytest.mark.parametrize("noise", [0.0, 80.0])
def test_arch_and_diaphragm_are_found_where_they_were_drawn(noise):
    landmarks = find_landmarks(thorax(noise=noise), SPACING, straight())
    assert landmarks.is_arch_seen
    assert landmarks.diaphragm_mm == pytest.approx((TOP - DIAPHRAGM) * SPACING[2], abs=4.0)


def test_a_track_that_ends_below_the_arch_does_not_see_it():
    landmarks = find_landmarks(thorax(), SPACING, straight(last=TOP - 20))
    assert not landmarks.is_arch_seen
    assert landmarks.diaphragm_mm == pytest.approx((TOP - 20 - DIAPHRAGM) * SPACING[2], abs=4.0)
    assert not find_landmarks(thorax(), SPACING, straight(last=TOP - 5)).is_arch_seen  # 10 mm, as a person may cut it
    assert not find_landmarks(thorax(arch=False), SPACING, straight()).is_arch_seen
    assert not find_landmarks(thorax()[:, :, : TOP + 1], SPACING, straight()).is_arch_seen


@pytest.mark.parametrize(
    ("lung", "organ"),
    [
        pytest.param(60.0, 200.0, id="dark organs"),
        pytest.param(400.0, 700.0, id="no lung"),
        pytest.param(700.0, 60.0, id="upside down"),
        pytest.param(60.0, 60.0, id="lung all the way"),
    ],
)
def test_where_the_lung_s_end_is_not_clear_there_is_no_diaphragm(lung, organ):
    assert find_landmarks(thorax(lung, organ), SPACING, straight()).diaphragm_mm is None


def test_a_window_outside_the_field_of_view_tells_nothing():
    cut, track = thorax()[30:], straight()
    beside = AortaTrack(track.slices, track.centres_mm - [45.0, 0.0], track.diameters_mm, track.confidence, 1.0)
    assert find_landmarks(cut, SPACING, beside).diaphragm_mm is None


def test_what_lies_too_near_or_too_far_is_no_diaphragm():
    volume = thorax()
    assert find_landmarks(volume, SPACING, straight(last=DIAPHRAGM + 20)).diaphragm_mm is None
    assert find_landmarks(volume, SPACING, straight(first=DIAPHRAGM - 3)).diaphragm_mm is None


def test_brightness_has_no_unit():
    one, other = (find_landmarks(gain * thorax() + offset, SPACING, straight()) for gain, offset in ((1, 0), (0.01, 0)))
    assert one == other


def test_a_track_without_slices_has_no_landmarks():
    landmarks = find_landmarks(thorax(), SPACING, AortaTrack.empty())
    assert not landmarks.is_arch_seen
    assert landmarks.diaphragm_mm is None


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "seen_mm"), [("la_003", 107), ("la_017", 122), ("la_029", 124)], ids=["usual", "vessels in lung", "wide"]
)
def test_in_acquired_volumes_the_diaphragm_lies_where_the_coronal_view_shows_it(real_hearts, name, seen_mm):
    image = nibabel.as_closest_canonical(nibabel.load(real_hearts / "images" / f"{name}.nii.gz"))
    volume, spacing = np.asarray(image.dataobj, dtype=np.float32), image.header.get_zooms()[:3]
    landmarks = find_landmarks(volume, spacing, localise_aorta(volume, spacing))
    assert landmarks.is_arch_seen
    assert landmarks.diaphragm_mm == pytest.approx(seen_mm, abs=8.0)
