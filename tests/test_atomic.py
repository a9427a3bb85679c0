import os
import resource
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from monai_cardiac_gan.atomic import atomic_file

FULL = Path("/dev/full")
"""A device that says that its disk is full as soon as something is written."""


@contextmanager
def full_disk(kind, folder):
    """No more than 8 KiB can be written beside ``folder / 'a.pt'``; the kernel itself refuses."""
    if kind == "full device":
        if not FULL.exists():
            pytest.skip("no /dev/full on this system")
        (folder / ".a.pt.part").symlink_to(FULL)
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
    assert steps == [("sync", 12), ("replace", 12)]
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"twelve bytes"


def test_other_failures_pass_as_they_are_and_leave_nothing(tmp_path):
    def write_half():
        with atomic_file(tmp_path / "a.txt") as file:
            file.write(b"half")
            raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        write_half()
    assert list(tmp_path.iterdir()) == []
