from dataclasses import replace

import numpy as np
import pytest
import torch
from fake_vessel import measured_vessel, model_of, write_features

from monai_cardiac_gan.anomaly import SIGNS, expect_vessel, pixel_spread
from monai_cardiac_gan.evaluation import NoSpreadError, ScoreVessel, compared_levels
from monai_cardiac_gan.networks.nets import PatchFeatures


@pytest.fixture(scope="module")
def scorer(tmp_path_factory):
    return ScoreVessel(PatchFeatures, write_features(tmp_path_factory.mktemp("weights") / "features.pt"))


def scored(scorer, **shape):
    _, vessel, expected = measured_vessel(search=True, answers=6, **shape)
    levels = compared_levels(vessel, expected)
    return scorer(vessel, expected, levels, expect_vessel(vessel.along(), levels, model_of())), vessel, expected, levels


@pytest.fixture(scope="module")
def straight(scorer):
    return scored(scorer)


def test_maps_and_scores_have_a_row_a_level(straight):
    found, _, expected, levels = straight
    count = len(expected.levels)
    assert found.levels.scores.shape == (count, len(SIGNS))
    assert found.deviation.shape == found.features.shape == found.spread.shape == (count, 128, 128)
    np.testing.assert_array_equal(found.levels.heights_mm, expected.heights_mm[expected.levels])
    np.testing.assert_array_equal(found.levels.is_compared, levels.is_compared)
    assert found.texture.shape == (288,)


def test_the_map_is_acquired_less_expected_in_spreads(straight):
    found, _, expected, _ = straight
    acquired = expected.patches.pixels[expected.levels][:, 0].double().numpy()
    typical = expected.search.typical[:, 0].double().numpy()
    answers = torch.where(expected.mask, expected.search.generated, expected.patches.pixels[expected.levels])
    spread = pixel_spread(answers[:, :, 0].numpy())
    hole = expected.mask.numpy()
    np.testing.assert_allclose(found.deviation[:, hole], ((acquired - typical) / spread)[:, hole], rtol=1e-6)
    assert (found.deviation[:, ~hole] == 0).all()
    np.testing.assert_allclose(found.spread, spread)


def test_a_straight_tube_as_wide_as_expected_has_small_scores(straight):
    found = straight[0].levels
    width = found.scores[found.is_compared, SIGNS.index("width")]
    np.testing.assert_allclose(width, 0.0, atol=0.03)
    assert np.exp(found.scores[found.is_compared, SIGNS.index("shape")]).max() < 0.03


def test_a_bulge_is_wider_and_brighter_where_it_is(scorer, straight):
    found, _, _, levels = scored(scorer, bulge_mm=12.0)
    width = found.levels.scores[:, SIGNS.index("width")]
    worst = int(np.nanargmax(width))
    middle = 75.0  # of a tube of 150 mm
    assert abs(found.levels.heights_mm[worst] - middle) <= 10
    np.testing.assert_allclose(width[worst], np.log(levels.diameters_mm[worst] / 22.0), atol=0.1)
    column = SIGNS.index("brighter")
    assert found.levels.scores[worst, column] > straight[0].levels.scores[worst, column] + 1
    assert found.square > 2 * straight[0].square


def test_one_answer_says_not_how_sure_it_is(scorer):
    for options in ({"search": True}, {"search": True, "answers": 3}, {}):
        _, vessel, expected = measured_vessel(**options)
        levels = compared_levels(vessel, expected)
        drawn = options.get("answers", 0)
        with pytest.raises(NoSpreadError, match=f"{drawn} answers were drawn at each level: expected at least 4"):
            scorer(vessel, expected, levels, expect_vessel(vessel.along(), levels, model_of()))


def test_without_a_compared_level_there_is_nothing_to_learn_a_spread_from(scorer):
    _, vessel, expected = measured_vessel(search=True, answers=6)
    levels = compared_levels(vessel, expected)
    none = replace(levels, is_compared=np.zeros(len(levels.is_compared), bool))
    found = scorer(vessel, expected, none, expect_vessel(vessel.along(), none, model_of()))
    assert np.isnan([found.square, found.variance]).all()


def test_other_weights_have_another_digest(scorer, tmp_path):
    torch.manual_seed(1)
    torch.save(PatchFeatures().state_dict(), tmp_path / "other.pt")
    assert ScoreVessel(PatchFeatures, str(tmp_path / "other.pt")).digest() != scorer.digest()
    with pytest.raises(FileNotFoundError, match="no weights lie here"):
        ScoreVessel(PatchFeatures, str(tmp_path / "none.pt")).digest()
