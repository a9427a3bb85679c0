import base64
import csv
import gzip
import html
import io
import logging
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from fake_vessel import (
    AORTA_MM,
    ORIGIN,
    SHAPE,
    SPACING,
    FakeNetworks,
    FakeRater,
    GivenTrack,
    widths_of,
    write_calibration,
    write_features,
    write_vessel,
)
from PIL import Image

from monai_cardiac_gan.data import settings_digest
from monai_cardiac_gan.evaluation import DetectionCalibration, DetectVessel, ScanScorer, ScoreVessel
from monai_cardiac_gan.evaluation.detection_calibration import NormalPerson, write_detection_calibration
from monai_cardiac_gan.inferers import ScanRater, VesselNetworks
from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.networks import nets
from monai_cardiac_gan.reporting import Detect, SubjectExaminer, write_subject_page
from monai_cardiac_gan.reporting.report_volume import ReportTask, VolumeReporter, report_volume
from monai_cardiac_gan.reporting.subject_results import AnswerKind, read_results, write_results

MARKER = (50, 52, 14)
"""Voxel of a bright block, in front of the vessel and to its right."""
RIGHT, FRONT = -20.0, -10.0
"""Of the vessel's centre in the scanner, mm (RAS+)."""
CODES = ("RAS", "LPS", "PIR", "SAL")


