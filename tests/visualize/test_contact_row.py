import numpy as np
import pytest

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.visualize import contact_row

SHAPE, SPACING = (90, 120, 40), np.array([1.5, 1.25, 3.0])
AFFINE = np.array([[1.5, 0, 0, -60], [0, 1.25, 0, 20], [0, 0, 3.0, -100], [0, 0, 0, 1.0]])
CENTRE = np.array([45.0, 110.0])


@pytest.fixture(scope="module")
def volume():
    x, y = np.ogrid[:90, :120]
    disc = np.hypot(x * 1.5 - CENTRE[0], y * 1.25 - CENTRE[1]) < 10
    return (20 + 1000.0 * disc[..., None] * np.ones(40)).astype(np.float32)


@pytest.fixture(scope="module")
def row(volume):
    track = AortaTrack(np.arange(5, 35), [CENTRE] * 30, [20.0] * 30, [1.0] * 30, 1.0)
    return contact_row(volume, AFFINE, track)


def is_red(image):
    red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")).astype(int), -1, 0)
    return (red > 150) & (green < 110) & (blue < 110)


def test_every_pixel_of_a_tile_turns_into_the_place_that_it_shows(row):
    """The bright disc's middle, found in the picture, is the aorta's place in scanner millimetres."""
    grey = np.asarray(row.image.convert("L")).astype(float)
    levels = []
    for tile in row.tiles:
        part = grey[: tile.height, tile.left : tile.left + tile.width] > 128
        down, across = np.argwhere(part).mean(0)
        place = np.array(tile.origin) + across * np.array(tile.right) + down * np.array(tile.down)
        np.testing.assert_allclose(place[:2], CENTRE + AFFINE[:2, 3], atol=1.0)
        levels.append((place[2] + 100) / 3)
    np.testing.assert_allclose(levels, [34, 27, 20, 12, 5], atol=0.6)


def test_heights_in_the_views_along_the_body_are_the_scanner_s(row):
    """The drawn course ends where the track does: on the slices 5 and 34 of 3 mm above -100 mm."""
    for view in row.views:
        red = is_red(row.image)[:, view.left : view.left + view.width]
        rows = np.flatnonzero(red.any(1))[[0, -1]]
        np.testing.assert_allclose(view.origin[2] + rows * view.down[2], [-100 + 34 * 3, -100 + 5 * 3], atol=1.5)
        assert view.origin[2] + view.middle * view.down[2] == pytest.approx(-100 + 19.5 * 3, abs=0.1)


def test_on_oblique_slices_heights_are_those_of_the_aorta(volume):
    """Slices tilted by 20 degrees about the left-right axis, and a course that runs 58 mm to the back: a cut is put where the
    aorta is, not where its middle would be."""
    track = AortaTrack(
        np.arange(5, 35), np.stack([np.full(30, 45.0), np.linspace(80, 138, 30)], 1), [20.0] * 30, [1.0] * 30, 1.0
    )
    cosine, sine = np.cos(np.radians(20)), np.sin(np.radians(20))
    tilt = np.array([[1, 0, 0, 0], [0, cosine, -sine, 0], [0, sine, cosine, 0], [0, 0, 0, 1.0]])
    affine = tilt @ AFFINE
    index = np.column_stack([track.centres_mm / SPACING[:2], track.slices, np.ones(30)])
    places = index @ affine.T
    for view in contact_row(volume, affine, track).views:
        rows = (SHAPE[2] - 0.5 - track.slices) * view.height / SHAPE[2] - 0.5
        shown = np.array(view.origin) + rows[:, None] * np.array(view.down)
        np.testing.assert_allclose(shown, places[:, :3], atol=0.05)


def test_the_circle_lies_on_the_rim(row):
    tile = row.tiles[2]
    red = is_red(row.image)[:, tile.left : tile.left + tile.width]
    down, across = np.argwhere(red).T
    x = tile.origin[0] + across * tile.right[0] - AFFINE[0, 3]
    y = tile.origin[1] + down * tile.down[1] - AFFINE[1, 3]
    radii = np.hypot(x - CENTRE[0], y - CENTRE[1])
    assert len(radii) > 30
    np.testing.assert_allclose(radii, 10, atol=1.2)


def test_the_patient_s_right_is_on_the_left_and_the_front_on_top(row):
    tile = row.tiles[0]
    assert tile.right[0] < 0
    assert tile.down[1] < 0


def test_without_a_track_slices_of_the_whole_volume_are_shown_and_nothing_is_drawn(volume):
    row = contact_row(volume, AFFINE, AortaTrack.empty())
    assert [round((tile.origin[2] + 100) / 3) for tile in row.tiles] == [35, 27, 20, 12, 4]
    assert not is_red(row.image).any()


def test_only_volumes_are_shown():
    with pytest.raises(ValueError, match=r"the volume has shape \(4, 4\): expected \(X, Y, Z\)"):
        contact_row(np.zeros((4, 4)), np.eye(4), AortaTrack.empty())
