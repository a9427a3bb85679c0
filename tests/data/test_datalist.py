import json
import re

import numpy as np
import pytest

from monai_cardiac_gan.data import read_datalist


def test_a_decathlon_list_has_paths_relative_to_itself(tmp_path):
    entries = [{"image": "./imagesTr/la_1.nii.gz", "label": "./labelsTr/la_1.nii.gz"}, "imagesTr/la_2.nii.gz"]
    (tmp_path / "dataset.json").write_text(json.dumps({"training": entries}))
    first, second = read_datalist(tmp_path / "dataset.json")
    assert first == {
        "image": str(tmp_path / "imagesTr/la_1.nii.gz"),
        "label": str(tmp_path / "labelsTr/la_1.nii.gz"),
        "subject": "la_1",
    }
    assert second == {"image": str(tmp_path / "imagesTr/la_2.nii.gz"), "subject": "la_2"}


def test_a_table_brings_subjects_grades_and_seeds(tmp_path):
    table = "image,subject,grade,seed_x,seed_y,seed_z\na.nii,ann,3.5,1,2,3\nb.nii,,,,,\n"
    (tmp_path / "list.csv").write_text(table)
    first, second = read_datalist(tmp_path / "list.csv")
    assert first == {"image": str(tmp_path / "a.nii"), "subject": "ann", "grade": 3.5, "seed": [1.0, 2.0, 3.0]}
    assert second == {"image": str(tmp_path / "b.nii"), "subject": "b"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image,grade\na.nii,4.5\n", r"entry 2: has the grade '4.5', expected a number from 0 .* to 4"),
        ("image,grade\na.nii,good\n", r"entry 2: has the grade 'good'"),
        ("image,grade\n,3\n", "entry 2: names no image"),
        ("file,grade\na.nii,3\n", r"has the columns \['file', 'grade'\], expected at least 'image'"),
        ("image,seed_x,seed_y,seed_z\na.nii,1,2,\n", "expected three numbers in seed_x, seed_y, seed_z, or none"),
        ("image,seed_x,seed_y,seed_z\na.nii,1,2,z\n", "expected three numbers in seed_x"),
    ],
)
def test_unusable_rows_say_why_and_do_not_stop_the_others(tmp_path, content, message):
    (tmp_path / "list.csv").write_text(content)
    if not content.startswith("image"):
        with pytest.raises(ValueError, match=message):
            read_datalist(tmp_path / "list.csv")
        return
    first = content.count(",", 0, content.index("\n"))
    (tmp_path / "list.csv").write_text(content + "good.nii" + "," * first + "\n" + "," * first + "\n")
    bad, good = read_datalist(tmp_path / "list.csv")
    assert re.search(message, bad["error"])
    assert good == {"image": str(tmp_path / "good.nii"), "subject": "good"}


@pytest.mark.parametrize("name", ["ann.nii.gz", "ann.NRRD", "ann.mha", "ann.hdr"])
def test_one_volume_is_a_list(tmp_path, name):
    (tmp_path / name).touch()
    assert read_datalist(tmp_path / name) == [{"image": str(tmp_path / name), "subject": "ann"}]


def test_a_folder_may_be_a_series_itself(tmp_path, write_series):
    write_series(tmp_path / "ann", np.zeros((4, 4, 3)))
    assert read_datalist(tmp_path / "ann") == [{"image": str(tmp_path / "ann"), "subject": "ann"}]


def test_unusable_sources_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder; give a folder of volumes"):
        read_datalist(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"holds no volumes; expected \.nii\.gz"):
        read_datalist(tmp_path)
    (tmp_path / "list.txt").touch()
    with pytest.raises(ValueError, match=r"list.txt: not a data list"):
        read_datalist(tmp_path / "list.txt")
    (tmp_path / "list.json").write_text("{")
    with pytest.raises(ValueError, match="is not valid JSON"):
        read_datalist(tmp_path / "list.json")
    (tmp_path / "list.json").write_text('{"test": []}')
    with pytest.raises(ValueError, match=r"has no list 'training' \(found: test\)"):
        read_datalist(tmp_path / "list.json")