def examine(path, folder, record=None, **settings):
    """Results of a volume with a grade of 4; the localisation, the networks and the calibration are given."""
    folder.mkdir(exist_ok=True)
    usual = {"networks": FakeNetworks(), "localise": GivenTrack(), "calibration": None, "save_volumes": False}
    settings = usual | settings
    settings["calibration"] = settings["calibration"] or write_calibration(folder / "calibration.json")
    return SubjectExaminer(**settings)({"image": str(path), "subject": "ann", "grade": 4.0} | (record or {}), folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("vessels")


@pytest.fixture(scope="module")
def straight(folder):
    """A tube of 22 mm."""
    return write_vessel(folder / "straight.nii.gz")


@pytest.fixture(scope="module", params=CODES)
def turned(request, folder):
    """A volume in some axes: its file, the folder with what was written, and the results."""
    path = write_vessel(folder / f"{request.param}.nii.gz", request.param, marker=MARKER)
    return path, folder / request.param, examine(path, folder / request.param, save_volumes=True)


@pytest.fixture(scope="module")
def upright(folder):
    return examine(write_vessel(folder / "upright.nii.gz", marker=MARKER), folder / "upright")


def strip_of(pictures, kind="acquired"):
    """(n, S, S) grey."""
    strip = np.asarray(Image.open(io.BytesIO(base64.b64decode(getattr(pictures, kind).partition(",")[2]))))
    return strip.reshape(len(pictures.slices), pictures.size, pictures.size)


def place_of(picture, column, row):
    """Scanner millimetres of a place in a picture."""
    return np.array(picture.origin_mm) + column * np.array(picture.right_mm) + row * np.array(picture.down_mm)


def test_axes_of_the_file_change_nothing_but_the_numbers_of_its_slices(turned, upright):
    path, _, results = turned
    file = nibabel.load(path)
    axis = "".join(nibabel.aff2axcodes(file.affine)).translate(str.maketrans("I", "S")).index("S")
    assert (results.scan.slice_axis, results.scan.shape) == (axis, file.shape)
    assert results.scan.spacing_mm == pytest.approx(file.header.get_zooms())
    for level, same in zip(results.levels, upright.levels, strict=True):
        assert replace(level, slice=0) == replace(same, slice=0)
        index = np.linalg.inv(file.affine) @ [*level.centre_mm, 1]
        assert level.slice == pytest.approx(index[axis], abs=0.01)
    for picture, same in zip(results.pictures.slices, upright.pictures.slices, strict=True):
        assert replace(picture, slice=0) == replace(same, slice=0)
    assert results.answer == upright.answer
    assert results.pictures.acquired == upright.pictures.acquired
    assert results.provenance["digest"] == upright.provenance["digest"]


def test_the_levels_have_the_tubes_place_and_diameter(upright):
    assert len(upright.levels) == 14
    for level in upright.levels:
        assert level.area_equivalent_mm == pytest.approx(22.0, abs=0.1)
        assert level.expected_mm == pytest.approx(22.0, abs=0.1)
        assert level.centre_mm == pytest.approx((RIGHT, FRONT, ORIGIN[2] + SPACING[2] * level.slice), abs=0.01)
        assert level.low_mm < level.expected_mm < level.high_mm
        assert [normal.sex for normal in level.normals] == ["male", "female"]
    assert upright.answer.kind == AnswerKind.EXPECTED


def test_a_block_lies_in_the_picture_where_it_lies_in_the_person(turned):
    _, _, results = turned
    wanted = np.array(ORIGIN) + np.array(MARKER) * SPACING
    (number,) = [
        number for number, each in enumerate(results.pictures.slices) if abs(each.origin_mm[2] - wanted[2]) < 0.1
    ]
    picture, grey = results.pictures.slices[number], strip_of(results.pictures)[number]
    rows, columns = np.mgrid[: results.pictures.size, : results.pictures.size]
    bright = (grey > 200) & (np.hypot(columns - picture.centre[0], rows - picture.centre[1]) > 1.5 * picture.radius)
    column, row = columns[bright].mean(), rows[bright].mean()
    assert column < picture.centre[0]  # the patient's right is on the left
    assert row < picture.centre[1]  # the front is on top
    assert place_of(picture, column, row) == pytest.approx(wanted, abs=0.3)
    assert place_of(picture, *picture.centre) == pytest.approx((RIGHT, FRONT, wanted[2]), abs=0.01)


def test_the_hole_of_each_picture_is_where_the_expected_one_differs(upright):
    acquired, expected = (strip_of(upright.pictures, kind).astype(int) for kind in ("acquired", "expected"))
    for number, picture in enumerate(upright.pictures.slices):
        left, top, width, height = picture.hole
        rows, columns = np.nonzero(acquired[number] != expected[number])
        assert (width, height) == (49, 49)
        assert left <= columns.min()
        assert columns.max() < left + width
        assert top <= rows.min()
        assert rows.max() < top + height
        assert place_of(picture, left + width // 2, top + height // 2)[:2] == pytest.approx((RIGHT, FRONT), abs=0.5)


def test_the_expected_volume_is_the_acquired_one_but_for_the_voxels_that_were_painted(turned):
    path, folder, results = turned
    acquired, expected, painted = (
        nibabel.load(each)
        for each in (path, folder / results.files["expected volume"], folder / results.files["painted voxels"])
    )
    for written in (expected, painted):
        assert written.shape == acquired.shape
        np.testing.assert_array_equal(written.affine, acquired.affine)
    mask = np.asarray(painted.dataobj)
    before, after = np.asarray(acquired.dataobj), np.asarray(expected.dataobj)
    assert set(np.unique(mask)) == {0, 1}
    assert after.dtype == before.dtype
    np.testing.assert_array_equal(after[mask == 0], before[mask == 0])
    # 49 mm of voxels of 2 mm on each of 30 slices, around the vessel
    places = nibabel.affines.apply_affine(painted.affine, np.argwhere(mask))
    assert len(places) == 25 * 25 * SHAPE[2]
    assert np.abs(places[:, :2] - [RIGHT, FRONT]).max() <= 24.5
    # a bright disc on dark ground was painted, in the brightness of the volume
    blood = np.hypot(*(places[:, :2] - [RIGHT, FRONT]).T) < 8
    assert np.median(after[mask == 1][blood]) == pytest.approx(np.median(before[mask == 1][blood]), rel=0.15)


def test_a_wider_stretch_is_found_and_named(folder):
    path, course = (
        write_vessel(folder / "wide.nii.gz", bulge_mm=10.0),
        GivenTrack(diameters_mm=widths_of(bulge_mm=10.0)),
    )
    results = examine(path, folder / "wide", localise=course)
    (stretch,) = results.answer.stretches
    assert results.answer.kind == AnswerKind.WIDER
    assert stretch.from_mm < 72.5 < stretch.to_mm
    assert results.answer.reasons[-1] == "wider than the published range at 3 of 14 compared levels"
    middle = results.levels[7]
    assert middle.mm_from_top == 75.0
    assert middle.area_equivalent_mm == pytest.approx(22 + 10 * np.exp(-((2.5 / 15) ** 2)), abs=0.3)
    assert middle.expected_mm == pytest.approx(22.0, abs=0.3)


SHORT = GivenTrack(range(12))
FEW = GivenTrack(confidence=[0.9] * 8 + [0.05] * 22)
"""35 mm of the vessel can be measured: no slice has enough of it beyond its gap."""
CANNOT_TELL = {
    "grade": ({"record": {"grade": 2.0}}, "the image quality is graded 2.0 of 4 (person); more than 2 is needed"),
    "no vessel": ({"localise": GivenTrack([])}, "no descending aorta was found; click on it to give a correction"),
    "unsure": (
        {"localise": GivenTrack(track_confidence=0.3)},
        "the localisation is unsure (confidence 0.30; at least 0.5 is needed)",
    ),
    "short": (
        {"localise": SHORT},
        "the track is 55 mm long: too short to predict its course from slices at least 30 mm away",
    ),
    "unfamiliar": (
        {"familiarity": FakeRater(0.3)},
        "the scan looks unlike those that the networks know (familiarity 0.30; at least 0.5 is needed)",
    ),
    "few levels": (
        {"localise": FEW},
        "only 0 levels can be compared, at least 3 are needed",
    ),
    "nothing painted": ({"networks": FakeNetworks(0.0)}, "an aorta was painted on only 0 % of the levels"),
}


@pytest.mark.parametrize("case", CANNOT_TELL)
def test_what_is_unsure_is_said_first_and_kept_in_the_results_and_on_the_page(straight, tmp_path, case):
    settings, reason = CANNOT_TELL[case]
    settings = {"search": case == "nothing painted"} | settings
    results = examine(straight, tmp_path / "out", **settings)
    assert results.answer.kind == AnswerKind.CANNOT_TELL
    assert results.answer.headline.startswith(f"cannot tell: {reason}")
    assert results.answer.reasons[0].startswith(reason)
    assert results.answer.stretches == ()
    assert read_results(write_results(tmp_path / "results.json", results)) == results
    page = write_subject_page(results, tmp_path / "out").read_text(encoding="utf-8")
    assert results.answer.headline in html.unescape(page)


def test_no_level_counts_of_which_nothing_can_be_expected(straight, tmp_path):
    results = examine(straight, tmp_path / "out", localise=FEW, search=False)
    reason = "too little of the vessel can be measured beyond a gap of 30 mm to expect a diameter here"
    assert f"115, 125, 135 mm from the top: {reason}" in results.left_out
    assert [level.expected_mm for level in results.levels if level.reason == reason] == [None] * 3
    assert not any(level.is_compared for level in results.levels)


def test_the_first_of_several_doubts_is_the_picture_and_all_are_kept(straight, tmp_path):
    results = examine(straight, tmp_path / "out", {"grade": 1.0}, localise=SHORT, familiarity=FakeRater(0.2))
    begins = [each.split()[1] for each in results.answer.reasons]
    assert begins == ["image", "scan", "track"]
    assert results.scan.familiarity == 0.2


def test_without_levels_the_overview_shows_where_to_click(straight, tmp_path):
    results = examine(straight, tmp_path / "out", localise=GivenTrack([]))
    assert results.pictures.slices == ()
    assert results.pictures.overview.tiles
    assert (results.levels, results.files, results.scan.length_mm) == ((), {}, 0.0)


def test_a_scan_is_rated_by_patches_every_10_mm(straight, tmp_path):
    rater = FakeRater(0.9)
    results = examine(straight, tmp_path / "out", familiarity=rater, search=False)
    assert results.scan.familiarity == 0.9
    assert rater.seen == [((14, 1, 128, 128), (14, 1, 128, 128))]


def test_without_a_search_the_own_vessel_alone_is_expected_and_nothing_painted(straight, tmp_path):
    results = examine(
        straight, tmp_path / "out", networks=FakeNetworks(fault="nobody may load them"), search=False, save_volumes=True
    )
    assert results.answer.kind == AnswerKind.EXPECTED
    assert [level.painted_mm for level in results.levels] == [None] * 14
    assert [level.expected_mm for level in results.levels] == [level.own_mm for level in results.levels]
    assert results.levels[7].own_mm == pytest.approx(22.0, abs=0.1)
    assert results.files == {"centre line": "centre_line.mrk.json"}
    assert not list((tmp_path / "out").glob("*.nii*"))
    assert results.pictures.expected == results.pictures.acquired
    assert [each.hole for each in results.pictures.slices] == [None] * len(results.pictures.slices)
    assert results.provenance["networks"] == {}


def test_no_volumes_are_written_where_nobody_asked_for_them(straight, tmp_path):
    results = examine(straight, tmp_path / "out")
    assert set(results.files) == {"centre line"}
    assert results.levels[7].painted_mm == pytest.approx(22.0, abs=0.5)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"calibration.json", "centre_line.mrk.json"}


def test_a_fault_of_the_weights_is_an_error_and_no_doubt_about_the_scan(straight, tmp_path):
    with pytest.raises(ValueError, match=r"critic\.pt: does not fit"):
        examine(straight, tmp_path / "out", networks=FakeNetworks(fault="critic.pt: does not fit"))


def test_a_missing_calibration_is_an_error(straight, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.json"):
        examine(straight, tmp_path / "out", calibration=str(tmp_path / "gone.json"))


@pytest.mark.parametrize(("known", "word"), [({"hole": 41}, "hole"), ({"search": {"generator": "other"}}, "generator")])
def test_what_is_painted_has_no_part_where_the_calibration_is_for_another_search(straight, tmp_path, known, word):
    path = write_calibration(tmp_path / "c.json", painted_weight=1.0, painted_bias_mm=5.0, **known)
    results = examine(straight, tmp_path / "out", calibration=path)
    assert any(f"calibrated with another {word}" in each for each in results.left_out)
    assert [level.expected_mm for level in results.levels] == [level.own_mm for level in results.levels]


def test_what_is_painted_has_the_part_that_the_calibration_says(straight, tmp_path):
    path = write_calibration(tmp_path / "c.json", painted_weight=0.5, painted_bias_mm=2.0)
    results = examine(straight, tmp_path / "out", calibration=path)
    for level in results.levels:
        assert level.expected_mm == pytest.approx(level.own_mm + 0.5 * (level.painted_mm - 2 - level.own_mm), abs=0.011)
    assert results.left_out == ()


def test_what_the_data_list_knows_of_the_person_arrives(straight, tmp_path):
    person = {"sex": "female", "age": 61.0, "height": 168.0, "weight": 70.0, "date": "2026-03-01"}
    results = examine(straight, tmp_path / "out", person, search=False)
    subject = results.subject
    assert (subject.name, subject.image) == ("ann", str(straight))
    assert (subject.sex, subject.age, subject.date) == ("female", 61.0, "2026-03-01")
    assert (subject.height_cm, subject.weight_kg) == (168.0, 70.0)
    assert {normal.sex for level in results.levels for normal in level.normals} == {"female"}


def test_a_vessel_that_is_wide_all_along_is_beside_the_normals_of_its_sex(folder, tmp_path):
    """27 mm lie above the range of women, 22.9 mm at most, and above that of men, 26.2 mm at most."""
    path = write_vessel(folder / "all_wide.nii.gz", diameter_mm=27.0)
    results = examine(path, tmp_path / "out", {"sex": "female"}, search=False)
    assert results.answer.kind == AnswerKind.ABOVE_NORMALS
    assert results.answer.headline == "wider than published normal values at 14 of 14 levels"
    assert not any("published range" in reason for reason in results.answer.reasons)  # which would say it twice


def test_nothing_but_the_pseudonym_is_written(tmp_path, caplog, capfd):
    header = {
        "descrip": b"Geheimrat^Meyer",
        "db_name": b"Geheimrat",
        "intent_name": b"Geheimrat",
        "aux_file": b"Geheimrat",
    }
    path = write_vessel(tmp_path / "Geheimrat" / "Geheimrat_Meyer.nii.gz", header=header)
    examiner = SubjectExaminer(FakeNetworks(), write_calibration(tmp_path / "c.json"), localise=GivenTrack())
    record = {"image": str(path), "subject": "subject_1", "grade": 4.0}
    task = ReportTask(0, record, name="subject_2")
    with caplog.at_level(logging.DEBUG):
        made = report_volume(VolumeReporter(examiner, write_subject_page), "digest", str(tmp_path / "out"), False, task)
    assert made.error is None
    assert (made.results.subject.name, made.results.subject.image) == ("subject_1", "subject_2")
    written = {each.name: each.read_bytes() for each in (tmp_path / "out").rglob("*") if each.is_file()}
    assert {"expected.nii.gz", "painted.nii.gz", "centre_line.mrk.json", "results.json", "report.html"} < set(written)
    unpacked = [gzip.decompress(content) for name, content in written.items() if name.endswith(".gz")]
    streams = capfd.readouterr()
    everything = [*written.values(), *unpacked, *(each.encode() for each in (caplog.text, streams.out, streams.err))]
    assert not [each for each in everything if b"Geheimrat" in each]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hole": 0}, "mask's side is 0 pixels"),
        ({"hole": 128}, "mask's side is 128 pixels: expected at least 1 and less than the patch's"),
        ({"step_mm": 0.0}, r"levels lie 0\.0 mm apart: expected more than 0"),
    ],
)
def test_settings_that_fail_every_volume_are_refused_before_the_first(settings, message):
    with pytest.raises(ValueError, match=message):
        SubjectExaminer(FakeNetworks(), "calibration.json", **settings)


