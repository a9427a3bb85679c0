import numpy as np
import pytest

from monai_cardiac_gan.aorta import track_from_labels


def discs(*centres_and_radii, shape=(80, 90, 12), spacing=(1.2, 0.9, 2.0)):
    x, y = np.arange(shape[0]) * spacing[0], np.arange(shape[1]) * spacing[1]
    plane = np.zeros(shape[:2], dtype=bool)
    for cx, cy, radius in centres_and_radii:
        plane |= np.hypot(x[:, None] - cx, y[None] - cy) < radius
    return np.repeat(plane[..., None], shape[2], -1)


def test_centre_and_area_equivalent_diameter_are_those_of_the_labelled_disc():
    track = track_from_labels(discs((40, 35, 12)), (1.2, 0.9, 2.0))
    assert track.slices.tolist() == list(range(12))
    np.testing.assert_allclose(track.centres_mm, [[40, 35]] * 12, atol=0.2)
    np.testing.assert_allclose(track.diameters_mm, 24, atol=0.3)
    assert track.confidence.min() > 0.9


def test_of_a_map_of_the_whole_aorta_the_rear_part_is_taken():
    track = track_from_labels(discs((50, 60, 14), (38, 20, 11)), (1.2, 0.9, 2.0))
    np.testing.assert_allclose(track.centres_mm.mean(0), [38, 20], atol=0.3)


def test_an_empty_map_has_no_track():
    assert len(track_from_labels(np.zeros((9, 9, 9), dtype=bool), (1, 1, 1))) == 0


def test_a_map_of_two_axes_is_refused():
    with pytest.raises(ValueError, match=r"shape \(9, 9\): expected three axes"):
        track_from_labels(np.zeros((9, 9), dtype=bool), (1, 1, 1))
