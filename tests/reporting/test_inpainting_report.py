from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from monai_cardiac_gan.aorta import AortaDisc
from monai_cardiac_gan.inferers import InpaintedPatch, LossTraces, PatchOrigin, StopReason, UncertaintyCalibration
from monai_cardiac_gan.reporting import InpaintingReport
from monai_cardiac_gan.reporting.inpainting_report import _place, _sentence, patch_entry


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


def inpainted(stop, **changes):
    """A patch of two solutions; the second has the lower loss and a vessel of 22 mm."""
    discs = tuple(
        AortaDisc(np.array([4.0, 4.0]), size, np.pi * size, np.pi * size**2 / 4, 0.9) for size in (20.0, 22.0)
    )
    losses = torch.tensor([0.3, 0.2])
    patch = InpaintedPatch(
        acquired=torch.zeros(1, 8, 8), mask=torch.ones(1, 8, 8, dtype=torch.bool), valid=torch.ones(1, 8, 8, dtype=torch.bool),
        solutions=torch.zeros(2, 1, 8, 8), generated=torch.zeros(2, 1, 8, 8), latents=torch.zeros(2, 3), losses=losses,
        traces=LossTraces({"contextual": torch.tensor([[0.5, 0.4], [0.3, 0.2]])}, torch.tensor([[0.5, 0.4], [0.3, 0.2]])),
        initial=None, snapshots=torch.zeros(0), snapshot_iterations=torch.zeros(0), evaluations=torch.tensor([7, 9]),
        stops=(stop, stop), origin=PatchOrigin("ann"), **changes,
    )  # fmt: skip
    vars(patch).update(discs=discs, acquired_disc=discs[0], acquired_ellipse=None, expected_ellipse=None)
    return patch


def test_a_search_tells_how_far_its_losses_fell():
    entry = {**patch_entry(inpainted(StopReason.CONVERGED)), "intervals": None}
    assert (entry["best_start"], entry["expected"]["diameter_mm"]) == (1, 22.0)
    assert entry["losses_at_start"] == {"contextual": pytest.approx(0.4)}
    assert [disc["diameter_mm"] for disc in entry["expected_of_starts"]] == [20.0, 22.0]
    expected = "acquired diameter 20.0 mm, expected diameter 22.0 mm; loss 0.4000 at the start, 0.2000 at the end."
    assert _sentence(entry) == expected


def test_answers_tell_how_far_they_lie_from_their_mean_and_have_no_losses():
    patch = inpainted(StopReason.NOT_SEARCHED, typical=torch.zeros(1, 8, 8))
    vars(patch).update(expected_disc=replace(patch.discs[0], diameter_mm=21.0))
    intervals = {"level": 0.9, "diameter_mm": [18.0, 24.5], "centre_within_mm": 2.0}
    entry = {**patch_entry(patch), "intervals": intervals}
    assert entry["answers"] == 2
    assert entry["distances_from_mean"] == pytest.approx([0.3, 0.2])
    assert [disc["diameter_mm"] for disc in entry["expected_of_answers"]] == [20.0, 22.0]
    assert not any("loss" in name or "start" in name for name in entry)
    expected = (
        "expected diameter 21.0 mm (90 % interval about the mean of the answers 18.0 to 24.5 mm); 2 answers were drawn."
    )
    assert _sentence(entry) == f"acquired diameter 20.0 mm, {expected}"
    assert _sentence({**entry, "answers": 1}).endswith("; one answer was drawn.")
