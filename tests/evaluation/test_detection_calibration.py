import json

import numpy as np
import pytest

from monai_cardiac_gan.anomaly import SIGNS, ScoredLevels
from monai_cardiac_gan.evaluation import DetectionCalibration, read_detection_calibration
from monai_cardiac_gan.evaluation.detection_calibration import NormalPerson, write_detection_calibration

HEIGHTS = np.arange(5.0, 155.0, 10.0)


def levels(seed, lesion=0.0):
    scores = np.random.default_rng(seed).normal(0, 1, (len(HEIGHTS), len(SIGNS)))
    scores[6:9, 3] += lesion
    scores[2, 5] = np.nan
    compared = np.ones(len(HEIGHTS), bool)
    compared[0] = False
    return ScoredLevels(HEIGHTS, scores, compared)


def calibration(count, seen=0, kind="drawn"):
    scored = {f"p{number}": levels(number) for number in range(count)}
    people = {
        name: NormalPerson(each, np.random.default_rng(number).normal(0, 1, 12), number < seen)
        for number, (name, each) in enumerate(scored.items())
    }
    return DetectionCalibration(kind, {"generator": "ab"}, people, {"ben": "no aorta"}, 1.3, "0")


@pytest.fixture(scope="module")
def known():
    return calibration(24, seen=5)


def test_what_is_written_is_read_as_it_was(known, tmp_path):
    found = read_detection_calibration(write_detection_calibration(tmp_path / "known.json", known))
    assert (found.kind, found.parts, found.excluded, found.spread_factor) == (
        "drawn",
        {"generator": "ab"},
        {"ben": "no aorta"},
        1.3,
    )
    for name, person in known.people.items():
        again = found.people[name]
        np.testing.assert_allclose(again.levels.scores, person.levels.scores, atol=5e-5)
        np.testing.assert_array_equal(again.levels.is_compared, person.levels.is_compared)
        assert again.is_seen == person.is_seen
    tested = levels(100, lesion=5.0)
    assert found.detect(tested).verdict.score == pytest.approx(known.detect(tested).verdict.score, rel=1e-3)


def test_a_lesion_is_an_alarm_and_its_levels_stand_out(known):
    found = known.detect(levels(100, lesion=6.0))
    assert found.verdict.is_alarm
    assert found.verdict.p_value == 1 / 25
    assert set(np.flatnonzero(found.standing_out)) <= {5, 6, 7, 8, 9}
    assert found.standing_out[7]
    assert found.verdict.sentence == "more unusual than all 24 known normal people (p = 0.04)"
    assert found.seen == 5


def test_a_level_stands_out_where_it_alone_would_be_an_alarm():
    """With 39 people two may lie above at 0.05: the limit is the second largest score."""
    known = calibration(39)
    scores = np.sort(known.scores)
    found = known.detect(levels(100))
    assert found.limit == scores[-2]
    assert known.detect(levels(100), alpha=0.1).limit == scores[-4]
    assert found.verdict.is_alarm == bool(found.standing_out.any())


def test_few_people_give_a_rank_and_no_alarm():
    known = calibration(8)
    found = known.detect(levels(100, lesion=8.0))
    assert found.verdict.is_alarm is None
    assert found.verdict.sentence == "more unusual than all 8 known normal people; 19 are needed for an alarm at 0.05"
    assert found.limit == known.scores.max()
    assert found.standing_out.any()


def test_another_way_of_scoring_is_told(known):
    assert known.differing({"generator": "ab"}) == []
    assert known.differing({"generator": "cd", "hole": "41"}) == ["generator", "hole"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 9}, "format is 9 with scores"),
        ({"signs": ["width"]}, r"with scores \['width'\]: expected 1 and"),
        ({"people": {"a": {}}}, "holds no calibration of detection that this version reads"),
        ({"people": None}, r"run calibrate_detection\.json"),
    ],
)
def test_other_files_are_refused(known, tmp_path, change, message):
    path = write_detection_calibration(tmp_path / "known.json", known)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=message):
        read_detection_calibration(path)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run calibrate_detection\.json on normal people"):
        read_detection_calibration(tmp_path / "none.json")
