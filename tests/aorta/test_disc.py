import dataclasses

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from monai_cardiac_gan.aorta import localise_aorta
from monai_cardiac_gan.aorta.disc import SMALLEST_SCORE, measure_disc

OVERSAMPLING = 8


def drawn(centre, diameter, dark=0.0, bright=1.0, side=128):
    """A disc whose rim pixels hold the share that the disc covers."""
    places = (np.arange(side * OVERSAMPLING) + 0.5) / OVERSAMPLING - 0.5
    fine = np.hypot(places[:, None] - centre[0], places[None] - centre[1]) < diameter / 2
    return dark + (bright - dark) * fine.reshape(side, OVERSAMPLING, side, OVERSAMPLING).mean((1, 3))


@given(
    row=st.floats(-9, 9), column=st.floats(-9, 9), diameter=st.floats(13, 42),
    contrast=st.floats(0.05, 2000), level=st.floats(-1, 100),
)  # fmt: skip
@settings(deadline=None, max_examples=40)
def test_drawn_discs_are_measured(row, column, diameter, contrast, level):
    centre = np.array([63.5 + row, 63.5 + column])
    disc = measure_disc(drawn(centre, diameter, level, level + contrast))
    assert np.abs(disc.centre - centre).max() < 0.3
    assert disc.diameter_mm == pytest.approx(diameter, abs=0.5)
    assert disc.perimeter_mm == pytest.approx(np.pi * disc.diameter_mm)
    assert disc.area_mm2 == pytest.approx(np.pi * disc.diameter_mm**2 / 4)
    assert 0.9 < disc.score <= 1


@given(pixel=st.floats(0.7, 1.6), diameter=st.floats(16, 34))
@settings(deadline=None, max_examples=15)
def test_lengths_are_millimetres_and_positions_pixels(pixel, diameter):
    disc = measure_disc(drawn((60.0, 66.5), diameter / pixel), pixel)
    assert np.abs(disc.centre - [60.0, 66.5]).max() < 0.3
    assert disc.diameter_mm == pytest.approx(diameter, abs=0.5)


@pytest.mark.parametrize(("contrast_to_noise", "centre_error", "diameter_error"), [(10, 0.3, 0.5), (4, 0.5, 0.8)])
def test_noise_moves_it_little(contrast_to_noise, centre_error, diameter_error):
    noise = np.random.default_rng(0).normal(size=(10, 128, 128)) / contrast_to_noise
    for layer in noise:
        disc = measure_disc(drawn((65.2, 61.7), 23.0) + layer)
        assert np.abs(disc.centre - [65.2, 61.7]).max() < centre_error
        assert disc.diameter_mm == pytest.approx(23.0, abs=diameter_error)


def test_nothing_is_found_where_nothing_is():
    assert measure_disc(np.full((128, 128), -1.0)) is None
    assert measure_disc(np.add.outer(np.arange(128.0), np.zeros(128))) is None
    source = np.random.default_rng(1)
    for _ in range(20):
        noise = source.normal(size=(128, 128))
        assert measure_disc(noise) is None
        assert measure_disc(ndimage.gaussian_filter(noise, 1.0)) is None


def test_a_dark_disc_is_no_aorta():
    assert measure_disc(drawn((63.5, 63.5), 24.0, dark=1.0, bright=0.0)) is None


def test_only_discs_within_reach_of_the_prior_count():
    patch = drawn((40.0, 40.0), 20.0) + drawn((85.0, 80.0), 26.0)
    assert measure_disc(patch) is None
    near = measure_disc(patch, centre=(38, 43))
    far = measure_disc(patch, centre=np.array([88, 80]))
    assert (round(near.diameter_mm), round(far.diameter_mm)) == (20, 26)
    assert measure_disc(patch, centre=(46, 40), reach_mm=5.0) is None


def test_result_is_frozen():
    disc = measure_disc(drawn((63.5, 63.5), 20.0))
    with pytest.raises(dataclasses.FrozenInstanceError):
        disc.score = SMALLEST_SCORE


@pytest.mark.parametrize(
    ("patch", "arguments", "message"),
    [
        (np.zeros((1, 128, 128)), {}, r"patch has shape \(1, 128, 128\): expected \(H, W\)"),
        (np.zeros((128, 15)), {}, "at least 16 x 16 pixels"),
        (np.full((20, 20), np.nan), {}, "400 pixels are NaN or infinite"),
        (np.zeros((20, 20)), {"pixel_mm": 0.0}, "pixel 0.0 mm.*expected positive lengths"),
        (np.zeros((20, 20)), {"reach_mm": -1.0}, "reach -1.0 mm"),
        (np.zeros((20, 20)), {"diameters_mm": (45, 12)}, "the smaller diameter first"),
        (np.zeros((20, 20)), {"centre": (3, 20)}, r"prior is \[3.0, 20.0\]: expected row and column inside the patch"),
        (np.zeros((20, 20)), {"centre": (3,)}, "expected row and column"),
    ],
)
def test_inputs_that_make_no_sense_are_refused(patch, arguments, message):
    with pytest.raises(ValueError, match=message):
        measure_disc(patch, **arguments)


@pytest.mark.realdata
def test_agrees_with_the_track_of_a_real_volume(real_hearts):
    image = nibabel.as_closest_canonical(nibabel.load(real_hearts / "images" / "la_003.nii.gz"))
    spacing = np.array(image.header.get_zooms()[:3], dtype=float)
    volume = ndimage.zoom(np.asarray(image.dataobj, dtype=np.float32), (spacing[0] / spacing[1], 1, 1), order=1)
    track = localise_aorta(volume, spacing[[1, 1, 2]])
    errors = []
    for row in range(20, len(track) - 20, 10):  # the ends are faint or run into the arch
        centre = track.centres_mm[row] / spacing[1]
        disc = measure_disc(volume[:, :, track.slices[row]], spacing[1], centre)
        errors.append([*(disc.centre - centre) * spacing[1], disc.diameter_mm - track.diameters_mm[row]])
    assert np.abs(errors).max(0) == pytest.approx(0, abs=1.5)
