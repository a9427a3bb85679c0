import json
import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import stats

from monai_cardiac_gan.anomaly import COURSE, DIAMETER, abnormal_stretches, find_landmarks, reasons_not_to_compare
from monai_cardiac_gan.anomaly.abnormal_stretches import (
    DETOUR,
    GRID_MM,
    PRIOR,
    SHOULDER_MM,
    USUAL_LENGTH_MM,
    WIDENING,
    _log_evidence,
    _stretches,
)
from monai_cardiac_gan.aorta import localise_aorta, measure_lumens

BUNDLE = Path(__file__).resolve().parents[2] / "bundles" / "cardiac_aorta_wgan_gp"
CALIBRATION = BUNDLE / "models" / "vessel_calibration.json"

HEIGHTS = np.arange(0.0, 220.0, 2.0)


def usual_vessels(count, covariance=DIAMETER, seed=0):
    """Drawn from the model of normal people."""
    known = covariance.between(HEIGHTS, HEIGHTS, float(HEIGHTS.mean())) + covariance.noise_std**2 * np.eye(len(HEIGHTS))
    return np.random.default_rng(seed).multivariate_normal(np.zeros(len(HEIGHTS)), known, count)


def bump(height, at, width):
    return height * np.exp(-0.5 * ((HEIGHTS - at) / width) ** 2)


def test_the_evidence_is_that_of_a_normal_distribution():
    rng = np.random.default_rng(0)
    factor, values = rng.normal(size=(6, 6)), rng.normal(size=(6, 2))
    covariance = factor @ factor.T + np.eye(6)
    exact = sum(stats.multivariate_normal(np.zeros(6), covariance).logpdf(column) for column in values.T)
    constant = -0.5 * values.size * math.log(2 * math.pi)
    assert _log_evidence(covariance, values) == pytest.approx(exact - constant, rel=1e-10)


def test_the_prior_of_all_stretches_together_is_that_of_having_one():
    stretches = _stretches(0.0, 200.0, WIDENING)
    odds = sum(math.exp(each.log_prior) for each in stretches)
    assert odds == pytest.approx(PRIOR / (1 - PRIOR), rel=1e-9)
    short = next(each for each in stretches if (each.low, each.high, each.mean) == (0.0, 20.0, 5.0))
    long = next(each for each in stretches if (each.low, each.high, each.mean) == (0.0, 120.0, 5.0))
    narrow = next(each for each in stretches if (each.low, each.high, each.mean) == (0.0, 20.0, -5.0))
    assert short.log_prior - long.log_prior == pytest.approx(100.0 / USUAL_LENGTH_MM)
    assert math.exp(short.log_prior - narrow.log_prior) == pytest.approx(4.0)


@pytest.mark.parametrize(("covariance", "deviation"), [(DIAMETER, WIDENING), (COURSE, DETOUR)])
def test_of_usual_vessels_hardly_one_has_an_abnormal_stretch(covariance, deviation):
    count = 40
    alarms = [
        abnormal_stretches(HEIGHTS, each[:, None], covariance, deviation).any()
        for each in usual_vessels(count, covariance)
    ]
    # below the prior, because the odds must exceed one; three of forty have a probability of 5 % at a rate of 2 %
    assert sum(alarms) <= 2


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("at", "width"), [(60.0, 10.0), (110.0, 20.0), (160.0, 15.0)])
def test_a_bump_is_found_where_it_lies(sign, at, width):
    for vessel in usual_vessels(3):
        found = HEIGHTS[
            abnormal_stretches(HEIGHTS, (vessel + bump(sign * 11.0, at, width))[:, None], DIAMETER, WIDENING)
        ]
        assert found.min() <= at - width <= at + width <= found.max()
        assert found.max() - found.min() <= 6 * width + 2 * (GRID_MM + SHOULDER_MM)


@pytest.mark.parametrize("place", [0.0, 100.0, 200.0])
def test_every_measurement_can_lie_inside_a_stretch(place):
    assert any(each.holds(np.array([place])).all() for each in _stretches(0.0, 200.0, WIDENING))


@pytest.mark.parametrize("at", [0.0, 210.0])  # the last height lies on the grid of the stretches' ends
def test_a_vessel_that_widens_towards_an_end_is_abnormal_there_and_not_beside_it(at):
    kept = HEIGHTS <= 210.0
    found = abnormal_stretches(HEIGHTS[kept], bump(13.0, at, 15.0)[kept, None], DIAMETER, WIDENING)
    away = np.abs(HEIGHTS[kept] - at)
    assert found[away <= 15].all()
    assert not found[away > 70].any()


def test_two_bumps_are_found_apart():
    values = bump(12.0, 50.0, 8.0) + bump(-9.0, 170.0, 8.0)
    found = abnormal_stretches(HEIGHTS, values[:, None], DIAMETER, WIDENING)
    assert found[np.isin(HEIGHTS, (50.0, 170.0))].all()
    assert not found[np.abs(HEIGHTS - 110.0) < 20].any()


def test_columns_are_independent_and_their_order_does_not_matter():
    detour = np.stack([bump(14.0, 100.0, 10.0), np.zeros(len(HEIGHTS))], 1)
    found = abnormal_stretches(HEIGHTS, detour, COURSE, DETOUR)
    assert found[HEIGHTS == 100.0].all()
    np.testing.assert_array_equal(found, abnormal_stretches(HEIGHTS, detour[:, ::-1], COURSE, DETOUR))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_little_of_a_vessel_has_no_abnormal_stretch(count):
    found = abnormal_stretches(np.arange(count) * 4.0, np.full((count, 1), 50.0), DIAMETER, WIDENING)
    np.testing.assert_array_equal(found, np.zeros(count, bool))


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "place_mm"), [("la_009", None), ("la_029", (10, 45))], ids=["usual", "dilated"])
def test_in_acquired_volumes_a_dilated_stretch_is_found_and_no_other(real_hearts, name, place_mm):
    """About the shipped mean vessel, which neither of both would change by much."""
    image = nibabel.as_closest_canonical(nibabel.load(real_hearts / "images" / f"{name}.nii.gz"))
    volume, spacing = np.asarray(image.dataobj, dtype=np.float32), np.array(image.header.get_zooms()[:3], float)
    track = localise_aorta(volume, spacing)
    lumens = measure_lumens(volume, spacing, track)
    reasons = reasons_not_to_compare(track, lumens, spacing[2], find_landmarks(volume, spacing, track).is_arch_seen)
    kept = np.array([reason is None for reason in reasons])
    heights = ((track.slices[-1] - track.slices) * spacing[2])[kept]
    diameters = np.array([lumen.area_equivalent_mm for lumen, is_kept in zip(lumens, kept, strict=True) if is_kept])
    prior = json.loads(CALIBRATION.read_text())["model"]["prior"]
    usual = np.interp(heights, prior["heights_mm"], prior["diameters_mm"])
    inside = heights[abnormal_stretches(heights, (diameters - usual)[:, None], DIAMETER, WIDENING)]
    if place_mm is None:
        assert not len(inside)
    else:
        assert (inside.min(), inside.max()) == pytest.approx(place_mm, abs=10.0)
