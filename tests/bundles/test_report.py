"""From the bundle's configs to a person's report, with the shipped weights and a search that is cut short."""

import pickle
from pathlib import Path

import nibabel
import numpy as np
import pytest
from fake_vessel import SPACING, GivenTrack, write_calibration, write_vessel
from monai.bundle import ConfigParser

from monai_cardiac_gan.data import settings_digest, settings_of
from monai_cardiac_gan.evaluation import read_detection_calibration, read_vessel_calibration, scoring_parts
from monai_cardiac_gan.reporting import write_subject_page
from monai_cardiac_gan.reporting.report_volume import VolumeReporter

BUDGET = {"coarse_evaluations": 2, "evaluations": 1}


@pytest.fixture
def parser(bundle, tmp_path):
    def parser(*names, **changes):
        config = ConfigParser(
            ConfigParser.load_config_files([str(bundle / "configs" / f"{name}.json") for name in names])
        )
        config.update({"bundle_root": str(bundle), "output_dir": str(tmp_path), "device": "cpu", **changes})
        config["searching"].update(BUDGET)
        config.parse()
        return config

    return parser


@pytest.mark.parametrize(
    ("preset", "parts"),
    [
        ("amortised", {"generator", "seed", "blending", "typical_noise", "smoothing"}),
        ("lbfgs", {"generator", "initializer", "proposal", "optimizer", "coupling"}),
    ],
)
def test_the_shipped_weights_paint_a_vessel_and_doubt_a_scan_of_another_kind(parser, tmp_path, preset, parts):
    calibration = write_calibration(tmp_path / "calibration.json")
    config = parser("report", expectation_path=calibration, search_preset=preset)
    path = write_vessel(tmp_path / "tube.nii.gz")
    (tmp_path / "out").mkdir()
    results = config.get_parsed_content("examine")(
        {"image": str(path), "subject": "ann", "grade": 4.0}, tmp_path / "out"
    )
    assert "the scan looks unlike those that the networks know" in results.answer.headline
    assert 0 < results.scan.familiarity < 0.5
    assert [level.area_equivalent_mm for level in results.levels] == pytest.approx([22.0] * 14, abs=0.2)
    before, after, painted = (
        np.asarray(nibabel.load(each).dataobj)
        for each in (path, tmp_path / "out" / "expected.nii.gz", tmp_path / "out" / "painted.nii.gz")
    )
    slices = np.flatnonzero(painted.any((0, 1)))
    assert len(slices) == np.ptp(slices) + 1 == results.scan.length_mm / SPACING[2] + 1  # every slice of the track
    np.testing.assert_array_equal(after[painted == 0], before[painted == 0])
    assert (after != before).any((0, 1))[slices].all()
    assert parts <= set(results.provenance["networks"])
    assert any("calibrated with another" in each for each in results.left_out)  # for the fake search


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "amortised_vessel_calibration.json"),
        ({"search_preset": "amortised"}, "amortised_vessel_calibration.json"),
        ({"search_preset": "lbfgs"}, "vessel_calibration.json"),
    ],
)
def test_each_preset_has_a_shipped_calibration_of_its_own(bundle, parser, changes, name):
    config = parser("report", **changes)
    networks = config["searching"]
    for part in BUDGET:
        del networks[part]
    config.parse()
    path = Path(config.get_parsed_content("expectation_path"))
    assert path.name == name
    calibration = read_vessel_calibration(bundle / "models" / name)
    digests = config.get_parsed_content("networks").load().digests
    model, note = calibration.model_for(digests, config["hole_size"], config["level_step_mm"])
    assert (model, note) == (calibration.model, None)
    assert calibration.step_mm == config["level_step_mm"]
    assert {"la_003", "la_017", "la_018"} == set(calibration.unseen)
    # the goal for people never seen, with an expectation from all the others
    assert max(calibration.judged[name].expected_mm for name in calibration.unseen) <= 1.3


def test_a_generator_of_one_s_own_is_searched(parser, tmp_path):
    config = parser("report", generator_checkpoint=str(tmp_path / "model.pt"))
    assert Path(config.get_parsed_content("expectation_path")).name == "vessel_calibration.json"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hole_size", 41),
        ("level_step_mm", 5.0),
        ("search", False),
        ("viewer_files", False),
        ("alpha", 0.1),
        ("detection_paths", []),
        ("searches", 2),
        ("search_preset", "amortised"),
    ],
)
def test_each_option_of_the_report_reaches_the_examiner(parser, name, value):
    reports = [
        VolumeReporter(
            parser("report", **{"search_preset": "lbfgs", **changes}).get_parsed_content("examine"), write_subject_page
        )
        for changes in ({}, {}, {name: value})
    ]
    first, same, other = (settings_digest(each.settings()) for each in reports)
    assert first == same != other


@pytest.mark.parametrize(("name", "people", "seen"), [("acquired", 11, 8), ("phantoms", 98, 0)])
def test_the_shipped_normal_people_were_scored_with_the_shipped_weights(bundle, parser, name, people, seen):
    """Else no report had a verdict."""
    examiner = parser("report").get_parsed_content("examine")
    known = read_detection_calibration(bundle / "models" / f"detection_{name}.json")
    parts = scoring_parts(
        examiner.networks, examiner.detect.scorer, examiner.calibration, examiner.hole, examiner.step_mm
    )
    assert known.differing(parts) == []
    assert str(bundle / "models" / f"detection_{name}.json") in map(str, map(Path, examiner.detect.paths))
    assert len(known.people) == people
    assert sum(each.is_seen for each in known.people.values()) == seen
    assert all(each.levels.is_compared.sum() >= 10 for each in known.people.values())


def test_a_change_of_the_answers_or_the_hole_needs_other_normal_people(bundle, parser):
    known = read_detection_calibration(bundle / "models" / "detection_acquired.json")
    for changes, part in (({"answers": 6}, "answers"), ({"hole_size": 41}, "hole")):
        examiner = parser("report", **changes).get_parsed_content("examine")
        parts = scoring_parts(
            examiner.networks, examiner.detect.scorer, examiner.calibration, examiner.hole, examiner.step_mm
        )
        assert known.differing(parts) == [part]


def test_the_examiner_reaches_another_process_as_it_is(parser):
    examiner = parser("report").get_parsed_content("examine")
    copy = pickle.loads(pickle.dumps(examiner))
    assert settings_of(copy) == settings_of(examiner)


def test_the_calibration_is_learnt_from_the_list_and_written_where_the_report_looks_for_it(parser, tmp_path):
    (tmp_path / "people").mkdir()
    for name in ("ann", "bob", "eve"):
        write_vessel(tmp_path / "people" / f"{name}.nii.gz")
    config = parser(
        "report", "calibrate_report", dataset_dir=str(tmp_path / "people"), unseen=["bob"], leave_out=["eve"], level=0.5
    )
    config["calibrate"]["networks"] = {"_target_": "fake_vessel.FakeNetworks"}
    config.parse()
    task = config.get_parsed_content("calibrate")
    assert (task.hole, task.step_mm, task.gap_mm) == (49, 10.0, 30.0)
    task.localise = GivenTrack()
    task.run()
    found = read_vessel_calibration(tmp_path / "models" / "amortised_vessel_calibration.json")
    assert (set(found.judged), found.unseen) == ({"ann", "bob"}, ("bob",))
    assert set(found.excluded) == {"eve"}
    assert (found.model.level, found.hole) == (0.5, 49)
