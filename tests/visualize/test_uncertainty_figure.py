import numpy as np
import torch

from monai_cardiac_gan.inferers import disc_mask
from monai_cardiac_gan.visualize import figure_of_uncertainty, to_display


def test_the_four_panels_show_what_they_say():
    source = torch.Generator().manual_seed(0)
    patch, mean, width = (torch.rand(1, 32, 32, generator=source) for _ in range(3))
    mask = disc_mask((12.0, 18.0), 8.0, 2.0, (32, 32))[None]
    figure = figure_of_uncertainty(patch, mean, width, mask, "half of the 90 % interval")
    panels = [axes for axes in figure.axes if axes.get_title()]
    shown = [np.asarray(axes.images[0].get_array()) for axes in panels]
    for image, expected in zip(shown, (patch, mean, width, patch - mean), strict=True):
        np.testing.assert_allclose(image, to_display(expected[0].numpy()), rtol=1e-6)
    assert panels[2].get_title() == "half of the 90 % interval"
    low, high = panels[3].images[0].get_clim()
    assert low == -high  # white is no difference
    assert all(len(axes.collections) == 1 for axes in panels)  # the rim of a mask that is no rectangle
