import numpy as np
import pytest
import torch
from continuity import circles, differences, error_table, jump_table, jumps


def disc(diameter, centre):
    rows, columns = np.ogrid[:128, :128]
    return np.clip(diameter / 2 + 0.5 - np.hypot(rows - centre[0], columns - centre[1]), 0, 1).astype(np.float32)


def test_circles_lie_in_the_volume_wherever_the_patch_was_cut():
    course = np.array([[100.0, 90.0], [103.5, 88.0], [0.0, 0.0]])
    where = np.array([100.0, 90.0])
    patches = [disc(22, where - middle + 64) for middle in course[:2]] + [np.zeros((128, 128), np.float32)]
    found = circles(torch.from_numpy(np.stack(patches))[:, None], course)
    assert found[2] is None
    for row in found[:2]:
        assert row == pytest.approx([100.0, 90.0, 22.0], abs=0.3)


def test_jumps_are_for_two_millimetres_and_pass_over_gaps():
    found = [[0.0, 0.0, 20.0], [0.3, 0.4, 21.0], None, [9.0, 9.0, 9.0], [9.0, 9.0, 9.5]]
    centres, diameters = jumps(found, slice_mm=4.0)
    assert centres == pytest.approx([0.25, 0.0])
    assert diameters == pytest.approx([0.5, 0.25])


def test_differences_are_of_those_that_are_there():
    there = [[0.0, 0.0, 20.0], None, [0.0, 0.0, 22.0]]
    assert differences(there, [[1.0, 1.0, 21.0], [1.0, 1.0, 9.0], None]) == [1.0]


def vessel(acquired, painted):
    circle = {"acquired": [[0.0, 0.0, d] for d in acquired], "painted": [[d - 20, 0.0, d] for d in painted]}
    return {"slice_mm": 2.0, **circle, "levels": circle}


def test_tables_state_hole_and_coupling():
    results = {
        f"{name}, {hole} px, {weight}": vessel([20.0, 20.1, 20.2], [20.0, 20.0 + step, 20.0 + 2 * step])
        for name in ("one", "two")
        for hole in (41, 49)
        for weight, step in ((0.0, 1.1), (0.1, 0.6))
    }
    results |= {
        f"{name}, 49 px, alone": {"slice_mm": 2.0, "painted": [[0.0, 0.0, 20.0], None]} for name in ("one", "two")
    }
    assert jump_table(results, 49).splitlines()[2:] == [
        "| acquired | 0.00, 0.00 | 0.10, 0.10 | 4 | 0 of 6 |",
        "| each slice alone | - | - | 0 | 2 of 4 |",
        "| vessel, coupling 0 | 1.10, 1.10 | 1.10, 1.10 | 4 | 0 of 6 |",
        "| vessel, coupling 0.1 | 0.60, 0.60 | 0.60, 0.60 | 4 | 0 of 6 |",
    ]
    lines = error_table(results, (41, 49)).splitlines()
    assert lines[0] == "| hole, px | coupling | one | two | mean |"
    assert lines[2] == "| 41 | 0 | 1.00 (+1.00; 3 of 3) | 1.00 (+1.00; 3 of 3) | 1.00 |"
    assert lines[5] == "| 49 | 0.1 | 0.50 (+0.50; 3 of 3) | 0.50 (+0.50; 3 of 3) | 0.50 |"