def test_files_of_one_name_in_several_folders_are_several_people_where_no_subject_is_given(tmp_path):
    rows = ["p1/lgemri.nii", "p2/lgemri.nii", "p2/lgemri.nrrd", "x/p1/lgemri.nii", "p3/other.nii", "p1/lgemri.nii"]
    (tmp_path / "list.csv").write_text("image\n" + "\n".join(rows) + "\n")
    entries = [{"image": row} for row in rows]
    (tmp_path / "list.json").write_text(json.dumps({"training": entries}))
    for name in ("list.csv", "list.json"):
        one, two, twin, deep, other, again = (record["subject"] for record in read_datalist(tmp_path / name))
        assert two == twin == "p2/lgemri"  # one image in two formats
        assert one == again == f"{tmp_path.name}/p1/lgemri"
        assert deep == "x/p1/lgemri"
        assert other == "other"


def test_a_subject_that_is_given_stays(tmp_path):
    (tmp_path / "list.csv").write_text("image,subject\np1/a.nii,ann\np2/a.nii,ann\np3/a.nii,\np4/a.nii,a\n")
    assert [record["subject"] for record in read_datalist(tmp_path / "list.csv")] == ["ann", "ann", "p3/a", "a"]


@pytest.mark.parametrize("name", ["ends", "error", "hint", "correction", "aorta", "quality", "notes", "seed"])
def test_a_column_that_is_not_known_is_a_note_whatever_its_name(tmp_path, caplog, name):
    (tmp_path / "list.csv").write_text(f"image,subject,{name}\na.nii,ann,seen twice\nb.nii,bob,\n")
    entries = [{"image": "a.nii", "subject": "ann", name: "seen twice"}, {"image": "b.nii", "subject": "bob"}]
    (tmp_path / "list.json").write_text(json.dumps({"training": entries}))
    for path in (tmp_path / "list.csv", tmp_path / "list.json"):
        caplog.clear()
        assert read_datalist(path) == [
            {"image": str(tmp_path / "a.nii"), "subject": "ann"},
            {"image": str(tmp_path / "b.nii"), "subject": "bob"},
        ]
        (message,) = caplog.messages
        assert message.startswith(f"{path}: not read: {name}; known are image, subject, grade, label, split, seed_x")


def test_a_json_entry_may_give_the_seed_as_a_list(tmp_path):
    entries = [{"image": "a.nii", "seed": [1, 2, 3]}, {"image": "b.nii", "seed": [1, 2]}]
    (tmp_path / "list.json").write_text(json.dumps({"training": entries}))
    good, bad = read_datalist(tmp_path / "list.json")
    assert good["seed"] == [1.0, 2.0, 3.0]
    assert "has the seed [1, 2], expected three numbers" in bad["error"]


@pytest.mark.parametrize("image", ["a.nii", None], ids=["read", "not usable"])
@pytest.mark.parametrize(("value", "name"), [(0, "0"), (7, "7"), (" ann\n", "ann"), ("Mu\u0308ller", "M\u00fcller")])
def test_a_subject_is_one_name_whatever_its_type_spaces_and_form(tmp_path, value, name, image):
    (tmp_path / "list.json").write_text(json.dumps({"training": [{"image": image, "subject": value}]}))
    (record,) = read_datalist(tmp_path / "list.json")
    assert record["subject"] == name


@pytest.mark.parametrize("value", [None, "", "  "])
def test_without_a_subject_the_file_tells_it(tmp_path, value):
    entries = [{"image": f"{place}/a.nii", "subject": value} for place in "pq"]
    (tmp_path / "list.json").write_text(json.dumps({"training": entries}))
    assert [record["subject"] for record in read_datalist(tmp_path / "list.json")] == ["p/a", "q/a"]


def test_letters_in_one_or_two_characters_are_one_person_in_lists_and_folders(tmp_path):
    names = ["M\u00fcller", "Mu\u0308ller"]
    table = "image,subject\n" + "".join(f"{number}.nii,{name}\n" for number, name in enumerate(names))
    (tmp_path / "list.csv").write_text(table, encoding="utf-8")
    (tmp_path / "bare.csv").write_text("image\n" + "".join(f"p/{name}.nii\n" for name in names), encoding="utf-8")
    (tmp_path / "folder").mkdir()
    for name in names:
        (tmp_path / "folder" / f"{name}.nii").touch()
    for source in ("list.csv", "bare.csv", "folder"):
        assert {record["subject"] for record in read_datalist(tmp_path / source)} == {"M\u00fcller"}


def test_a_path_stays_as_the_disk_has_it(tmp_path):
    (tmp_path / "list.csv").write_text("image\nMu\u0308ller.nii\n", encoding="utf-8")
    (record,) = read_datalist(tmp_path / "list.csv")
    assert record["image"] == str(tmp_path / "Mu\u0308ller.nii")
