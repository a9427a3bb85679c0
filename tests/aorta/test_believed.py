import numpy as np
import pytest

from monai_cardiac_gan.aorta.believed import believed_slices


def rows_of(confidence, radii=None, centres=None, slice_mm=2.0):
    confidence = np.asarray(confidence, dtype=float)
    centres = np.full((len(confidence), 2), 50.0) if centres is None else centres
    radii = np.full(len(confidence), 11.0) if radii is None else np.asarray(radii, dtype=float)
    return np.flatnonzero(believed_slices(confidence, centres, radii, slice_mm)).tolist()


def stretch(*parts):
    return np.concatenate([np.full(count, value) for count, value in parts])


def test_without_a_strong_slice_nothing_is_believed():
    assert rows_of(stretch((30, 0.59))) == []


@pytest.mark.parametrize(("gap", "joined"), [(3, True), (14, True), (16, False)])
def test_a_vessel_goes_on_over_a_gap_of_thirty_millimetres(gap, joined):
    found = rows_of(stretch((20, 0.9), (gap, 0.0), (30, 0.9)))
    upper = list(range(20 + gap, 50 + gap))
    assert found == (list(range(20)) + upper if joined else upper)


@pytest.mark.parametrize(("width", "joined"), [(11.0, True), (15.0, True), (17.0, False), (7.0, False)])
def test_another_width_beyond_a_gap_is_another_vessel(width, joined):
    found = rows_of(stretch((30, 0.9), (8, 0.0), (20, 0.9)), stretch((34, 11.0), (24, width)))
    assert found == list(range(30)) + (list(range(38, 58)) if joined else [])


def test_a_gap_of_seven_millimetres_asks_for_no_width():
    assert len(rows_of(stretch((30, 0.9), (3, 0.0), (20, 0.9)), stretch((31, 11.0), (22, 20.0)))) == 50


def test_weak_slices_between_strong_ones_are_believed_where_they_lie_on_the_course():
    confidence = stretch((10, 0.9), (4, 0.4), (10, 0.9))
    centres = np.full((24, 2), 50.0)
    centres[11, 0] += 2.6
    radii = np.full(24, 11.0)
    radii[12] *= 1.2
    assert sorted(set(range(24)) - set(rows_of(confidence, radii, centres))) == [11, 12]
    assert sorted(set(range(24)) - set(rows_of(stretch((10, 0.9), (4, 0.3), (10, 0.9))))) == [10, 11, 12, 13]


def test_the_ends_must_reach_seven_tenths_of_the_median():
    confidence = np.r_[0.61, 0.66, 0.72, stretch((20, 1.0)), 0.69, 0.75, 0.65]
    assert rows_of(confidence) == list(range(2, 25))
    assert rows_of(stretch((5, 0.62), (20, 0.85))) == list(range(25))  # 0.7 of 0.85 is less than a strong slice has
