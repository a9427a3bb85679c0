import numpy as np
import pytest
import torch

from monai_cardiac_gan.visualize.display import as_array, tiled, to_display, to_display_point


def test_the_patients_left_comes_to_the_right_and_the_front_to_the_top():
    patch = np.arange(6.0).reshape(3, 2)  # (right, front)
    shown = to_display(patch)
    assert shown.shape == (2, 3)
    assert shown[0, 0] == patch[2, 0]  # lower left: right, back
    assert shown[1, 2] == patch[0, 1]  # upper right: left, front
    np.testing.assert_array_equal(shown, np.flip(patch, 0).T)
    np.testing.assert_array_equal(to_display(np.stack([patch, patch]))[1], shown)


def test_points_move_with_the_pixels():
    patch = np.zeros((5, 7))
    patch[1, 4] = 1.0
    column, row = to_display_point((1, 4), 5)
    assert to_display(patch)[int(row), int(column)] == 1.0


def test_sheets_start_at_the_upper_left():
    sheet = tiled(np.stack([np.full((2, 3), number) for number in range(5)]), columns=3, gap=1)
    assert sheet.shape == (5, 11)
    assert [sheet[3, 0], sheet[3, 4], sheet[3, 8], sheet[0, 0], sheet[0, 4]] == [0, 1, 2, 3, 4]
    assert np.isnan(sheet[2]).all()
    assert np.isnan(sheet[0, 8:]).all()


@pytest.mark.parametrize(
    ("shape", "expected"), [((4, 5), (4, 5)), ((1, 4, 5), (4, 5)), ((3, 1, 4, 5), (3, 4, 5)), ((1, 1, 4, 5), (4, 5))]
)
def test_tensors_become_images(shape, expected):
    assert as_array(torch.zeros(shape, requires_grad=True)).shape == expected


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"image has shape \(2, 3, 4, 5\): expected \(H, W\)"):
        as_array(np.zeros((2, 3, 4, 5)))
