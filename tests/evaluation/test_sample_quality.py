import numpy as np
import pytest
import torch

from monai_cardiac_gan.aorta import AortaDisc
from monai_cardiac_gan.evaluation.sample_quality import sample_scores
from monai_cardiac_gan.inferers import square_mask
from monai_cardiac_gan.metrics import discriminative_score, energy_score, fair_crps

NAMES = ["anna", "anna", "ben", "ben", "cleo", "cleo"]
HIDDEN = square_mask(21, shape=(64, 64)).expand(6, 1, 64, 64)


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def disc(diameter, row=32.0, column=32.0):
    return AortaDisc(np.array([row, column]), diameter, np.pi * diameter, np.pi / 4 * diameter**2, 1.0)


def scores(samples, originals, sample_discs=None, discs=None, pixel_mm=1.0, **features):
    count = samples.shape[1]
    discs = [None] * 6 if discs is None else discs
    sample_discs = [[None] * count] * 6 if sample_discs is None else sample_discs
    return sample_scores(samples, originals, HIDDEN, sample_discs, discs, pixel_mm, 0.5, **features)


def test_calibrated_samples_are_calibrated_in_every_number():
    means = noise(6, 1, 64, 64, seed=1)
    originals, samples = means + 0.3 * noise(6, 1, 64, 64), means[:, None] + 0.3 * noise(6, 19, 1, 64, 64, seed=2)
    found = scores(samples, originals).quality(NAMES)
    assert found.pixel_coverage.mean == pytest.approx(found.calibrated_coverage, abs=0.02)
    assert found.calibrated_coverage == pytest.approx(0.9)
    assert found.spread_skill == pytest.approx(1, abs=0.03)
    assert found.crps.mean == pytest.approx(0.3 / np.sqrt(np.pi), rel=0.03)
    assert found.spectrum_db < 1
    assert found.spectrum_ratio == pytest.approx(found.spectrum_db / found.spectrum_real_db)
    assert (found.samples, found.seconds, found.patches, found.subjects) == (19, 0.5, 6, 3)
    assert (found.found, found.diameter_crps_mm, found.u_ids, found.p_ids_real) == (None, None, None, None)


def test_each_person_weighs_the_same_in_what_its_patches_score():
    originals, samples = noise(6, 1, 64, 64), noise(6, 4, 1, 64, 64, seed=1)
    rows = [0, 2, 3]
    found = scores(samples, originals).quality(NAMES, rows)
    pixels = [(samples[row][:, HIDDEN[row]], originals[row][HIDDEN[row]]) for row in rows]
    for value, score in (
        (found.crps, lambda *pair: fair_crps(*pair).mean().item()),
        (found.energy, energy_score),
    ):
        each = [score(*pair) for pair in pixels]
        assert value.mean == pytest.approx((each[0] + (each[1] + each[2]) / 2) / 2)


def test_diameters_and_centres_are_scored_by_the_samples_that_have_them():
    truths = [disc(20.0), None, disc(20.0), disc(20.0), disc(20.0), disc(20.0)]
    near = [disc(18.0, 33.0), disc(24.0, 31.0), None]
    far = [disc(30.0, 36.0, 35.0), disc(26.0, 36.0, 35.0), disc(28.0, 36.0, 35.0)]
    none = [None, None, None]
    found = scores(
        noise(6, 3, 1, 64, 64), noise(6, 1, 64, 64), [near, near, none, far, none, none], truths, pixel_mm=2.0
    ).quality(NAMES)
    # fair CRPS: mean error less half the mean difference; anna has 3 - 3, ben 8 - 4 / 3
    assert found.diameter_crps_mm.mean == pytest.approx((0 + 8 - 8 / 6) / 2)
    assert found.diameter_error_mm.mean == pytest.approx((1 + 8) / 2)
    assert found.diameter_coverage.mean == 0.5
    # anna's centres lie 2 mm on both sides, 4 mm from each other; ben's all at (8, 6) mm
    assert found.centre_crps_mm.mean == pytest.approx((2 - 2 + 10) / 2)
    assert found.centre_error_mm.mean == pytest.approx(10 / 2)
    assert found.centre_coverage.mean == pytest.approx(1 / 2)
    assert found.found == pytest.approx((2 / 3 + 0 + 1 + 0 + 0) / 5)


def test_one_answer_is_a_sample_without_an_interval():
    originals = noise(6, 1, 64, 64)
    found = scores(originals[:, None] + 0.2, originals, [[disc(22.0)]] * 6, [disc(20.0)] * 6).quality(NAMES)
    assert found.crps.mean == pytest.approx(0.2)
    assert found.energy.mean == pytest.approx(0.2)
    assert (found.diameter_crps_mm.mean, found.diameter_error_mm.mean, found.found) == (2, 2, 1)
    assert [found.pixel_coverage, found.diameter_coverage, found.calibrated_coverage, found.spread_skill] == [None] * 4


def test_features_are_compared_sample_by_sample():
    real, features = noise(6, 4), noise(6, 2, 4, seed=1)
    images = noise(6, 2, 1, 64, 64)
    whole = scores(images, images[:, 0], features=features, real_features=real)
    each = [discriminative_score(features[:, k], real, NAMES) for k in range(2)]
    found = whole.quality(NAMES)
    assert found.u_ids == pytest.approx(np.mean([score.unpaired for score in each]))
    assert found.p_ids == pytest.approx(np.mean([score.paired for score in each]))
    assert 0 <= found.u_ids_real <= 1
    alone = whole.quality(NAMES, [0, 1])
    assert (alone.u_ids, alone.u_ids_real, alone.spectrum_ratio) == (None, None, None)
