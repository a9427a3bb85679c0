from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_cardiac_gan.anomaly import Landmarks, VesselPrior
from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.evaluation.measured_vessel import GAP_IN_TRACK, MeasuredVessel, compared_levels, measure_vessel
from monai_cardiac_gan.inferers import ExpectVessel

SLICE_MM, SLICES = 4.0, 44
DIAMETER = 23.0
MISSING = 20


@pytest.fixture(scope="module")
def image(tube):
    pixels = tube((80, 80, SLICES), (1.5, 1.5, SLICE_MM), lambda z: np.stack([60 + 0.05 * z, 62 - 0.05 * z]), DIAMETER)
    return MetaTensor(
        torch.from_numpy(pixels)[None], affine=torch.diag(torch.tensor([1.5, 1.5, SLICE_MM, 1.0])).double()
    )


@pytest.fixture(scope="module")
def track():
    """All slices of the tube but one; two are hardly seen."""
    slices = np.delete(np.arange(1, 43), MISSING - 1)
    heights = slices * SLICE_MM
    confidence = np.where((slices >= 30) & (slices < 32), 0.01, 0.9)
    centres = np.stack([60 + 0.05 * heights, 62 - 0.05 * heights], 1)
    return AortaTrack(slices, centres, np.full(len(slices), DIAMETER), confidence, 0.9)


@pytest.fixture(scope="module")
def vessel(image, track):
    return measure_vessel(image, track)


@pytest.fixture(scope="module")
def expected(image, track):
    prior = VesselPrior(np.array([0.0]), np.array([22.0]), np.zeros((1, 2)), 1)
    scaled = MetaTensor(image.clamp(0, 1000) / 500 - 1, affine=image.affine)
    return ExpectVessel(None, None, prior, step_mm=SLICE_MM)(scaled, track)


def test_every_slice_of_the_track_is_measured(vessel, track):
    assert vessel.slice_mm == SLICE_MM
    assert len(vessel.lumens) == len(vessel.reasons) == len(track)
    seen = np.isfinite(vessel.diameters_mm)
    assert seen.sum() >= 40
    np.testing.assert_allclose(vessel.diameters_mm[seen], DIAMETER, atol=0.6)


def test_heights_are_below_the_top(vessel, track):
    np.testing.assert_array_equal(vessel.heights_mm, (42 - track.slices) * SLICE_MM)


def test_expectations_are_made_from_what_can_be_compared(vessel, track):
    along, kept = vessel.along(), np.array([reason is None for reason in vessel.reasons])
    assert (~kept).sum() >= 2
    np.testing.assert_array_equal(along.heights_mm, vessel.heights_mm[kept])
    np.testing.assert_array_equal(along.diameters_mm, vessel.diameters_mm[kept])
    np.testing.assert_array_equal(along.centres_mm, track.centres_mm[kept])
    assert np.isfinite(along.diameters_mm).all()


def test_a_slice_that_the_track_leaves_out_is_not_compared(vessel):
    assert vessel.row_of(MISSING) is None
    assert vessel.reason_of(MISSING) == GAP_IN_TRACK
    assert vessel.row_of(21) == 19
    assert vessel.reason_of(5) is None
    assert "hard to see (confidence 0.01)" in vessel.reason_of(30)


def test_levels_have_what_was_acquired_on_their_slice(vessel, track, expected):
    levels = compared_levels(vessel, expected)
    slices = expected.patches.slices[expected.levels]
    np.testing.assert_array_equal(levels.heights_mm, (42 - slices) * SLICE_MM)
    for place, level in enumerate(slices):
        rows = np.flatnonzero(track.slices == level)
        if not len(rows):
            assert level == MISSING
            assert np.isnan([levels.diameters_mm[place], *levels.centres_mm[place]]).all()
            assert not levels.is_compared[place]
            continue
        lumen = vessel.lumens[rows[0]]
        assert levels.is_compared[place] == (vessel.reasons[rows[0]] is None)
        np.testing.assert_array_equal(levels.centres_mm[place], track.centres_mm[rows[0]])
        np.testing.assert_equal(levels.diameters_mm[place], np.nan if lumen is None else lumen.area_equivalent_mm)
    assert MISSING in slices
    assert np.isnan(levels.painted_mm).all()


def test_painted_diameters_are_those_of_the_discs(vessel, expected):
    class Disc:
        diameter_mm = 21.5

    discs = (Disc(), *expected.discs[1:])
    levels = compared_levels(vessel, replace(expected, discs=discs))
    assert levels.painted_mm[0] == 21.5
    assert np.isnan(levels.painted_mm[1:]).all()


def test_a_slice_without_a_lumen_has_no_diameter(track):
    bare = MeasuredVessel(
        track, 4.0, (None,) * len(track), ("the lumen's rim is not seen",) * len(track), Landmarks(False, None)
    )
    assert np.isnan(bare.diameters_mm).all()
    assert len(bare.along().heights_mm) == 0
