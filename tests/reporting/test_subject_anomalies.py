import numpy as np
import pytest
from fake_vessel import measured_vessel, model_of, write_features

from monai_cardiac_gan.anomaly import expect_vessel
from monai_cardiac_gan.evaluation import ScoreVessel, compared_levels
from monai_cardiac_gan.networks.nets import PatchFeatures
from monai_cardiac_gan.reporting.subject_anomalies import anomaly_maps


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    _, vessel, expected = measured_vessel(search=True, answers=6)
    levels = compared_levels(vessel, expected)
    scorer = ScoreVessel(PatchFeatures, write_features(tmp_path_factory.mktemp("weights") / "features.pt"))
    return expected, scorer(vessel, expected, levels, expect_vessel(vessel.along(), levels, model_of()))


def test_every_slice_has_a_map_and_those_of_levels_their_own_spread(scored):
    expected, found = scored
    maps = anomaly_maps(expected, found)
    assert maps.shape == (len(expected.patches), 128, 128)
    hole = expected.mask.numpy()
    assert (maps[:, ~hole] == 0).all()
    for place, row in enumerate(expected.levels):
        difference = (expected.patches.pixels[row] - expected.painted[row])[0].double().numpy()
        np.testing.assert_allclose(maps[row][hole], (difference / found.spread[place])[hole], atol=1e-6)


def test_between_two_levels_the_spread_lies_between_theirs(scored):
    expected, found = scored
    one, other = expected.levels[:2]
    between = (one + other) // 2
    share = (expected.heights_mm[between] - expected.heights_mm[one]) / (
        expected.heights_mm[other] - expected.heights_mm[one]
    )
    assert 0 < share < 1
    spread = (1 - share) * found.spread[0] + share * found.spread[1]
    difference = (expected.patches.pixels[between] - expected.painted[between])[0].double().numpy()
    hole = expected.mask.numpy()
    np.testing.assert_allclose(anomaly_maps(expected, found)[between][hole], (difference / spread)[hole], atol=1e-6)


def test_beyond_the_outer_levels_theirs_is_kept(scored):
    expected, found = scored
    hole = expected.mask.numpy()
    maps = anomaly_maps(expected, found)
    for row, place in ((0, 0), (-1, -1)):
        difference = (expected.patches.pixels[row] - expected.painted[row])[0].double().numpy()
        np.testing.assert_allclose(maps[row][hole], (difference / found.spread[place])[hole], atol=1e-6)
