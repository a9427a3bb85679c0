import os
import resource
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch

from monai_cardiac_gan.atomic import (
    atomic_file,
    atomic_folder,
    atomic_path,
    is_unfinished,
    remove_unfinished,
    write_array,
    write_json,
    write_text,
)

FULL = Path("/dev/full")
"""A device that says that its disk is full as soon as something is written."""


@contextmanager
def full_disk(kind, folder):
    """No more than 8 KiB can be written beside ``folder / 'a.pt'``; the kernel itself refuses."""
    if kind == "full device":
        if not FULL.exists():
            pytest.skip("no /dev/full on this system")
        (folder / ".unfinished").symlink_to(FULL)
        with patch("monai_cardiac_gan.atomic._unfinished", lambda path: path.with_name(".unfinished")):
            yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:  # the limit holds for a log of the tests too, so nothing may be printed meanwhile
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write(path, size):
    with atomic_file(path) as file:
        torch.save(torch.zeros(size), file)


@pytest.mark.parametrize("kind", ["kernel limit", "full device"])
@pytest.mark.parametrize("before", [None, b"what was there"])
def test_a_full_disk_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path, kind, before):
    path = tmp_path / "a.pt"
    if before is not None:
        path.write_bytes(before)
    state = "was not made" if before is None else "is as it was"
    message = rf"a\.pt could not be written \(.*\) and {state}: free space on its disk"
    with pytest.raises(OSError, match=message), full_disk(kind, tmp_path):
        write(path, size=100_000)
    assert [entry.name for entry in tmp_path.iterdir()] == ([] if before is None else ["a.pt"])
    assert before is None or path.read_bytes() == before


def test_the_file_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(os, "fsync", lambda number: steps.append(("sync", os.fstat(number).st_size)))
    replace = Path.replace
    monkeypatch.setattr(
        Path, "replace", lambda *paths: (steps.append(("replace", paths[0].stat().st_size)), replace(*paths))
    )
    with atomic_file(tmp_path / "new" / "a.txt") as file:
        file.write(b"twelve bytes")
    assert steps[:2] == [("sync", 12), ("replace", 12)]
    assert [name for name, _ in steps[2:]] == ["sync"]  # the name of the file, in its folder
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"twelve bytes"


def test_other_failures_pass_as_they_are_and_leave_nothing(tmp_path):
    def write_half():
        with atomic_file(tmp_path / "a.txt") as file:
            file.write(b"half")
            raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    with atomic_path(tmp_path / "a.txt") as one, atomic_path(tmp_path / "a.txt") as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "a.txt").read_text() == "one"  # the one that ended last
    assert len(list(tmp_path.iterdir())) == 1


def test_libraries_that_look_at_the_ending_find_it(tmp_path):
    with atomic_path(tmp_path / "a.nii.gz") as unfinished:
        assert unfinished.name.endswith(".nii.gz")
        assert unfinished.parent == tmp_path
        unfinished.touch()


def test_a_folder_appears_whole_and_stays_as_it_was_first(tmp_path):
    for text in ("first", "second"):
        with atomic_folder(tmp_path / "new" / "a") as folder:
            (folder / "b.txt").write_text(text)
            assert is_unfinished(folder)
    assert (tmp_path / "new" / "a" / "b.txt").read_text() == "first"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a"]


def test_a_folder_that_fails_is_not_there(tmp_path):
    def fail():
        with atomic_folder(tmp_path / "a") as folder:
            (folder / "b.txt").touch()
            raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_json_arrays_and_texts_come_back(tmp_path):
    assert (
        write_json(tmp_path / "a.json", {"b": [1, None]}).read_text()
        == '{\n    "b": [\n        1,\n        null\n    ]\n}\n'
    )
    assert write_text(tmp_path / "a.txt", "grün").read_bytes() == "grün".encode()
    np.testing.assert_array_equal(np.load(write_array(tmp_path / "a.npy", np.arange(3))), np.arange(3))
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / ".unfinished-1-a.txt").touch()
    (tmp_path / ".unfinished-2-b").mkdir()
    (tmp_path / ".hidden").touch()
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".hidden"]
