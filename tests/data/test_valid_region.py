import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from monai_cardiac_gan.data import valid_bounds, valid_region
from monai_cardiac_gan.keys import PatchColumn


@given(bounds=st.lists(st.integers(0, 8), min_size=4, max_size=4))
def test_the_region_is_the_rectangle(bounds):
    expected = np.zeros((8, 8), bool)
    expected[bounds[0] : bounds[1], bounds[2] : bounds[3]] = True
    np.testing.assert_array_equal(valid_region([bounds], 8)[0, 0].numpy(), expected)


@given(bounds=st.lists(st.integers(0, 8), min_size=4, max_size=4), reduced=st.sampled_from([1, 2, 4, 8]))
def test_a_block_counts_where_all_its_pixels_do(bounds, reduced):
    whole = valid_region([bounds], 8).float()
    mean = F.avg_pool2d(whole, 8 // reduced)
    assert torch.equal(valid_region([bounds], 8, reduced), mean == 1)


def test_the_bounds_are_read_from_what_is_known_of_a_patch():
    known = {
        PatchColumn.VALID_Y_STOP: 9.0,
        PatchColumn.VALID_X_START: 1,
        PatchColumn.VALID_X_STOP: 5,
        PatchColumn.VALID_Y_START: 2,
        "other": 3,
    }
    assert valid_bounds(known) == [1, 5, 2, 9]


def test_odd_bounds_and_sides_are_refused():
    with pytest.raises(ValueError, match=r"the bounds have shape \(3,\): expected four for each patch"):
        valid_region([1, 2, 3], 8)
    with pytest.raises(ValueError, match="the reduced side is 3: expected a divisor of the patches' side 8"):
        valid_region([[0, 8, 0, 8]], 8, 3)
