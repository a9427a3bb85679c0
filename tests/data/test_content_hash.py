import enum
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import Compose, RandFlip, ScaleIntensityRange

from monai_cardiac_gan.data import InputState, input_state, settings_digest, settings_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_the_digest_of_a_file_is_its_sha256(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12" * 3_000_000)  # more than one block
    state = input_state(path)
    assert state.sha256 == hashlib.sha256(b"12" * 3_000_000).hexdigest()
    assert (state.size, state.files) == (6_000_000, 1)


def test_unchanged_files_are_not_read_again(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    known = input_state(path)
    pretended = InputState(known.size, known.modified, known.files, "from before")
    assert input_state(path, pretended).sha256 == "from before"
    os.utime(path, ns=(0, known.modified + 1))
    assert input_state(path, pretended).sha256 == known.sha256
    path.write_bytes(b"three")
    assert input_state(path, pretended).sha256 == hashlib.sha256(b"three").hexdigest()


def test_a_folder_s_digest_knows_names_and_content(tmp_path):
    def folder(name, files):
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_bytes(content)
        return input_state(tmp_path / name).sha256

    one = folder("one", {"a": b"xy", "b": b"z"})
    assert one == folder("same", {"b": b"z", "a": b"xy"})
    others = [folder("shifted", {"a": b"x", "b": b"yz"}), folder("renamed", {"a": b"xy", "c": b"z"})]
    assert len({one, *others}) == 3


def test_settings_tell_classes_attributes_and_arrays_but_no_random_state():
    steps = Compose([ScaleIntensityRange(0, 5, -1, 1), RandFlip(prob=0.3)])
    told = settings_of(steps)
    assert settings_of(steps) == told
    assert settings_digest(told) == settings_digest(
        settings_of(Compose([ScaleIntensityRange(0, 5, -1, 1), RandFlip(prob=0.3)]))
    )
    assert settings_digest(told) != settings_digest(
        settings_of(Compose([ScaleIntensityRange(0, 6, -1, 1), RandFlip(prob=0.3)]))
    )
    steps.set_random_state(3)
    assert settings_of(steps) == told


def test_values_of_all_kinds_become_json():
    class Colour(enum.Enum):
        RED = "red"

    value = {
        "path": Path("a/b"), "type": torch.float32, "number": np.float32(0.5), "set": {2, 1}, "enum": Colour.RED,
        "function": settings_digest, "random": np.random.default_rng(0), "array": np.arange(3),
    }  # fmt: skip
    told = settings_of(value)
    assert told["path"] == "a/b"
    assert (told["type"], told["number"], told["set"], told["enum"]) == ("torch.float32", 0.5, [1, 2], "red")
    assert told["function"] == "monai_cardiac_gan.data.content_hash.settings_digest"
    assert told["random"] is None
    assert told["array"][:2] == ["int64", [3]]
    assert settings_of(np.arange(3)) != settings_of(np.arange(1, 4))


def test_what_cannot_be_told_is_refused():
    with pytest.raises(TypeError, match="slice has no attributes that tell what it was made with"):
        settings_of({"a": slice(3)})


@given(JSON)
def test_json_values_stay_what_they_are(value):
    assert settings_of(value) == value
