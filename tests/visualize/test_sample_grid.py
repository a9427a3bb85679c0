import numpy as np
import pytest
import torch

from monai_cardiac_gan.visualize import figure_of_sample_grid
from monai_cardiac_gan.visualize.display import to_display


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (4, 2, 2), (5, 3, 2)])
def test_the_first_image_is_at_the_upper_left_and_each_has_its_place(count, columns, rows):
    images = torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    (axes,) = figure_of_sample_grid(images, title="epoch 3").axes
    sheet = np.asarray(axes.get_images()[0].get_array())
    assert sheet.shape == (rows * 10 - 2, columns * 10 - 2)
    assert np.isnan(sheet[-8:, 8:10]).all()
    for place in range(count):
        top, left = len(sheet) - place // columns * 10, place % columns * 10
        np.testing.assert_array_equal(sheet[top - 8 : top, left : left + 8], to_display(images[place, 0].numpy()))
    assert axes.get_title() == "epoch 3"
    assert axes.get_images()[0].origin == "lower"
    assert axes.get_images()[0].get_clim() == (-1, 1)


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="there are no images: give at least one patch"):
        figure_of_sample_grid(torch.zeros(0, 1, 8, 8))
