import logging

import numpy as np
import pytest
from fake_vessel import FakeNetworks, GivenTrack, write_calibration, write_features, write_vessel

from monai_cardiac_gan.anomaly import SIGNS
from monai_cardiac_gan.evaluation import (
    CalibrateDetection,
    EvaluateDetection,
    OwnVesselBaseline,
    ScanScorer,
    ScoreVessel,
    read_detection_calibration,
)
from monai_cardiac_gan.evaluation.detection_page import LEVELS
from monai_cardiac_gan.evaluation.lesion_cases import HEALTHY, OURS, CaseTask, Lesion, lesion_cases
from monai_cardiac_gan.networks.nets import PatchFeatures


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def score(folder):
    return ScanScorer(
        FakeNetworks(answers=5),
        write_calibration(folder / "vessels.json"),
        ScoreVessel(PatchFeatures, write_features(folder / "features.pt")),
        localise=GivenTrack(),
    )


@pytest.fixture(scope="module")
def records(folder):
    """Tubes of 21 to 23 mm."""
    widths = np.linspace(21, 23, 7)
    paths = [write_vessel(folder / f"p{number}.nii.gz", diameter_mm=width) for number, width in enumerate(widths)]
    return [{"image": str(path), "subject": f"p{number}"} for number, path in enumerate(paths)]


@pytest.fixture(scope="module")
def calibrated(folder, score, records):
    path = folder / "known.json"
    other = [{"image": str(folder / "none.nii.gz"), "subject": "lost"}, {**records[1], "subject": "p0"}]
    maker = CalibrateDetection([*records[:5], *other], score, path, "tubes", seen=("p1",), leave_out=("p4",))
    return maker.run(), path


def test_normal_people_are_scored_and_the_rest_is_told(calibrated):
    known, path = calibrated
    assert list(known.people) == ["p0", "p1", "p2", "p3"]
    assert [each.is_seen for each in known.people.values()] == [False, True, False, False]
    assert known.excluded["p4"] == "left out by the one who asked"
    assert "none.nii.gz" in known.excluded["lost"]
    assert str(path.parent) not in path.read_text()  # it may go to others
    assert known.kind == "tubes"
    assert known.spread_factor > 0
    assert read_detection_calibration(path).people.keys() == known.people.keys()


def test_a_volume_is_scored_as_in_the_calibration(calibrated, score, records):
    known, _ = calibrated
    found = score(*score.load(records[2]))
    np.testing.assert_allclose(found.scored.levels.scores, known.people["p2"].levels.scores, atol=1e-6, equal_nan=True)
    assert known.differing(score.parts()) == []


def test_with_few_people_it_says_that_no_alarm_can_be_given(folder, score, records, caplog):
    with caplog.at_level(logging.WARNING):
        CalibrateDetection(records[:3], score, folder / "few.json", "tubes").run()
    assert "3 normal people: with fewer than 19 no alarm at 0.05 is given" in caplog.text


def test_what_does_not_fit_is_refused(folder, score, records):
    with pytest.raises(ValueError, match="seen names zoe: expected subjects of the data list"):
        CalibrateDetection(records, score, folder / "x.json", "tubes", seen=("zoe",))
    with pytest.raises(ValueError, match="leave_out names zoe: expected subjects of the data list"):
        CalibrateDetection(records, score, folder / "x.json", "tubes", leave_out=("zoe",))
    with pytest.raises(ValueError, match="leave_out is the text 'p1': expected a list of subjects"):
        CalibrateDetection(records, score, folder / "x.json", "tubes", leave_out="p1")
    with pytest.raises(ValueError, match="kind is empty: expected a name"):
        CalibrateDetection(records, score, folder / "x.json", " ").run()
    with pytest.raises(ValueError, match="2 normal people: expected at least 3"):
        CalibrateDetection(records[:2], score, folder / "x.json", "tubes").run()


@pytest.mark.parametrize("change", ["hole", "step_mm", "answers"])
def test_parts_of_the_scoring_differ_where_a_setting_does(folder, score, change):
    other = {"hole": {"hole": 41}, "step_mm": {"step_mm": 5.0}, "answers": {}}[change]
    networks = FakeNetworks(answers=6 if change == "answers" else 5)
    again = ScanScorer(networks, score.calibration, score.scorer, **other)
    name = {"hole": "hole", "step_mm": "distance of the levels", "answers": "answers"}[change]
    assert {key for key in score.parts() if score.parts()[key] != again.parts()[key]} == {name}


def test_an_unsure_track_is_not_scored(folder, score, records):
    image, _ = score.load(records[0])
    unsure = GivenTrack(track_confidence=0.3)({})["aorta"]
    with pytest.raises(ValueError, match=r"confidence of the localisation 0\.30: expected at least 0\.5"):
        score(image, unsure)


