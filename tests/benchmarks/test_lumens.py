import numpy as np
import pytest
from localisation import ReferenceSlice
from lumens import against_eye, diameters, once_more, summary

from monai_cardiac_gan.aorta import AortaTrack, Lumen, measure_lumens


def lumen(inscribed, same_area):
    return Lumen(np.zeros((4, 2)), 1.0, same_area, inscribed, np.zeros(2), 0.0, 1.0)


def test_diameters_of_slices_without_a_lumen_are_not_known():
    found = diameters([lumen(20.0, 21.0), None])
    assert found[0].tolist() == [20.0, 21.0]
    assert np.isnan(found[1]).all()


def test_clear_slices_alone_are_held_against_the_eye():
    track = AortaTrack([4, 5, 6], np.zeros((3, 2)), np.full(3, 20.0), np.ones(3), 1.0)
    measured = np.array([[20.0, 21.0], [20.0, 22.0], [20.0, 23.0]])
    reference = [
        ReferenceSlice(4, (0.0, 0.0), 20.5, "clear"),
        ReferenceSlice(5, (0.0, 0.0), 20.0, "faint"),
        ReferenceSlice(9, (0.0, 0.0), 20.0, "clear"),
        ReferenceSlice(6, None, None, "arch"),
    ]
    assert against_eye(track, measured, reference) == [0.5]


def test_the_same_tube_moved_by_half_a_voxel_has_the_same_diameter(tube):
    spacing = np.array([1.5, 1.5, 3.0])
    volume = tube((90, 90, 30), tuple(spacing), lambda z: np.stack([50 + 0 * z, 60 + 0 * z]), 24.0)
    track = AortaTrack(np.arange(30), np.full((30, 2), [50.0, 60.0]), np.full(30, 24.0), np.ones(30), 1.0)
    measured = diameters(measure_lumens(volume, spacing, track))
    differences = once_more(volume.astype(np.float32), spacing, track, measured, noise=0.02)
    assert len(differences) >= 25
    assert np.abs(np.median(differences, 0)).max() < 0.4


def test_the_summary_counts_all_volumes_together():
    one = {
        "less the circle": np.array([[-1.0, 0.0], [-2.0, 0.2]]),
        "slice to slice": np.array([[0.1, 0.2]]),
        "eye": [0.5, -0.1],
        "again": np.array([[0.2, 0.0], [-0.2, 0.0]]),
        "seconds": 1.0,
        "without lumen": 1,
        "levels": 20,
        "not compared": [(0, "arch")],
    }
    result = summary({"ann": one, "bob": one})
    assert result["inscribed less circle, median"] == pytest.approx(-1.5)
    assert result["inscribed, once more: standard deviation of one measurement"] == pytest.approx(
        0.2 / np.sqrt(2), abs=1e-3
    )
    assert result["area-equivalent and eye apart, mean"] == pytest.approx(0.3)
    assert (result["slices"], result["levels"], result["levels not compared"]) == (4, 40, 2)
