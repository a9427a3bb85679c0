import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from monai_cardiac_gan.anomaly import ExpectationModel, JudgedPerson, VesselPrior
from monai_cardiac_gan.evaluation import VesselCalibration, read_vessel_calibration
from monai_cardiac_gan.evaluation.vessel_calibration import write_vessel_calibration

SEARCH = {"generator": "ab" * 32, "loss": "cd" * 32, "coupling": "ef" * 32}


@pytest.fixture
def calibration():
    rng = np.random.default_rng(0)
    prior = VesselPrior(np.arange(0.0, 50.0, 5.0), rng.normal(20, 1, 10), rng.normal(0, 5, (10, 2)), 12)
    model = ExpectationModel(prior, 30.0, 1 / 3, 0.1 + 0.2, 1.1, 2.345678901234567, 0.9, 3.3, 0.9, 12)
    judged = {
        "ann": JudgedPerson(15, 1.2, 1.9, 14, 1.1, 2.6, 3.0, 2.1, 1.0),
        "bob": JudgedPerson(9, 1 / 7, None, 0, 1.1, 2.6, 3.0, 2.1, 1.0),
    }
    return VesselCalibration(model, 49, 10.0, SEARCH, ("bob",), judged, {"eve": "too wide"}, "0.2.0")


def comparable(calibration):
    """Arrays as lists, so that equality is that of every number."""
    return json.loads(json.dumps(asdict(calibration), default=np.ndarray.tolist))


def test_what_was_written_is_read_bit_by_bit(calibration, tmp_path):
    """The mean vessel is kept to a micrometre, all other numbers as they are."""
    read = read_vessel_calibration(write_vessel_calibration(tmp_path / "vessels.json", calibration))
    prior = calibration.model.prior
    rounded = replace(
        prior, **{name: np.round(getattr(prior, name), 3) for name in ("heights_mm", "diameters_mm", "course_mm")}
    )
    expected = replace(calibration, model=replace(calibration.model, prior=rounded))
    assert comparable(read) == comparable(expected)
    assert isinstance(read.model.prior.course_mm, np.ndarray)
    assert isinstance(read.unseen, tuple)
    again = write_vessel_calibration(tmp_path / "again.json", read)
    assert again.read_bytes() == (tmp_path / "vessels.json").read_bytes()


def test_for_the_same_search_and_hole_the_model_is_the_one_that_was_learnt(calibration):
    assert calibration.model_for(dict(SEARCH), 49, 10.0) == (calibration.model, None)


@pytest.mark.parametrize(
    ("search", "hole", "step_mm", "different"),
    [
        (SEARCH | {"loss": "00" * 32}, 49, 10.0, "loss"),
        (SEARCH, 41, 10.0, "hole"),
        (SEARCH, 49, 3.0, "distance of the levels"),
        (SEARCH | {"loss": "", "generator": ""}, 41, 5.0, "hole, distance of the levels, generator, loss"),
        (SEARCH | {"proposal": "12" * 32}, 49, 10.0, "proposal"),
        ({name: SEARCH[name] for name in ("generator", "loss")}, 49, 10.0, "coupling"),
    ],
)
def test_for_another_search_hole_or_step_what_is_painted_has_no_part(calibration, search, hole, step_mm, different):
    model, sentence = calibration.model_for(search, hole, step_mm)
    assert model == replace(calibration.model, painted_weight=0.0)
    assert sentence == (
        "painted diameters have no part in what is expected: they were calibrated with another "
        f"{different}; run calibrate_report.json for these"
    )


def damage(content, how):
    model, prior = content["model"], content["model"]["prior"]
    if how == "no model":
        del content["model"]
    elif how == "other name":
        model["gap"] = model.pop("gap_mm")
    elif how == "prior missing":
        del prior["course_mm"]
    elif how == "shorter":
        prior["diameters_mm"].pop()
    elif how == "words":
        prior["course_mm"] = "a line"
    elif how == "judged":
        content["judged"]["ann"] = 3
    elif how == "no hole":
        del content["hole"]
    return content


@pytest.mark.parametrize("how", ["no model", "other name", "prior missing", "shorter", "words", "judged", "no hole"])
def test_a_damaged_file_is_refused(calibration, tmp_path, how):
    path = write_vessel_calibration(tmp_path / "vessels.json", calibration)
    path.write_text(json.dumps(damage(json.loads(path.read_text()), how)))
    with pytest.raises(
        ValueError, match=r"vessels\.json: holds no calibration of vessels that this version reads \(.+\): run"
    ):
        read_vessel_calibration(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"format"', '{"format": 1}', "\x00"])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "vessels.json").write_text(text)
    with pytest.raises(
        ValueError, match=r"vessels\.json: holds no calibration of vessels .*: run calibrate_report\.json"
    ):
        read_vessel_calibration(tmp_path / "vessels.json")


def test_another_version_is_refused(calibration, tmp_path):
    path = write_vessel_calibration(tmp_path / "vessels.json", calibration)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(ValueError, match=r"\(format is 2, expected 1\)"):
        read_vessel_calibration(path)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"vessels\.json: no such calibration of vessels: run calibrate_report\.json for these"
    ):
        read_vessel_calibration(tmp_path / "vessels.json")