def test_levels_at_another_distance_than_the_calibration_s_are_told(straight, tmp_path):
    path = write_calibration(tmp_path / "c.json", painted_weight=0.5, painted_bias_mm=2.0)
    results = examine(straight, tmp_path / "out", calibration=path, step_mm=20.0)
    assert [level.expected_mm for level in results.levels] == [level.own_mm for level in results.levels]
    assert any("calibrated with another distance of the levels" in each for each in results.left_out)


@pytest.fixture
def weights(tmp_path):
    """Files that a report depends on, each with a content of its own."""
    names = (
        "generator",
        "critic",
        "bank",
        "encoder",
        "inpainting_unet",
        "features",
        "familiarity",
        "calibration",
        "normals",
    )
    paths = {name: tmp_path / f"{name}.pt" for name in names}
    for name, path in paths.items():
        path.write_bytes(name.encode())
    return paths


def digest_of(weights, **settings):
    searched = ("generator", "critic", "bank", "encoder", "inpainting_unet")
    makers = (nets.ResidualGenerator, nets.ResidualCritic, LatentBank, nets.LatentEncoder, nets.InpaintingUNet)
    starts = settings.pop("starts", 1)
    networks = VesselNetworks(*makers, *(weights[name] for name in searched), starts=starts)
    rater = ScanRater(nets.PatchFeatures, weights["features"], weights["familiarity"])
    detect = DetectVessel(ScoreVessel(nets.PatchFeatures, weights["features"]), [weights["normals"]])
    examiner = SubjectExaminer(networks, weights["calibration"], rater, **({"detect": detect} | settings))
    return settings_digest(VolumeReporter(examiner, write_subject_page).settings())


