import numpy as np
import pytest

from monai_cardiac_gan.aorta.ends import Rims, below_the_arch, rims_of

AXES = np.arange(100.0)
DISTANCE = np.hypot(AXES[:, None] - 50, AXES[None] - 50)


def rims(*planes, radius=12.0, walled=False):
    volume = np.stack(planes, -1).astype(np.float32)
    count = volume.shape[-1]
    return rims_of(volume, np.ones(3), np.arange(count), np.full((count, 2), 50.0), np.full(count, radius), walled)


def test_the_rim_is_as_high_as_blood_above_what_lies_beyond():
    bright, dark = np.where(DISTANCE < 12, 900, 200), np.where(DISTANCE < 12, 900, 1000)
    assert rims(bright, dark).height == pytest.approx([700, -100], abs=1)
    assert rims(dark, walled=True).height == pytest.approx([100], abs=1)


def test_a_thin_dark_wall_between_two_bright_vessels_is_a_rim():
    assert rims(np.where(np.abs(DISTANCE - 14) < 1.5, 200, 900)).height == pytest.approx([700], abs=1)


def test_a_strip_as_wide_as_the_vessel_leaves_a_quarter_of_the_rays_open():
    """At 1.5 radii it spans the angle 2 asin(1 / 1.5), 0.23 of the circle; 5 of 24 rays lie well inside."""
    closed = DISTANCE < 12
    strip = closed | ((np.abs(AXES[:, None] - 50) < 12) & (AXES[None] > 50))
    branch = closed | ((np.abs(AXES[:, None] - 50) < 2) & (AXES[None] > 50))
    found = rims(*(np.where(inside, 900.0, 100.0) for inside in (closed, strip, branch)))
    assert found.open == pytest.approx([0, 5 / 24, 1 / 24])


def track(**parts):
    """Slices of 2 mm: open share and radius of stretches."""
    opened = np.concatenate([np.full(count, share) for count, share, _ in parts.values()])
    radii = np.concatenate([np.full(count, radius) for count, _, radius in parts.values()])
    return Rims(np.ones(len(opened)), opened), radii


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ({"trunk": (50, 0.0, 11), "arch": (6, 0.2, 12), "subclavian": (8, 0.0, 5)}, 50),
        ({"trunk": (50, 0.0, 11), "arch": (6, 0.2, 12)}, 50),
        ({"trunk": (50, 0.0, 11), "branch": (6, 0.08, 11)}, 56),
        ({"trunk": (50, 0.0, 11), "noise": (1, 0.2, 11), "more": (2, 0.0, 11)}, 53),
        ({"trunk": (50, 0.0, 11), "touched": (6, 0.2, 12), "more": (6, 0.0, 12)}, 62),
        ({"trunk": (20, 0.0, 11), "touched": (6, 0.2, 11), "more": (40, 0.0, 14.8)}, 66),
    ],
    ids=["artery beyond", "ends in it", "too narrow", "too low", "goes on", "far below the end"],
)
def test_the_track_is_kept_up_to_where_it_opens_for_good(parts, kept):
    found, radii = track(**parts)
    believed = below_the_arch(np.ones(len(radii), dtype=bool), found, radii, 2.0)
    assert np.flatnonzero(believed).tolist() == list(range(kept))


def test_nothing_stays_nothing():
    found, radii = track(trunk=(5, 0.2, 11))
    assert not below_the_arch(np.zeros(5, dtype=bool), found, radii, 2.0).any()