def test_of_a_long_vessel_some_levels_are_scored(folder, score, records):
    few = ScanScorer(FakeNetworks(answers=5), score.calibration, score.scorer, localise=GivenTrack(), most_levels=6)
    found = few(*few.load(records[0]))
    every = score(*score.load(records[0]))
    assert len(found.scored.levels.heights_mm) == 6
    assert set(found.scored.levels.heights_mm) <= set(every.scored.levels.heights_mm)
    assert len(found.expected.patches) == 6  # no slices between them


@pytest.fixture(scope="module")
def cases(score, records):
    lesions = (Lesion("dilation", 1.0), Lesion("thrombus", 1.0))
    return lesion_cases(score, {"own vessel": OwnVesselBaseline()}, CaseTask("p6", records[6], lesions, seed=3))


def test_a_subject_has_a_healthy_case_and_one_for_each_lesion(cases):
    assert [case.lesion.kind for case in cases] == [HEALTHY, "dilation", "thrombus"]
    assert all(case.levels.keys() == {OURS, "own vessel"} for case in cases)
    assert all(case.error is None for case in cases)
    assert not cases[0].amounts.any()
    assert not cases[0].truth.any()


def test_a_dilation_is_in_the_scores_and_its_truth_in_the_hole(cases):
    width = SIGNS.index("width")
    healthy, wide = (case.levels[OURS].scores[:, width] for case in cases[:2])
    most = int(cases[1].amounts.argmax())
    assert wide[most] - healthy[most] > 0.2  # a full dilation is one of ln 1.6 = 0.47 in its middle
    assert cases[1].truth.shape[1:] == (49, 49)
    assert cases[1].truth.any((1, 2)).all()
    assert len(cases[1].truth) == (cases[1].levels[OURS].is_compared & (cases[1].amounts > 0)).sum()
    on, off = (cases[1].maps[OURS].astype(float)[mask].mean() for mask in (cases[1].truth, ~cases[1].truth))
    assert on > 2 * off


def test_a_scan_that_cannot_be_scored_says_why(score, records):
    lost = ScanScorer(
        FakeNetworks(answers=5), score.calibration, score.scorer, localise=GivenTrack(slices=range(20, 26))
    )
    (case,) = lesion_cases(lost, {}, CaseTask("p0", records[0], (), 0))
    assert "too short to predict its course" in case.error
    assert case.levels == {}


def evaluation(folder, score, records, **options):
    usual = {"kinds": ("dilation", "thrombus"), "severities": {"severe": 1.0}, "kinds_each": 1, "baselines": {}}
    return EvaluateDetection(records[5:], records[:3], score, str(folder), **(usual | options))


def test_an_evaluation_takes_turns_writes_tables_and_goes_on_where_it_was(tmp_path, score, records, monkeypatch):
    rows = evaluation(tmp_path, score, records).run()
    subjects = {row.kind: row.subjects for row in rows if row.table == LEVELS and row.way == OURS}
    assert subjects == {"dilation": 1, "thrombus": 1, "all": 2}  # each subject has one of the kinds
    assert (tmp_path / "detection.md").read_text().startswith("# Detection")
    assert len(list((tmp_path / "cases").iterdir())) == 5

    def refuse(*given):
        raise AssertionError("scored again")

    monkeypatch.setattr("monai_cardiac_gan.evaluation.evaluate_detection.lesion_cases", refuse)
    assert evaluation(tmp_path, score, records).run() == rows


def test_further_dilations_are_made_for_the_first_subjects(tmp_path, score, records):
    tasks = evaluation(tmp_path, score, records, dilations=(1.1, 1.3, 1.6), dilation_subjects=1)._tasks()
    assert [len(task.lesions) for task in tasks] == [4, 1]
    assert [round(each.severity, 3) for each in tasks[0].lesions] == [1.0, 0.167, 0.5, 1.0]
    assert max(each.severity for each in tasks[0].lesions) <= 1.0
    assert tasks[0].seed != tasks[1].seed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ("tumour",)}, "kinds names tumour: expected some of dilation"),
        ({"severities": {"none": 0.0}}, "expected severities of more than 0 up to 1"),
        ({"dilations": (0.9,)}, "factors of more than 1 up to 1.6"),
        ({"dilations": (1.7,)}, "factors of more than 1 up to 1.6"),
    ],
)
def test_an_evaluation_that_makes_no_sense_is_refused(tmp_path, score, records, options, message):
    with pytest.raises(ValueError, match=message):
        evaluation(tmp_path, score, records, **options)


def test_nobody_is_held_against_himself(tmp_path, score, records):
    with pytest.raises(ValueError, match="p0: subjects, and normal people whom they are held against"):
        EvaluateDetection(records[:1], records[:5], score, str(tmp_path)).run()


def test_a_vessel_of_which_nothing_can_be_compared_is_not_scored(score, records):
    image, _ = score.load(records[0])
    with pytest.raises(ValueError, match="no level can be compared: expected at least one"):
        score(image, GivenTrack(confidence=0.05)({})["aorta"])