def test_the_settings_of_a_report_are_the_same_while_nothing_changes(weights, tmp_path):
    first = digest_of(weights)
    (tmp_path / "elsewhere").mkdir()
    moved = {name: path.rename(tmp_path / "elsewhere" / path.name) for name, path in weights.items()}
    assert digest_of(moved) == first


@pytest.mark.parametrize(
    "name",
    ["generator", "critic", "bank", "encoder", "inpainting_unet", "features", "familiarity", "calibration", "normals"],
)
def test_another_file_is_another_report(weights, name):
    first = digest_of(weights)
    weights[name].write_bytes(b"other")
    assert digest_of(weights) != first


def test_each_setting_counts(weights):
    changes = [
        {}, {"hole": 41}, {"step_mm": 5.0}, {"min_grade": 1.0}, {"min_confidence": 0.4}, {"search": False},
        {"save_volumes": False}, {"starts": 2}, {"detect": None}, {"localise": GivenTrack([1])},
    ]  # fmt: skip
    assert len({digest_of(weights, **each) for each in changes}) == len(changes)


def test_the_tube_lies_where_the_tests_say():
    assert (ORIGIN[0] + AORTA_MM[0], ORIGIN[1] + AORTA_MM[1]) == (RIGHT, FRONT)


@pytest.fixture(scope="module")
def detecting(folder):
    """Normal people like the straight tube: their scores are the tube's, and noise."""
    networks = FakeNetworks(answers=5)
    vessels, scorer = (
        write_calibration(folder / "vessels.json"),
        ScoreVessel(nets.PatchFeatures, write_features(folder / "features.pt")),
    )
    score = ScanScorer(networks, vessels, scorer, localise=GivenTrack())
    path = write_vessel(folder / "normal.nii.gz")
    found = score(*score.load({"image": str(path), "subject": "ben"})).scored
    source = np.random.default_rng(0)
    scored = {
        f"p{number}": replace(
            found.levels, scores=found.levels.scores + source.normal(0, 0.15, found.levels.scores.shape)
        )
        for number in range(20)
    }
    people = {
        name: NormalPerson(each, found.texture + source.normal(0, 0.05, len(found.texture)), False)
        for name, each in scored.items()
    }
    known = write_detection_calibration(
        folder / "known.json", DetectionCalibration("tubes", score.parts(), people, {}, 1.3, "0")
    )
    return {"networks": networks, "calibration": vessels, "detect": DetectVessel(scorer, [str(known)])}


