import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(
    spacing=st.floats(0.5, 4.0),
    new=st.floats(0.5, 4.0),
    first=st.integers(0, 20),
    count=st.integers(1, 40),
    slope=st.floats(-2, 2),
)
def test_a_straight_course_stays_straight_on_other_slices(spacing, new, first, count, slope):
    slices = np.arange(first, first + count)
    heights = slices * spacing
    track = AortaTrack(slices, np.stack([50 + slope * heights, 30 - heights], 1), 20 + heights, [0.5] * count, 0.7)
    other = track.on_slices(spacing, new)
    reached = np.clip(other.slices * new, heights[0], heights[-1])
    np.testing.assert_allclose(other.centres_mm, np.stack([50 + slope * reached, 30 - reached], 1), atol=1e-6)
    np.testing.assert_allclose(other.diameters_mm, 20 + reached, atol=1e-6)
    assert other.track_confidence == 0.7
    inside = np.arange(int(np.ceil(heights[0] / new)), int(np.floor(heights[-1] / new)) + 1)
    assert set(inside) <= set(other.slices.tolist())
    assert (np.abs(other.slices * new - reached) <= spacing / 2 + 1e-5).all()


def test_slices_that_a_track_passes_over_stay_missing():
    track = AortaTrack([0, 1, 6, 7], [[0.0, 0.0]] * 4, [20.0] * 4, [1.0] * 4, 1.0)
    assert track.on_slices(2.0, 1.0).slices.tolist() == [0, 1, 2, 3, 11, 12, 13, 14, 15]
    assert len(AortaTrack.empty().on_slices(1.0, 2.0)) == 0
    assert track.on_slices(1.5, 1.5) is track
    with pytest.raises(ValueError, match="the slices lie 0 and 1 mm apart: expected positive distances"):
        track.on_slices(0, 1)


def test_selected_entries_keep_their_values_and_the_track_its_confidence():
    track = AortaTrack([4, 5, 7], [[1, 2], [3, 4], [5, 6]], [20, 21, 22], [0.7, 0.8, 0.9], 0.6)
    part = track.select(np.array([False, True, True]))
    assert (part.slices.tolist(), part.centres_mm.tolist()) == ([5, 7], [[3, 4], [5, 6]])
    assert (part.diameters_mm.tolist(), part.confidence.tolist(), part.track_confidence) == ([21, 22], [0.8, 0.9], 0.6)
