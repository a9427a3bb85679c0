import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiac_gan.networks.nets.shapes import channels_at, resolutions_up_to


@pytest.mark.parametrize(
    ("size", "sides"),
    [
        (8, [4, 8]),
        (16, [4, 8, 16]),
        (32, [4, 8, 16, 32]),
        (64, [4, 8, 16, 32, 64]),
        (128, [4, 8, 16, 32, 64, 128]),
    ],
)
def test_sides_double_from_four_to_the_size(size, sides):
    assert resolutions_up_to(size) == sides


@pytest.mark.parametrize("size", [-8, 0, 4, 7, 12, 96, 100, 256])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=rf"size is {size}, expected one of \[8, 16, 32, 64, 128\]: choose the side"):
        resolutions_up_to(size)


def test_channels_of_the_default_widths():
    assert [channels_at(side, 16, 256) for side in resolutions_up_to(128)] == [256, 256, 128, 64, 32, 16]


@given(width=st.integers(1, 64), most=st.integers(1, 512))
@settings(deadline=None)
def test_channels_double_at_half_the_side_up_to_the_most(width, most):
    channels = [channels_at(side, width, most) for side in (128, 64, 32, 16, 8, 4)]
    assert channels[0] == min(width, most)
    assert channels[1:] == [min(2 ** (halvings + 1) * width, most) for halvings in range(5)]


@pytest.mark.parametrize(("width", "most"), [(0, 8), (8, 0), (-1, -1)])
def test_no_channels_are_refused(width, most):
    with pytest.raises(ValueError, match=f"width {width} and max_channels {most} must be at least 1: give positive"):
        channels_at(64, width, most)
