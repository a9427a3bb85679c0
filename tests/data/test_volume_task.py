import pytest

from monai_cardiac_gan.data import InputNotes, VolumeTask, input_fields, input_state, unchanged_inputs, volume_key


@pytest.mark.parametrize(
    ("image", "text", "shown"),
    [
        ("/in/Meyer.nii", "/in/Meyer.nii: of /in", "X: of X"),
        ("/in/Meyer.nii.gz", "Meyer.nii.gz has Meyer_2.raw, Meyerhof", "X has X_2.raw, Meyerhof"),
        ("/in/12.nii", "12.raw: 12 mm, 112.5, 12.5", "X.raw: 12 mm, 112.5, 12.5"),
        ("/in/a.nii", "a wider a.nii", "X wider X"),
    ],
)
def test_under_a_pseudonym_a_text_keeps_its_numbers_and_words(image, text, shown):
    assert VolumeTask(0, {"image": image, "subject": "s"}, "X").shown(text) == shown
    assert VolumeTask(0, {"image": image, "subject": "s"}).shown(text) == text


def test_a_key_tells_content_record_and_settings_but_no_split_and_no_path(tmp_path):
    def key(content="one", steps="s", name="a.nii", **known):
        (tmp_path / name).write_text(content)
        record = {"image": str(tmp_path / name), "subject": "ann", **known}
        return volume_key(VolumeTask(0, record), steps, {"image": input_state(record["image"])})

    first = key()
    assert key(name="b.nii") == key(split="test") == key(label="l.nii") == first
    assert len({first, key("two"), key(steps="t"), key(grade=3.0), key(seed=[1, 2, 3])}) == 5


def test_a_label_map_is_an_input_where_it_is_used():
    record = {"image": "a.nii", "label": "l.nii", "subject": "ann"}
    assert input_fields(record, use_labels=False) == ["image"]
    assert input_fields(record, use_labels=True) == ["image", "label"]


def test_inputs_are_unchanged_while_the_notes_of_them_hold(tmp_path):
    path = tmp_path / "a.nii"
    path.write_text("one")
    record = {"image": str(path), "subject": "ann"}
    assert unchanged_inputs(VolumeTask(0, record), use_labels=False) is None
    notes = InputNotes(tmp_path)
    notes.add("a", {"image": input_state(path)})
    notes.write()
    task = VolumeTask(0, record, known=InputNotes(tmp_path).known("a"))
    assert unchanged_inputs(task, use_labels=False) == task.known
    assert unchanged_inputs(VolumeTask(0, record | {"error": "x"}, known=task.known), use_labels=False) is None
    path.write_text("other")
    assert unchanged_inputs(task, use_labels=False) is None
    path.unlink()
    assert unchanged_inputs(task, use_labels=False) is None
