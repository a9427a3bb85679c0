from types import SimpleNamespace

import numpy as np
import pytest

from monai_cardiac_gan.inferers import PatchOrigin, UncertaintyCalibration
from monai_cardiac_gan.reporting import InpaintingReport
from monai_cardiac_gan.reporting.inpainting_report import _place


@pytest.mark.parametrize("settings", [{"figure_format": "gif"}, {"dpi": 0}])
def test_figures_that_cannot_be_written_are_refused_before_anything_is_searched(tmp_path, settings):
    with pytest.raises(
        ValueError, match=r"figure_format is '.*' and dpi .*: expected one of png, pdf, svg and more than 0"
    ):
        InpaintingReport(str(tmp_path), **settings)


def test_intervals_are_for_patches_whose_pixels_are_as_large(tmp_path, caplog):
    report = InpaintingReport(str(tmp_path))
    learnt = UncertaintyCalibration(0.9, 0.5, 2.0, 100, 12, pixel_mm=1.0)
    report._intervals = {"pixel": learnt}
    same, larger = (SimpleNamespace(origin=PatchOrigin("ann", pixel_mm=side)) for side in (1.0004, 2.0))
    assert report._intervals_for(same) == {"pixel": learnt}
    assert [report._intervals_for(larger) for _ in range(3)] == [{}] * 3
    assert caplog.text.count("pixels of 2 mm, and the calibration's are of 1 mm: no intervals are given") == 1


def test_a_place_names_its_grid_its_height_and_the_scanners_z():
    """Patches of 1 mm in a volume of 1.25 mm slices: slice 30 of theirs is slice 24 of the volume, both 30 mm up."""
    affine = np.array([[1.0, 0, 0, -64], [0, 1, 0, -60], [0, 0, 1, -12.5], [0, 0, 0, 1]])
    expected = "30 mm above the lowest slice (slice 30 of the 1 mm grid of patches, z -12.5 mm in the scanner)"
    assert _place(PatchOrigin("ann", slice=30, affine=affine)) == expected
    assert _place(PatchOrigin("ann", slice=30)) == "slice 30"
