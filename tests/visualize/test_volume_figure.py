import numpy as np
import pytest
from matplotlib.patches import Circle

from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.visualize import figure_of_volume
from monai_cardiac_gan.visualize.display import to_display

SPACING = np.array([1.5, 1.0, 2.0])
TRACK = AortaTrack(
    np.arange(5, 15), np.stack([np.linspace(30, 39, 10), np.full(10, 20.0)], 1), np.full(10, 12.0), [0.9] * 10, 0.9
)


def volume() -> np.ndarray:
    """A slanting bright tube on noise, (40, 50, 20) voxels of 60 x 50 x 40 mm."""
    x, y, z = np.ogrid[:40, :50, :20]
    inside = np.hypot(x * SPACING[0] - (30 + z - 5), y * SPACING[1] - 20) < 6
    return inside * 100.0 + np.random.default_rng(0).uniform(0, 10, (40, 50, 20))


def figure(patches=()):
    return figure_of_volume(volume(), SPACING, TRACK, patches)


def test_views_follow_the_aorta_in_radiological_convention():
    coronal, sagittal = figure().axes[:2]
    for axes, axis, spacing in ((coronal, 0, 1.5), (sagittal, 1, 1.0)):
        assert axes.xaxis_inverted()
        assert not axes.yaxis_inverted()
        assert axes.get_aspect() in (1.0, "equal")
        line = axes.lines[0]
        np.testing.assert_allclose(line.get_xdata(), TRACK.centres_mm[:, axis])
        np.testing.assert_allclose(line.get_ydata(), TRACK.slices * 2.0)
        image = np.asarray(axes.get_images()[0].get_array())
        columns = np.rint(TRACK.centres_mm[:, axis] / spacing).astype(int)
        assert (image[TRACK.slices, columns] > 90).all()  # the line lies on the tube
        left, right, bottom, top = axes.get_images()[0].get_extent()
        assert (left, bottom, top) == (-spacing / 2, -1.0, 39.0)
        assert right == pytest.approx((59.25, 49.5)[axis])
    assert {text.get_text() for text in coronal.texts} == {"R", "L", "H", "F", "20 mm"}
    assert {text.get_text() for text in sagittal.texts} == {"A", "P", "H", "F", "20 mm"}


def test_letters_stand_at_their_edges():
    coronal, sagittal, axial = figure().axes[:3]
    for axes, left, right, top in ((coronal, "R", "L", "H"), (sagittal, "A", "P", "H"), (axial, "R", "L", "A")):
        places = {text.get_text(): text.get_position() for text in axes.texts[:4]}
        assert places[left][0] < 0.1
        assert places[right][0] > 0.9
        assert places[top][1] > 0.9


def test_the_band_is_as_wide_as_the_aorta():
    (band,) = figure().axes[0].collections
    corners = band.get_paths()[0].vertices
    at_first = corners[corners[:, 1] == 10.0, 0]
    assert (at_first.min(), at_first.max()) == (24.0, 36.0)


def test_slices_show_their_circle_in_millimetres():
    axial = figure().axes[2:]
    assert [axes.get_title() for axes in axial] == [
        f"slice {k} ({2 * k} mm)\ndiameter 12.0 mm" for k in (14, 12, 9, 7, 5)
    ]
    for axes, level in zip(axial, (14, 12, 9, 7, 5), strict=True):
        (circle,) = [patch for patch in axes.patches if isinstance(patch, Circle)]
        np.testing.assert_allclose(circle.center, TRACK.centres_mm[level - 5])
        assert circle.radius == 6.0
        np.testing.assert_array_equal(axes.get_images()[0].get_array(), volume()[:, :, level].T)
        assert axes.xaxis_inverted()


def test_patches_stand_below_the_uppermost_first():
    patches = [(k, np.random.default_rng(k).random((128, 128)).astype(np.float32)) for k in range(7)]
    below = figure(patches).axes[7:]
    assert [axes.get_title() for axes in below] == [f"patch, slice {k} ({2 * k} mm)" for k in (4, 3, 2, 1, 0)]
    np.testing.assert_array_equal(below[0].get_images()[0].get_array(), to_display(patches[4][1]))


def test_patches_of_a_grid_of_their_own_have_the_volumes_slices_and_their_height():
    patches = [(k, np.zeros((128, 128), np.float32)) for k in (9, 30)]
    below = figure_of_volume(volume(), [1.5, 1.0, 1.25], TRACK, patches, patch_slice_mm=1.0).axes[7:]
    assert [axes.get_title() for axes in below] == ["patch, slice 24 (30 mm)", "patch, slice 7 (9 mm)"]


def test_the_name_stands_above():
    named = figure_of_volume(volume(), SPACING, TRACK, name="la_003")
    assert named.get_suptitle() == "la_003"
    assert figure().get_suptitle() == ""


def test_an_empty_track_is_refused():
    with pytest.raises(ValueError, match="the track is empty: there is no aorta to draw"):
        figure_of_volume(volume(), SPACING, AortaTrack.empty())


def test_a_volume_with_a_channel_is_refused():
    with pytest.raises(ValueError, match=r"volume has shape \(1, 40, 50, 20\): expected \(X, Y, Z\)"):
        figure_of_volume(volume()[None], SPACING, TRACK)
