import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, zoom

from monai_cardiac_gan.phantom import WholeHeartPhantom
from monai_cardiac_gan.quality.label_like import LabelLikeness, label_likeness


@pytest.fixture(scope="module")
def phantom():
    return WholeHeartPhantom(shape=(90, 90, 60), spacing=(2.0, 2.0, 3.0))(0)


def test_a_cube_has_the_share_that_counting_gives():
    """Four voxels a side: 3 * 3 * 16 = 144 pairs; a voxel of another value in the middle spoils six of them."""
    labels = np.zeros((9, 9, 9))
    labels[2:6, 2:6, 2:6] = 7
    assert label_likeness(labels) == LabelLikeness(2, 1.0)
    labels[3, 3, 3] = 1
    assert label_likeness(labels) == LabelLikeness(3, 138 / 144)


@given(st.integers(-500, 500), st.sampled_from([-3.0, 0.5, 205.0]))
def test_names_of_labels_do_not_matter(shift, factor):
    labels = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).repeat(3, axis=2)
    assert label_likeness(labels * factor + shift) == label_likeness(labels)


def test_a_phantom_s_label_map_is_one_and_its_image_is_none(phantom):
    assert label_likeness(phantom.labels).is_label_map
    assert label_likeness(phantom.labels.astype(np.float32)).is_label_map
    assert label_likeness((phantom.labels == phantom.labels.max()).astype(np.uint8)).is_label_map
    assert not label_likeness(phantom.image).is_label_map


@pytest.mark.parametrize("values", [256, 64, 16])
def test_images_of_few_values_are_images(phantom, values):
    low, high = np.percentile(phantom.image, [0, 99.5])
    image = np.clip((phantom.image - low) / (high - low), 0, 1) * (values - 1)
    likeness = label_likeness(image.astype(np.uint8))
    assert likeness.values <= values
    assert not likeness.is_label_map


def test_masked_and_smooth_images_are_images():
    noise = np.random.default_rng(0).normal(size=(40, 40, 40))
    image = gaussian_filter(noise, 1.5)
    image = np.round(255 * (image - image.min()) / np.ptp(image)).astype(np.uint8)
    image[:15] = image[:, 30:] = 0
    assert not label_likeness(image).is_label_map


BLURRED = {
    "linear": lambda labels: zoom(labels, (0.7, 0.7, 1), order=1),
    "cubic": lambda labels: zoom(labels, (0.7, 0.7, 1), order=3),
    "finer": lambda labels: zoom(labels, 1.5, order=1),
    "smoothed": lambda labels: gaussian_filter(labels, 0.7),
}


@pytest.mark.parametrize("change", BLURRED)
def test_label_maps_that_were_resampled_or_smoothed_are_label_maps_and_such_images_are_none(phantom, change):
    likeness = label_likeness(BLURRED[change](phantom.labels.astype(np.float32)))
    assert likeness.values > 256
    assert likeness.is_label_map
    image = label_likeness(BLURRED[change](phantom.image.astype(np.float32)))
    assert image.values > 256
    assert image.equal_share < 0.2


def test_a_label_for_each_instance_is_a_label_map():
    """Of 512 cubes of five voxels a side, 4/5 of neighbours within a row of eight are of one cube: 8 * 4 / 39 pairs, less the
    lowest label and the corners'."""
    labels = np.arange(512).reshape(8, 8, 8).repeat(5, 0).repeat(5, 1).repeat(5, 2)
    likeness = label_likeness(labels)
    assert likeness.values == 512
    assert likeness.equal_share == pytest.approx(8 * 4 / 39, abs=0.01)
    assert likeness.is_label_map


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_an_image_masked_with_one_value_and_padded_with_another_is_an_image(phantom, dtype):
    image = phantom.image.copy()
    image[:25] = image[:, 60:] = 0
    image = np.pad(image, 10, constant_values=-1024).astype(dtype)
    assert label_likeness(image).equal_share < 0.2


def test_other_axes_are_refused():
    with pytest.raises(ValueError, match=r"the volume has shape \(3, 4\): expected three axes"):
        label_likeness(np.zeros((3, 4)))
