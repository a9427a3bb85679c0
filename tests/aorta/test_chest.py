import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.aorta.chest import depth_in_chest
from monai_cardiac_gan.aorta.tubes import Tube

GRID_MM = np.array([1.5, 1.5, 3.0])


def tube_at(y, slices=10):
    return Tube(np.arange(slices), np.tile([60.0, y], (slices, 1)), np.full(slices, 10.0), np.full(slices, 0.9), 5.0)


def chest(back, front, brightness=100.0, air=0.0, slices=10):
    rows = np.arange(220) * GRID_MM[1]
    inside = (rows >= back) & (rows <= front)
    return np.broadcast_to(np.where(inside, brightness, air)[None, :, None], (80, 220, slices)).copy()


@given(back=st.floats(12, 70), thickness=st.floats(165, 240), share=st.floats(0.1, 0.9), gain=st.floats(1e-3, 1e4))
@settings(deadline=None, max_examples=30)
def test_the_depth_is_the_share_of_the_chest_behind_the_tube(back, thickness, share, gain):
    volume = gain * chest(back, back + thickness)
    found = depth_in_chest(volume, GRID_MM, tube_at(back + share * thickness))
    assert found == pytest.approx(share, abs=2 * 1.5 / thickness)  # the surfaces are known to a pixel


def test_faint_air_is_no_body_and_a_bright_lung_vessel_no_surface():
    volume = chest(30, 230, air=4.0)
    volume[:, 60:65] = 400.0
    assert depth_in_chest(volume, GRID_MM, tube_at(110.0)) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize(("back", "front"), [(0, 230), (60, 330), (8, 230), (0, 330), (60, 215)])
def test_a_field_of_view_that_cuts_the_chest_or_shows_too_little_of_it_tells_no_depth(back, front):
    assert depth_in_chest(chest(back, front), GRID_MM, tube_at(110.0)) is None


def test_most_slices_have_to_show_both_surfaces():
    volume = chest(30, 230)
    volume[:, :, :4] = 100.0
    assert depth_in_chest(volume, GRID_MM, tube_at(110.0)) == pytest.approx(0.4, abs=0.02)
    volume[:, :, :5] = 100.0
    assert depth_in_chest(volume, GRID_MM, tube_at(110.0)) is None


def test_an_empty_slice_tells_nothing():
    assert depth_in_chest(np.zeros((80, 220, 10)), GRID_MM, tube_at(110.0)) is None
