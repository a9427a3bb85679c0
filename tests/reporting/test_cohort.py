import csv
import json
import logging
import os
import re

import pytest
from fake_examiner import FakeExaminer, grow, write_cohort, write_page

from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.reporting import CohortReport
from monai_cardiac_gan.reporting.subject_results import read_results


@pytest.fixture
def hearts(tmp_path):
    """Volumes of two subjects; `calls` notes which were examined."""
    for name, diameter in (("ann", 22.0), ("bob", 30.0)):
        write_volume(tmp_path / "hearts" / f"{name}.nii", diameter=diameter)
    (tmp_path / "calls").mkdir()
    return tmp_path / "hearts"


def write_volume(path, diameter=22.0, **content):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"diameter": diameter, **content}))
    return path


def write_list(hearts, *rows):
    with (hearts / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return hearts / "list.csv"


def report(source, output, examine=None, **arguments):
    """Report what the list names; examined volumes are noted in ``calls`` beside the output."""
    examine = examine or FakeExaminer(output.parent / "calls")
    usual = {"write_page": write_page, "write_cohort": write_cohort}
    return CohortReport(read_datalist(source), str(output), examine, **(usual | arguments)).run()


def examined(output):
    """Names of the files that were examined since this was asked last."""
    calls = sorted((output.parent / "calls").iterdir())
    for call in calls:
        call.unlink()
    return [call.name.partition("-")[0] for call in calls]


def rows_of(output):
    with (output / "cohort.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files_of(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def test_each_subject_has_a_folder_and_the_cohort_a_table_and_a_page(hearts, tmp_path):
    volumes = report(hearts, tmp_path / "out")
    parts = ("results.json", "aorta.csv", "report.html", "expected.nii.gz")
    assert files_of(tmp_path / "out") == {
        *(f"{name}/{part}" for name in ("ann", "bob") for part in parts),
        "cohort.csv",
        "cohort.html",
        "inputs.json",
    }
    assert [volume.folder for volume in volumes] == ["ann", "bob"]
    assert read_results(tmp_path / "out" / "bob" / "results.json").subject.name == "bob"


def test_the_table_tells_the_largest_diameter_and_the_farthest_z_with_their_places(hearts, tmp_path):
    report(hearts, tmp_path / "out")
    assert rows_of(tmp_path / "out")[1] == {
        "subject": "bob",
        "image": str(hearts / "bob.nii"),
        "date": "",
        "answer": "as expected",
        "headline": "as expected at all 3 levels",
        "alarm": "",
        "p_value": "",
        "farthest_z": "6.15",
        "farthest_z_mm_from_top": "10.0",
        "largest_diameter_mm": "30.0",
        "largest_mm_from_top": "10.0",
        "largest_place": "mid-thoracic",
        "largest_expected_mm": "22.0",
        "grade": "3.5",
        "track_confidence": "0.8",
        "folder": "bob",
        "error": "",
    }


def test_one_file_alone_is_a_cohort(hearts, tmp_path):
    (volume,) = report(hearts / "bob.nii", tmp_path / "out")
    assert (volume.subject, volume.folder, volume.error) == ("bob", "bob", None)


def test_a_split_and_a_label_map_do_not_matter(hearts, tmp_path):
    source = write_list(hearts, ["image", "split", "label"], ["ann.nii", "train", "gone.nii"], ["bob.nii", "train", ""])
    assert [volume.error for volume in report(source, tmp_path / "out")] == [None, None]
    source = write_list(hearts, ["image", "split"], ["ann.nii", "test"], ["bob.nii", "x"])
    assert examined(tmp_path / "out") == ["ann.nii", "bob.nii"]
    report(source, tmp_path / "out")
    assert examined(tmp_path / "out") == []


def test_a_second_run_does_nothing_and_a_third_only_what_is_missing(hearts, tmp_path):
    first = report(hearts, tmp_path / "out")
    assert examined(tmp_path / "out") == ["ann.nii", "bob.nii"]
    assert report(hearts, tmp_path / "out") == first
    assert examined(tmp_path / "out") == []
    write_volume(hearts / "eve.nii")
    (tmp_path / "out" / "ann" / "report.html").unlink()
    report(hearts, tmp_path / "out")
    assert examined(tmp_path / "out") == ["ann.nii", "eve.nii"]
    report(hearts, tmp_path / "out", overwrite=True)
    assert examined(tmp_path / "out") == ["ann.nii", "bob.nii", "eve.nii"]


def test_a_file_or_an_entry_that_changed_is_reported_again_alone(hearts, tmp_path):
    report(hearts, tmp_path / "out")
    examined(tmp_path / "out")
    write_volume(hearts / "ann.nii", diameter=25.0)
    report(hearts, tmp_path / "out")
    assert examined(tmp_path / "out") == ["ann.nii"]
    assert read_results(tmp_path / "out" / "ann" / "results.json").levels[1].inscribed_mm == 25.0
    (tmp_path / "fix.csv").write_text("subject,x,y,z\nbob,1,2,3\n")
    report(hearts, tmp_path / "out", corrections=str(tmp_path / "fix.csv"))
    assert examined(tmp_path / "out") == ["bob.nii"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["ann", "bob"]


def test_a_touched_file_is_not_reported_again(hearts, tmp_path):
    report(hearts, tmp_path / "out")
    examined(tmp_path / "out")
    os.utime(hearts / "ann.nii", (0, 0))
    report(hearts, tmp_path / "out")
    assert examined(tmp_path / "out") == []


def test_other_settings_and_other_weights_under_the_same_path_are_other_reports(hearts, tmp_path):
    weights = tmp_path / "model.pt"
    for content, hole, done in (("one", 49, 2), ("one", 49, 0), ("two", 49, 2), ("two", 41, 2)):
        weights.write_text(content)
        report(hearts, tmp_path / "out", FakeExaminer(tmp_path / "calls", weights, hole))
        assert len(examined(tmp_path / "out")) == done
    weights.rename(tmp_path / "moved.pt")
    report(hearts, tmp_path / "out", FakeExaminer(tmp_path / "calls", tmp_path / "moved.pt", 41))
    assert examined(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", r"eve\.nii: Expecting value"),
        ('{"raises": "bug"}', r"eve\.nii: KeyError: 'radius'; tell the authors"),
    ],
)
def test_a_volume_that_fails_is_listed_and_the_others_go_on(hearts, tmp_path, caplog, content, message):
    (hearts / "eve.nii").write_text(content)
    with caplog.at_level(logging.WARNING):
        volumes = report(hearts, tmp_path / "out")
    assert [volume.folder for volume in volumes] == ["ann", "bob", None]
    error = rows_of(tmp_path / "out")[2]["error"]
    assert error in caplog.text
    assert re.search(message, error)
    assert not [path for path in (tmp_path / "out").iterdir() if "eve" in path.name]
    write_volume(hearts / "eve.nii")
    assert [volume.folder for volume in report(hearts, tmp_path / "out")] == ["ann", "bob", "eve"]


def test_a_file_that_is_gone_and_a_row_that_cannot_be_used_are_listed(hearts, tmp_path):
    source = write_list(hearts, ["image", "grade"], ["ann.nii", ""], ["gone.nii", ""], ["bob.nii", "7"])
    volumes = report(source, tmp_path / "out")
    assert volumes[1].error.endswith(
        "gone.nii: cannot be read (No such file or directory); check the path and its rights."
    )
    assert "list.csv, entry 4: has the grade '7'" in volumes[2].error


def test_a_strict_run_with_a_failure_ends_with_status_3_and_the_others_are_there(hearts, tmp_path):
    (hearts / "eve.nii").write_text("no json")
    with pytest.raises(SystemExit) as ended:
        report(hearts, tmp_path / "out", strict=True)
    assert ended.value.code == 3
    assert [row["folder"] for row in rows_of(tmp_path / "out")] == ["ann", "bob", ""]
    (hearts / "eve.nii").unlink()
    report(hearts, tmp_path / "out", strict=True)


def test_nothing_reported_is_an_error_behind_a_table(hearts, tmp_path):
    (hearts / "ann.nii").write_text("no json")
    with pytest.raises(
        ValueError, match=r"none of 1 volumes could be reported; the first: .*ann\.nii: Expecting value"
    ):
        report(hearts / "ann.nii", tmp_path / "out")
    assert len(rows_of(tmp_path / "out")) == 1


def test_a_full_disk_ends_the_run_and_what_is_done_stays(hearts, tmp_path):
    write_volume(hearts / "bob.nii", raises="disk")
    with pytest.raises(
        OSError, match=r"cannot be written \(No space left on device\); 1 of 2 volumes are done and kept"
    ):
        report(hearts, tmp_path / "out")
    assert not [name for name in files_of(tmp_path / "out") if name.startswith("bob") or ".unfinished" in name]
    write_volume(hearts / "bob.nii")
    examined(tmp_path / "out")
    report(hearts, tmp_path / "out")
    assert examined(tmp_path / "out") == ["bob.nii"]


def test_a_volume_that_kills_its_process_is_listed_and_the_others_go_on(hearts, tmp_path):
    write_volume(hearts / "eve.nii", kill=True)
    volumes = report(hearts, tmp_path / "out", workers=2)
    assert [volume.folder for volume in volumes] == ["ann", "bob", None]
    assert "the process that worked on it died 2 times" in volumes[2].error


def test_a_run_beside_another_is_turned_away(hearts, tmp_path):
    from monai_cardiac_gan.data import claimed_folder

    with (
        claimed_folder(tmp_path / "out", "at work"),
        pytest.raises(
            RuntimeError, match="out: another process is writing reports into this folder; wait until it has"
        ),
    ):
        report(hearts, tmp_path / "out")


def test_names_stay_inside_the_folder(hearts, tmp_path):
    names = ["../../ann", "/etc/bob", ".", "=cmd()"]
    rows = [[str(write_volume(hearts / f"{number}.nii", 20.0 + number)), name] for number, name in enumerate(names)]
    volumes = report(write_list(hearts, ["image", "subject"], *rows), tmp_path / "out")
    assert [volume.folder for volume in volumes] == ["%2E.%2F..%2Fann", "%2Fetc%2Fbob", "%2E", "=cmd()"]
    assert all((tmp_path / "out" / volume.folder / "report.html").exists() for volume in volumes)
    assert {path.name for path in tmp_path.iterdir()} == {"hearts", "out", "calls"}
    assert rows_of(tmp_path / "out")[3]["subject"] == "'=cmd()"


def test_people_whose_names_differ_in_case_have_two_folders_on_any_disk(hearts, tmp_path):
    source = write_list(hearts, ["image", "subject"], ["ann.nii", "Kim"], ["bob.nii", "KIM"])
    one, other = (volume.folder for volume in report(source, tmp_path / "out"))
    assert (one[:4], other[:4]) == ("Kim_", "KIM_")
    assert one.casefold() != other.casefold()


def two_dates(hearts, *dates, diameters=(22.0, 23.5, 25.0)):
    rows = [["image", "subject"]]
    for number, (date, diameter) in enumerate(zip(dates, diameters, strict=False)):
        rows.append([write_volume(hearts / f"scan{number}.nii", diameter, date=date).name, "ann"])
    return write_list(hearts, *rows)


def growth_of(output, volume):
    return [
        (each.earlier_date, each.mm_per_year) for each in read_results(output / volume.folder / "results.json").growth
    ]


def test_two_dates_of_one_subject_lie_side_by_side_and_the_later_one_has_the_growth(hearts, tmp_path):
    source = two_dates(hearts, "2026-05-01", "2024-05-01", "2025-05-01", diameters=(25.0, 22.0, 23.5))
    volumes = report(source, tmp_path / "out", follow_up=grow)
    assert len({volume.folder for volume in volumes}) == 3
    assert all(volume.folder.startswith("ann_") for volume in volumes)
    assert [growth_of(tmp_path / "out", volume) for volume in volumes] == [
        [("2025-05-01", 1.5)],
        [],
        [("2024-05-01", 1.5)],
    ]
    assert (tmp_path / "out" / volumes[0].folder / "report.html").read_text() == "ann grew [1.5]"
    assert volumes[0].results.growth[0].mm_per_year == 1.5


def test_growth_is_added_once_and_goes_with_the_earlier_scan(hearts, tmp_path):
    volumes = report(two_dates(hearts, "2024-05-01", "2025-05-01"), tmp_path / "out", follow_up=grow)
    files = [path for path in (tmp_path / "out").rglob("*") if path.parent.name.startswith("ann_")]
    times = [path.stat().st_mtime_ns for path in files]
    assert report(hearts / "list.csv", tmp_path / "out", follow_up=grow) == volumes
    assert [path.stat().st_mtime_ns for path in files] == times
    examined(tmp_path / "out")
    source = write_list(hearts, ["image", "subject"], ["scan1.nii", "ann"])
    (later,) = report(source, tmp_path / "out", follow_up=grow)
    assert later.folder == volumes[1].folder
    assert growth_of(tmp_path / "out", later) == []
    assert examined(tmp_path / "out") == []
    assert (tmp_path / "out" / volumes[0].folder).exists()  # of a scan that this list does not name


def test_scans_that_cannot_be_compared_are_told_and_have_no_growth(hearts, tmp_path, caplog):
    source = two_dates(hearts, "2024-05-01", "2025-05-01", diameters=(25.0, 22.0))
    _, later = report(source, tmp_path / "out", follow_up=grow)
    assert growth_of(tmp_path / "out", later) == []
    assert "shrank from 25 to 22 mm" in caplog.text
    reason = "no growth is given since the scan of 2024-05-01: shrank from 25 to 22 mm"
    assert read_results(tmp_path / "out" / later.folder / "results.json").growth_rule == reason
    (alone,) = report(write_list(hearts, ["image", "subject"], ["scan1.nii", "ann"]), tmp_path / "out", follow_up=grow)
    assert alone.results.growth_rule is None


def test_a_date_that_is_none_is_told(hearts, tmp_path, caplog):
    report(two_dates(hearts, "01.05.2024", "2025-05-01"), tmp_path / "out", follow_up=grow)
    assert "the date of" in caplog.text
    assert "is '01.05.2024': expected 2026-11-27 or the like" in caplog.text


def test_a_report_that_is_replaced_under_another_name_goes(hearts, tmp_path):
    source = two_dates(hearts, "2024-05-01", "2025-05-01")
    before = [volume.folder for volume in report(source, tmp_path / "out")]
    write_volume(hearts / "scan1.nii", 29.0, date="2025-05-01")
    after = [volume.folder for volume in report(source, tmp_path / "out")]
    assert before[0] == after[0]
    assert before[1] != after[1]
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == set(after)


def test_a_report_stays_while_its_file_cannot_be_read(hearts, tmp_path):
    report(hearts, tmp_path / "out")
    (hearts / "ann.nii").write_text("no json")
    assert [volume.folder for volume in report(hearts, tmp_path / "out")] == [None, "bob"]
    assert (tmp_path / "out" / "ann" / "report.html").exists()


def test_a_second_scan_that_comes_later_leaves_the_first_where_it_is(hearts, tmp_path):
    (first,) = report(two_dates(hearts, "2024-05-01"), tmp_path / "out")
    examined(tmp_path / "out")
    again, second = report(two_dates(hearts, "2024-05-01", "2025-05-01"), tmp_path / "out")
    assert examined(tmp_path / "out") == ["scan1.nii"]
    assert (first.folder, again.folder) == ("ann", "ann")
    assert second.folder.startswith("ann_")


def test_another_scan_of_the_same_name_alone_takes_nobodys_place(hearts, tmp_path):
    (first,) = report(two_dates(hearts, "2024-05-01"), tmp_path / "out")
    source = write_list(hearts, ["image", "subject"], ["bob.nii", "ann"])
    (second,) = report(source, tmp_path / "out")
    assert read_results(tmp_path / "out" / first.folder / "results.json").subject.image.endswith("scan0.nii")
    assert second.folder.startswith("ann_")


def test_a_folder_that_is_no_report_stays(hearts, tmp_path):
    (tmp_path / "out" / "ann").mkdir(parents=True)
    (tmp_path / "out" / "ann" / "notes.txt").write_text("mine")
    volumes = report(hearts, tmp_path / "out")
    assert volumes[0].folder.startswith("ann_")
    assert (tmp_path / "out" / "ann" / "notes.txt").read_text() == "mine"
    (tmp_path / "out" / volumes[0].folder / "results.json").unlink()
    with pytest.raises(
        ValueError, match=r"none of 1 volumes .* holds no report of this volume: expected one, or nothing"
    ):
        report(hearts / "ann.nii", tmp_path / "out")


@pytest.mark.parametrize("name", ["cohort.csv", "Cohort.html", "inputs.json"])
def test_a_subject_that_is_called_as_a_file_of_the_cohort_has_another_folder(hearts, tmp_path, name):
    source = write_list(hearts, ["image", "subject"], ["ann.nii", name])
    (volume,) = report(source, tmp_path / "out")
    assert volume.folder.startswith(f"{name}_")
    assert [row["subject"] for row in rows_of(tmp_path / "out")] == [name]
    assert report(source, tmp_path / "out") == [volume]
    assert len(examined(tmp_path / "out")) == 1


def test_the_same_file_twice_is_examined_once_and_the_graded_row_counts(hearts, tmp_path):
    rows = [["ann.nii", "ann", ""], ["../hearts/ann.nii", "ann", "4"], ["bob.nii", "bob", ""]]
    volumes = report(write_list(hearts, ["image", "subject", "grade"], *rows), tmp_path / "out")
    assert examined(tmp_path / "out") == ["ann.nii", "bob.nii"]
    assert volumes[0].error.endswith("ann.nii: the same image of the same subject in another row.")
    assert (volumes[1].folder, volumes[1].results.scan.grade) == ("ann", 4.0)


def test_a_copy_under_another_name_counts_once(hearts, tmp_path):
    (hearts / "copy.nii").write_bytes((hearts / "ann.nii").read_bytes())
    rows = [["ann.nii", "ann"], ["copy.nii", "ann"], ["bob.nii", "bob"]]
    volumes = report(write_list(hearts, ["image", "subject"], *rows), tmp_path / "out")
    assert volumes[1].error.endswith(f"copy.nii: the same image of the same subject as {hearts / 'ann.nii'}.")
    rows = [["ann.nii", "ann", "2"], ["copy.nii", "ann", "4"]]
    with pytest.raises(
        ValueError, match=r"has several grades of one image of ann: 2 \(.*ann\.nii\), 4 \(.*copy\.nii\)"
    ):
        report(write_list(hearts, ["image", "subject", "grade"], *rows), tmp_path / "out")


def test_rows_that_say_two_things_of_one_file_are_refused_before_a_volume_is_examined(hearts, tmp_path):
    source = write_list(hearts, ["image", "subject", "grade"], ["ann.nii", "ann", 3], ["ann.nii", "ann", 4])
    with pytest.raises(ValueError, match=r"an image of ann with the grades 3 and 4: expected one"):
        report(source, tmp_path / "out")
    twice = [{"image": str(hearts / "ann.nii"), "subject": "ann", "sex": sex} for sex in ("male", "female")]
    with pytest.raises(ValueError, match=r"an image of ann with 'male' and 'female' as sex: expected one"):
        CohortReport(twice, str(tmp_path / "out"), FakeExaminer(tmp_path), write_page=write_page)
    assert examined(tmp_path / "out") == []


def test_under_pseudonyms_nothing_names_the_subject_or_the_file(tmp_path, caplog, capfd):
    (tmp_path / "calls").mkdir()
    hearts = tmp_path / "Klinikum"
    write_volume(hearts / "Meyer-1949.nii", date="2024-05-01")
    write_volume(hearts / "12.nii", 23.0)
    (hearts / "Schulze.nii").write_text("no json")
    rows = [["Meyer-1949.nii", "Goethe"], ["12.nii", "Schiller"], ["Schulze.nii", "Kleist"]]
    source = write_list(hearts, ["image", "subject"], *rows)
    with caplog.at_level(logging.DEBUG):
        volumes = report(source, tmp_path / "out", subject_key=str(tmp_path / "key"))
    assert [volume.error is None for volume in volumes] == [True, True, False]
    streams = capfd.readouterr()
    names = " ".join(files_of(tmp_path / "out"))
    written = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    everything = b"\n".join([*written, *map(str.encode, (names, caplog.text, streams.out, streams.err))])
    for name in ("Meyer", "1949", "12.nii", "Schulze", "Goethe", "Schiller", "Kleist", "Klinikum"):
        assert name.encode() not in everything, name
    assert b"as expected at all 3 levels" in everything
    examined(tmp_path / "out")
    report(source, tmp_path / "out", subject_key=str(tmp_path / "key"))
    assert examined(tmp_path / "out") == ["Schulze.nii"]


@pytest.mark.parametrize("name", ["overwrite", "strict"])
def test_a_switch_is_true_or_false(tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} is 'false': expected True or False"):
        CohortReport([], str(tmp_path), FakeExaminer(tmp_path), write_page=write_page, **{name: "false"})


def test_no_workers_are_refused(hearts, tmp_path):
    with pytest.raises(ValueError, match="workers is 0: expected at least 1, or None for all cores"):
        report(hearts, tmp_path / "out", workers=0)
