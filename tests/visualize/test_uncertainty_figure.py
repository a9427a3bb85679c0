from dataclasses import replace

import numpy as np
import pytest
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
    assert panels[2].get_title().splitlines() == ["half of the 90 % interval", "(zoomed to the mask)"]
    low, high = panels[3].images[0].get_clim()
    assert low == -high  # white is no difference
    assert all(len(axes.patches) == 1 for axes in panels)  # the frame of the mask


def test_the_standard_deviation_is_shown_where_there_is_no_interval(result):
    panel = panels_of(figure_of_uncertainty(result[0]))[2]
    assert panel.get_title().startswith("standard deviation\n")
    shown = np.asarray(panel.images[0].get_array())
    np.testing.assert_allclose(shown, to_display(result.inpainted[0].std(0)[0].numpy()), rtol=1e-6)


def test_maps_are_zoomed_to_the_mask_and_their_colours_reach_as_far_as_what_is_there(result):
    patch = result[0]
    figure = figure_of_uncertainty(patch)
    acquired, expected, spread, difference = panels_of(figure)
    rows, columns = np.nonzero(to_display(patch.mask[0].numpy()))
    for axes in (spread, difference):
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        assert (left, right) == (max(-0.5, columns.min() - 8.5), min(31.5, columns.max() + 8.5))
        assert (low, high) == (max(-0.5, rows.min() - 8.5), min(31.5, rows.max() + 8.5))
    for axes in (acquired, expected):
        assert axes.get_xlim() == axes.get_ylim() == (-0.5, 31.5)
    assert spread.images[0].get_clim() == (0.0, pytest.approx(patch.std.max().item()))
    largest = (patch.acquired - patch.mean).abs().max().item()
    assert difference.images[0].get_clim() == (pytest.approx(-largest), pytest.approx(largest))
    bars = [axes.get_ylabel() for axes in figure.axes if axes not in (acquired, expected, spread, difference)]
    assert bars == ["patch value (range -1 to 1)"] * 2


def test_noise_of_equal_solutions_is_not_blown_up(result):
    patch = replace(result[0], solutions=result[0].acquired.expand(3, 1, 32, 32) + 1e-4)
    low, high = panels_of(figure_of_uncertainty(patch))[3].images[0].get_clim()
    assert (low, high) == (-0.02, 0.02)
