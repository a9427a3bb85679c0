import re

import numpy as np
import pytest
from fake_vessel import measured_vessel, model_of, write_features

from monai_cardiac_gan.anomaly import SIGNS, ScoredLevels, expect_vessel
from monai_cardiac_gan.evaluation import DetectionCalibration, DetectVessel, ScoreVessel, compared_levels
from monai_cardiac_gan.evaluation.detection_calibration import NormalPerson, write_detection_calibration
from monai_cardiac_gan.networks.nets import PatchFeatures

PARTS = {"generator": "disc", "hole": "49"}


@pytest.fixture(scope="module")
def scorer(tmp_path_factory):
    return ScoreVessel(PatchFeatures, write_features(tmp_path_factory.mktemp("weights") / "features.pt"))


def vessel(search=True, answers=6, **shape):
    _, measured, expected = measured_vessel(search=search, answers=answers, **shape)
    levels = compared_levels(measured, expected)
    return measured, expected, levels, expect_vessel(measured.along(), levels, model_of())


@pytest.fixture(scope="module")
def straight():
    return vessel()


def known(path, own, texture, kind, away=0.0, parts=PARTS, count=24):
    """Normal people whose scores and textures are those of the straight tube and noise."""
    source = np.random.default_rng(0)
    scored = {
        f"p{number}": ScoredLevels(
            own.heights_mm, own.scores + source.normal(0, 0.1, own.scores.shape), own.is_compared
        )
        for number in range(count)
    }
    people = {
        name: NormalPerson(each, texture + away + source.normal(0, 0.05, len(texture)), False)
        for name, each in scored.items()
    }
    return str(write_detection_calibration(path, DetectionCalibration(kind, parts, people, {}, 1.3, "0")))


@pytest.fixture(scope="module")
def paths(tmp_path_factory, scorer, straight):
    folder, scored = tmp_path_factory.mktemp("known"), scorer(*straight)
    what = scored.levels, scored.texture
    return {
        "near": known(folder / "near.json", *what, "tubes"),
        "far": known(folder / "far.json", *what, "something else", away=3.0),
        "other": known(folder / "other.json", *what, "tubes", parts=PARTS | {"hole": "41"}),
        "missing": str(folder / "missing.json"),
    }


@pytest.mark.parametrize("order", [("near", "far"), ("far", "near"), ("other", "missing", "near")])
def test_the_calibration_of_the_scans_kind_is_taken(scorer, straight, paths, order):
    found = DetectVessel(scorer, [paths[name] for name in order])(*straight, PARTS)
    assert found.reason is None
    assert found.detection.kind == "tubes"
    assert found.detection.verdict.is_alarm is False


def test_a_bulge_is_an_alarm(scorer, paths):
    found = DetectVessel(scorer, [paths["near"]])(*vessel(bulge_mm=8.0), PARTS)
    assert found.detection.verdict.is_alarm
    heights = found.scored.levels.heights_mm[found.detection.standing_out]
    assert np.abs(heights - 75).min() <= 10  # the middle of the tube
    assert found.detection.judged.leading(int(found.detection.judged.levels.argmax())) in SIGNS


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["missing"], "no verdict: no normal people are known; run calibrate_detection"),
        (["other"], "no verdict: normal people were scored with another hole; run calibrate_detection"),
        (["far"], r"no verdict: the scan is unlike those .* \(nearest: something else, \d+\.\d times as far away"),
    ],
)
def test_why_there_is_no_verdict_is_said(scorer, straight, paths, names, message):
    found = DetectVessel(scorer, [paths[name] for name in names])(*straight, PARTS)
    assert found.detection is None
    assert found.scored is not None
    assert re.match(message, found.reason)


def test_a_search_has_no_verdict(scorer, paths):
    found = DetectVessel(scorer, [paths["near"]])(*vessel(answers=0), PARTS)
    assert (found.scored, found.detection) == (None, None)
    assert found.reason.startswith("no verdict: 0 answers were drawn at each level")


def test_alpha_decides_how_many_are_alarmed(scorer, straight, paths):
    found = DetectVessel(scorer, [paths["near"]], alpha=0.5)(*straight, PARTS).detection
    assert found.verdict.alpha == 0.5
    assert found.limit < DetectVessel(scorer, [paths["near"]])(*straight, PARTS).detection.limit
