import numpy as np
import pytest

from monai_cardiac_gan.aorta import AortaTrack


def test_values_become_arrays_of_the_documented_shapes():
    track = AortaTrack([3, 4], [[1, 2], [3, 4]], [20, 21], [0.5, 1], 0.7)
    assert track.slices.dtype == np.int64
    assert track.centres_mm.shape == (2, 2)
    assert len(track) == 2


def test_the_empty_track_has_no_slices_and_no_confidence():
    track = AortaTrack.empty()
    assert (len(track), track.track_confidence) == (0, 0.0)
    assert track.centres_mm.shape == (0, 2)


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="lengths 2, 2, 1 and 2: give one entry of each per slice"):
        AortaTrack([3, 4], [[1, 2], [3, 4]], [20], [0.5, 1], 0.7)


@pytest.mark.parametrize(("each", "whole"), [(1.5, 0.5), (0.5, -0.1), (float("nan"), 0.5)])
def test_confidences_outside_zero_to_one_are_refused(each, whole):
    with pytest.raises(ValueError, match=r"confidences range from .* they must lie between 0 and 1"):
        AortaTrack([3], [[1, 2]], [20], [each], whole)
