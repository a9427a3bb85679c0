import numpy as np
import pytest
from localisation import ReferenceSlice, against_reference, read_reference, summary

from monai_cardiac_gan.aorta import AortaTrack

NATIVE = np.array([[1.25, 0, 0, -40.0], [0, 1.5, 0, 10.0], [0, 0, 2.5, -100.0], [0, 0, 0, 1]])
FINE = np.array([[1.0, 0, 0, -39.5], [0, 1.0, 0, 10.0], [0, 0, 1.0, -100.0], [0, 0, 0, 1]])


def reference():
    """An aorta that leans: at height z (mm above the first voxel) its centre is at x = 30 + 0.2 z, y = 50, diameter 24."""
    slices = [ReferenceSlice(k, (30 + 0.2 * 2.5 * k, 50.0), 24.0, "clear") for k in range(0, 20, 10)]
    return [*slices, ReferenceSlice(20, (40.0, 50.0), 24.0, "faint"), ReferenceSlice(30, None, None, "arch")]


def track(shift=0.0, growth=0.0, levels=range(51)):
    levels = np.array(levels)
    centres = np.stack(
        [30 + 0.2 * levels - 0.5 + shift, np.full(len(levels), 50.0)], 1
    )  # the grid begins 0.5 mm further
    return AortaTrack(levels, centres, np.full(len(levels), 24.0 + growth), np.ones(len(levels)), 1.0)


def test_the_same_aorta_on_another_grid_has_no_error():
    entries = against_reference(track(), FINE, reference(), NATIVE)
    assert [entry["slice"] for entry in entries] == [0, 10, 20]  # none where it is not round
    assert [entry["centre"] for entry in entries] == pytest.approx([0, 0, 0], abs=1e-9)
    assert all(entry["found"] for entry in entries)


def test_shifts_and_growths_are_told_in_millimetres():
    found = summary(against_reference(track(shift=1.5, growth=-2.0), FINE, reference(), NATIVE))
    assert found["reference: centre error, median (mm)"] == pytest.approx(1.5)
    assert found["reference: diameter error, mean (mm)"] == pytest.approx(-2)
    assert found["reference: diameter error, mean absolute (mm)"] == pytest.approx(2)
    assert found["reference: found, share of clear slices"] == 1


def test_another_vessel_and_missing_slices_are_not_found():
    entries = against_reference(track(shift=40.0), FINE, reference()[:1] + reference()[:1], NATIVE)
    hit = {"slice": 1, "state": "clear", "found": True, "centre": 0.0, "diameter": 0.0}
    elsewhere = summary([*entries, hit])
    assert elsewhere["reference: slices with a circle elsewhere"] == 2
    assert elsewhere["reference: found, share of clear slices"] == pytest.approx(1 / 3)
    short = against_reference(track(levels=range(10)), FINE, reference(), NATIVE)
    assert [entry["found"] for entry in short] == [True, False, False]


def test_a_reference_file_is_read(tmp_path):
    path = tmp_path / "reference.csv"
    path.write_text("# by eye\nsubject,slice,x_mm,y_mm,diameter_mm,state\na,0,1.5,2.5,20,clear\na,10,,,,arch\n")
    assert read_reference(path) == {
        "a": [ReferenceSlice(0, (1.5, 2.5), 20.0, "clear"), ReferenceSlice(10, None, None, "arch")]
    }
