import numpy as np
import torch

from monai_cardiac_gan.visualize import figure_of_uncertainty, to_display


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_title()]


def test_the_four_panels_show_what_they_say(result):
    patch = result[1]
    half_width = torch.rand(1, 32, 32, generator=torch.Generator().manual_seed(0))
    panels = panels_of(figure_of_uncertainty(patch, half_width, "half of the 90 % interval"))
    images = [np.asarray(axes.images[0].get_array()) for axes in panels]
    mean = result.inpainted[1].mean(0)
    expected = (result.patches[1], mean, half_width, result.patches[1] - mean)
    for image, values in zip(images, expected, strict=True):
        np.testing.assert_allclose(image, to_display(values[0].numpy()), rtol=1e-6)
    assert panels[2].get_title() == "half of the 90 % interval"
    low, high = panels[3].images[0].get_clim()
    assert low == -high  # white is no difference
    assert all(len(axes.patches) == 1 for axes in panels)  # the frame of the mask


def test_the_standard_deviation_is_shown_where_there_is_no_interval(result):
    panel = panels_of(figure_of_uncertainty(result[0]))[2]
    assert panel.get_title() == "standard deviation"
    shown = np.asarray(panel.images[0].get_array())
    np.testing.assert_allclose(shown, to_display(result.inpainted[0].std(0)[0].numpy()), rtol=1e-6)