def test_a_verdict_stands_in_the_results_and_an_alarm_in_the_answer(folder, detecting):
    usual = examine(folder / "normal.nii.gz", folder / "usual", **detecting)
    assert usual.verdict.is_alarm is False
    assert (usual.verdict.kind, usual.verdict.normals) == ("tubes", 20)
    assert all(level.anomaly is not None for level in usual.levels if level.is_compared)
    assert not any(level.stands_out for level in usual.levels)
    bulge = write_vessel(folder / "bulge8.nii.gz", bulge_mm=8.0)
    ill = examine(bulge, folder / "ill", **detecting, save_volumes=True)
    assert ill.verdict.is_alarm
    standing = [level.mm_from_top for level in ill.levels if level.stands_out]
    assert min(abs(mm - 75) for mm in standing) <= 10
    assert ill.pictures.anomaly_range == 6.0
    maps = nibabel.load(folder / "ill" / ill.files["anomaly map"])
    assert maps.shape == SHAPE
    assert np.abs(maps.get_fdata()).max() > 3
    assert read_results(write_results(folder / "ill.json", ill)) == ill


def test_the_anomaly_volume_is_brighter_than_expected_where_the_bulge_is(folder, detecting):
    """In the middle slice, 13 mm from the vessel's middle: tissue in a tube of 22 mm, blood in one of 30."""
    bulge = write_vessel(folder / "bulge_again.nii.gz", bulge_mm=8.0)
    examine(bulge, folder / "again", **detecting, save_volumes=True)
    values = nibabel.load(folder / "again" / "anomaly.nii.gz").get_fdata()
    x, y = (round(middle / side) for middle, side in zip(AORTA_MM, SPACING, strict=False))
    beside = round(13 / SPACING[0])
    middle = SHAPE[2] // 2
    assert values[x + beside, y, middle] > 3
    assert values[x - beside, y, middle] > 3
    assert values[x, y + beside, middle] > 3
    assert abs(values[x, y, middle]) < 2
    assert values[x + round(28 / SPACING[0]), y, middle] == 0  # beyond the hole


