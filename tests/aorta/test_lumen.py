import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.aorta import AortaTrack, localise_aorta, measure_lumen, measure_lumens
from monai_cardiac_gan.phantom import WholeHeartPhantom


def drawn(first, second, angle=0.0, centre=(32.0, 32.0), side=64, finer=5):
    """An ellipse of these half axes, pixels partly filled at its rim."""
    places = (np.arange(side * finer) + 0.5) / finer - 0.5
    x, y = places[:, None] - centre[0], places[None] - centre[1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    inside = (along / first) ** 2 + (across / second) ** 2 < 1
    return inside.reshape(side, finer, side, finer).mean((1, 3))


@given(
    x=st.floats(31, 33), y=st.floats(31, 33), diameter=st.floats(16, 36), off=st.floats(-0.6, 0.6), dr=st.floats(-1, 1)
)
@settings(deadline=None, max_examples=30)
def test_a_circle_has_its_own_diameter_from_a_rough_start(x, y, diameter, off, dr):
    lumen = measure_lumen(drawn(diameter / 2, diameter / 2, 0, (x, y)), 1.0, (x + off, y - off), diameter + dr)
    assert lumen.inscribed_mm == pytest.approx(diameter, abs=0.35)
    assert lumen.area_equivalent_mm == pytest.approx(diameter, abs=0.2)
    assert lumen.area_mm2 == pytest.approx(np.pi / 4 * lumen.area_equivalent_mm**2)
    np.testing.assert_allclose(lumen.inscribed_centre_mm, [x, y], atol=0.4)
    assert lumen.eccentricity < 0.3
    assert lumen.support > 0.95


@given(angle=st.floats(0, np.pi), noise=st.floats(0, 0.06), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_an_ellipse_of_28_by_22_mm_has_the_measures_of_its_closed_forms(angle, noise, seed):
    patch = drawn(14, 11, angle) + np.random.default_rng(seed).normal(0, noise, (64, 64))
    lumen = measure_lumen(patch, 1.0, (32.3, 31.8), 25.0)
    assert lumen.inscribed_mm == pytest.approx(22, abs=0.4)
    assert lumen.area_equivalent_mm == pytest.approx(np.sqrt(28 * 22), abs=0.3)
    assert lumen.eccentricity == pytest.approx(np.sqrt(1 - (22 / 28) ** 2), abs=0.05)


@given(degrees=st.floats(0, 45), radius=st.floats(8, 13))
@settings(deadline=None, max_examples=30)
def test_a_tube_that_leans_has_its_true_diameter_inscribed(degrees, radius):
    lean = np.tan(np.deg2rad(degrees))
    lumen = measure_lumen(drawn(radius * np.hypot(1, lean), radius, 0.3), 1.0, (32.0, 32.0), 2.2 * radius)
    assert lumen.inscribed_mm == pytest.approx(2 * radius, abs=0.5)
    assert lumen.area_mm2 == pytest.approx(np.pi * radius**2 / np.cos(np.deg2rad(degrees)), rel=0.03)


@given(scale=st.floats(0.5, 2), shift=st.integers(-6, 6), gain=st.floats(0.1, 1000), offset=st.floats(0, 10))
@settings(deadline=None, max_examples=20)
def test_voxels_of_another_size_place_and_brightness_change_nothing_else(scale, shift, gain, offset):
    image = np.repeat(drawn(12, 10, 0.5, side=80, centre=(40.0, 40.0))[..., None], 2, -1)
    moved = gain * (np.roll(image, (shift, -shift), (0, 1)) + offset)
    track = AortaTrack([1], [[39.7, 40.2]], [21.5], [1.0], 1.0)
    there = AortaTrack([1], [[39.7 + shift, 40.2 - shift]], [21.5], [1.0], 1.0)
    (one,) = measure_lumens(image, (1, 1, 1), track)
    (other,) = measure_lumens(moved, (1, 1, 1), there)
    np.testing.assert_allclose(other.contour_mm, one.contour_mm + np.array([shift, -shift]), atol=1e-2)
    (wide,) = measure_lumens(
        np.repeat(drawn(12 / scale, 10 / scale, 0.5, side=120, centre=(60.0, 60.0))[..., None], 2, -1),
        (scale, scale, 3.0),
        AortaTrack([1], [[60 * scale, 60 * scale]], [21.5], [1.0], 1.0),
    )
    assert wide.area_equivalent_mm == pytest.approx(one.area_equivalent_mm, abs=0.3)


def test_a_neighbour_as_bright_as_the_vessel_does_not_pull_the_contour_out():
    patch = np.maximum(drawn(12, 12), (np.arange(64)[None] > 41) * 1.0)  # touches over 40 degrees
    lumen = measure_lumen(patch, 1.0, (32.0, 31.5), 23.0)
    assert lumen.area_equivalent_mm == pytest.approx(24, abs=0.6)
    assert lumen.inscribed_mm == pytest.approx(24, abs=1.2)
    assert 0.6 < lumen.support < 0.95


@given(radius=st.floats(9, 14), wall=st.floats(2, 4))
@settings(deadline=None, max_examples=15)
def test_in_a_bright_wall_the_contour_is_the_lumen_s(radius, wall):
    patch = 0.2 + (wall - 0.2) * drawn(radius + 2.5, radius + 2.5) + (1 - wall) * drawn(radius, radius)
    lumen = measure_lumen(100 * patch, 1.0, (32.5, 31.5), 2 * radius + 1)
    assert lumen.area_equivalent_mm == pytest.approx(2 * radius, abs=1.0)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["la_004", "la_018"])
def test_in_acquired_volumes_the_area_is_that_of_the_circle_and_neighbouring_slices_agree(real_hearts, name):
    image = nibabel.as_closest_canonical(nibabel.load(real_hearts / "images" / f"{name}.nii.gz"))
    volume = np.asarray(image.dataobj, dtype=np.float32)
    track = localise_aorta(volume, image.header.get_zooms()[:3])
    lumens = measure_lumens(volume, image.header.get_zooms()[:3], track)
    inscribed, same_area = np.array([[lumen.inscribed_mm, lumen.area_equivalent_mm] for lumen in lumens]).T
    assert np.quantile(np.abs(same_area - track.diameters_mm), 0.95) < 0.9
    assert np.all(inscribed < same_area + 0.05)
    assert np.quantile(np.abs(np.diff(inscribed)), 0.95) < 1.0


@pytest.mark.parametrize("seed", [0, 3])
def test_phantoms_with_noise_and_neighbours_have_their_true_diameter(seed):
    phantom = WholeHeartPhantom()(seed)
    track = phantom.aorta.select(np.arange(len(phantom.aorta)) % 4 == 0)
    lumens = measure_lumens(phantom.image.astype(np.float32), phantom.spacing, track)
    found = np.array([[lumen.inscribed_mm, lumen.area_equivalent_mm] for lumen in lumens])
    error = found - track.diameters_mm[:, None]
    assert np.all(np.abs(np.median(error, 0)) < [0.7, 0.3])
    assert np.quantile(np.abs(error[:, 1]), 0.95) < 1.0


def test_where_no_rim_is_seen_there_is_no_lumen():
    assert measure_lumen(np.ones((64, 64)), 1.0, (32.0, 32.0), 24.0) is None
    corner = np.where(np.arange(64)[:, None] + np.arange(64)[None] < 50, 1.0, 0.0)
    assert measure_lumen(corner, 1.0, (32.0, 32.0), 24.0) is None


def test_a_track_without_slices_has_no_lumens():
    assert measure_lumens(np.ones((8, 8, 8)), (1, 1, 1), AortaTrack.empty()) == []


@pytest.mark.parametrize(
    ("patch", "pixel_mm", "diameter", "message"),
    [
        (
            np.ones((2, 64, 64)),
            1.0,
            20.0,
            r"has shape \(2, 64, 64\) and 0 values that are not finite: expected \(H, W\)",
        ),
        (np.full((64, 64), np.nan), 1.0, 20.0, "4096 values that are not finite"),
        (np.ones((64, 64)), 0.0, 20.0, "pixel 0.0 mm, diameter 20.0 mm: expected positive lengths"),
        (np.ones((64, 64)), 1.0, -2.0, "diameter -2.0 mm: expected positive"),
    ],
)
def test_what_is_no_picture_of_a_lumen_is_refused(patch, pixel_mm, diameter, message):
    with pytest.raises(ValueError, match=message):
        measure_lumen(patch, pixel_mm, (32.0, 32.0), diameter)
