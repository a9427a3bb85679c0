import numpy as np
import pytest
import torch

from monai_cardiac_gan.visualize import figure_of_nearest, figure_of_spectra


def test_a_pattern_peaks_at_its_frequency():
    noise = 0.1 * torch.randn(6, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    grid = torch.cos(2 * torch.pi * 16 / 64 * torch.arange(64)).expand(6, 1, 64, 64)
    axes = figure_of_spectra({"real": noise, "patterned": noise + grid}).axes[0]
    reference, line = axes.lines
    assert [each.get_label() for each in axes.lines] == ["real (n = 6)", "patterned (n = 6)"]
    excess = line.get_ydata() - reference.get_ydata()
    assert line.get_xdata()[excess.argmax()] == pytest.approx(16 / 64)


def test_spectra_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no set of patches: give at least one"):
        figure_of_spectra({})


def test_each_generated_patch_stands_above_its_nearest_one():
    fakes, nearest = np.zeros((3, 8, 8), np.float32), np.zeros((3, 8, 8), np.float32)
    fakes[1], nearest[2] = 1.0, -1.0
    above, below = (axes.images[0].get_array() for axes in figure_of_nearest(fakes, nearest).axes)
    assert above.shape == below.shape == (8, 24)
    assert above[:, 8:16].min() == 1
    assert below[:, 16:].max() == -1


def test_sets_of_unequal_size_are_refused():
    with pytest.raises(ValueError, match=r"shapes \(3, 8, 8\) and \(2, 8, 8\): give a nearest patch for each"):
        figure_of_nearest(np.zeros((3, 8, 8)), np.zeros((2, 8, 8)))