def test_who_cannot_be_told_has_no_verdict(folder, tmp_path, detecting):
    found = examine(folder / "normal.nii.gz", tmp_path / "x", record={"grade": 1.0}, **detecting)
    assert found.answer.kind == AnswerKind.CANNOT_TELL
    assert found.verdict is None
    assert all(level.anomaly is None for level in found.levels)


def test_why_there_is_no_verdict_is_left_out(folder, tmp_path, detecting):
    found = examine(folder / "normal.nii.gz", tmp_path / "x", **(detecting | {"hole": 41}))
    assert found.verdict is None
    assert any(each.startswith("no verdict: normal people were scored with another hole") for each in found.left_out)
    searched = examine(folder / "normal.nii.gz", tmp_path / "y", **(detecting | {"networks": FakeNetworks()}))
    assert any("0 answers were drawn" in each for each in searched.left_out)
    assert searched.pictures.anomaly == ""


def test_a_table_of_verdicts_agrees_with_the_reports(folder, tmp_path, detecting):
    detect = detecting["detect"]
    score = ScanScorer(detecting["networks"], detecting["calibration"], detect.scorer, localise=GivenTrack())
    write_vessel(folder / "bulge9.nii.gz", bulge_mm=9.0)
    records = [
        {"image": str(folder / name), "subject": name[:5]} for name in ("normal.nii.gz", "bulge9.nii.gz", "none.nii.gz")
    ]
    Detect(records, score, detect, str(tmp_path)).run()
    with (tmp_path / "detection.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["alarm"] for row in rows] == ["no", "yes", ""]
    assert "none.nii.gz" in rows[2]["error"]
    assert abs(float(rows[1]["most_unusual_mm_from_top"]) - 75) <= 15
    report = examine(folder / "normal.nii.gz", tmp_path / "report", **detecting)
    assert float(rows[0]["score"]) == pytest.approx(report.verdict.score, abs=0.02)
    assert nibabel.load(tmp_path / "0001_bulge" / "anomaly.nii.gz").shape == SHAPE
    with pytest.raises(ValueError, match=r"no verdict on any of 1 volumes; the first: .*none\.nii\.gz"):
        Detect(records[2:], score, detect, str(tmp_path / "x")).run()
