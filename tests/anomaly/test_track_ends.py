import numpy as np
import pytest

from monai_cardiac_gan.anomaly import reasons_not_to_compare
from monai_cardiac_gan.aorta import AortaTrack, Lumen


def vessel(diameters, confidence=None):
    """A track with one slice every 2 mm, from the lower end up, and its lumens."""
    diameters = np.asarray(diameters, dtype=float)
    count = len(diameters)
    track = AortaTrack(
        np.arange(count), np.zeros((count, 2)), diameters, np.ones(count) if confidence is None else confidence, 1.0
    )
    lumens = [Lumen(np.zeros((48, 2)), np.pi * d**2 / 4, d, d, np.zeros(2), 0.0, 1.0) for d in diameters]
    return track, lumens


def reasons(diameters, confidence=None, is_arch_seen=False):
    return reasons_not_to_compare(*vessel(diameters, confidence), 2.0, is_arch_seen)


def test_a_vessel_that_tapers_as_aortas_do_is_compared_everywhere():
    assert reasons(np.linspace(17, 25, 100)) == [None] * 100


def test_the_slices_next_to_the_arch_are_left_out():
    found = reasons(np.full(100, 22.0), is_arch_seen=True)
    assert found[:95] == [None] * 95
    assert all("less than 10 mm below the aortic arch" in reason for reason in found[95:])


def test_a_lower_end_that_narrows_fast_is_left_out_with_all_below():
    diameters = np.full(100, 22.0)
    diameters[:8] = [19, 14, 15, 20, 16, 17, 17.5, 18.5]
    found = reasons(diameters)
    assert all("the lower end of the track, where it narrows" in reason for reason in found[:7])
    assert found[7:] == [None] * 93


def test_what_is_narrow_in_the_middle_or_wide_anywhere_is_compared():
    diameters = np.full(100, 22.0)
    diameters[50:58] = 12.0
    diameters[70:85] = 45.0
    diameters[:10] = 40.0
    assert reasons(diameters) == [None] * 100


def test_slices_that_are_hard_to_see_say_so():
    confidence = np.ones(40)
    confidence[10] = 0.42
    found = reasons(np.full(40, 22.0), confidence)
    assert found[10] == "the vessel is hard to see (confidence 0.42)"
    assert [row for row, reason in enumerate(found) if reason] == [10]


def test_without_a_lumen_a_slice_is_not_compared():
    track, lumens = vessel(np.full(40, 22.0))
    lumens[3] = None
    assert reasons_not_to_compare(track, lumens, 2.0, False)[3] == "the lumen's rim is not seen"
    assert reasons_not_to_compare(track, [None] * 40, 2.0, False) == ["the lumen's rim is not seen"] * 40
    assert reasons_not_to_compare(AortaTrack.empty(), [], 2.0, True) == []


def test_one_lumen_for_each_slice_is_expected():
    track, lumens = vessel(np.full(40, 22.0))
    with pytest.raises(ValueError, match=r"39 lumens for 40 slices 2.0 mm apart: expected one for each"):
        reasons_not_to_compare(track, lumens[1:], 2.0, False)
    with pytest.raises(ValueError, match=r"40 lumens for 40 slices 0.0 mm apart: .* a positive distance"):
        reasons_not_to_compare(track, lumens, 0.0, False)
