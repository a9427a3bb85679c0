import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from monai_cardiac_gan.data import Manifest, PatchStore, VolumeEntry
from monai_cardiac_gan.data.manifest import MANIFEST


def entry(key, reason=""):
    return VolumeEntry("ann", "a.nii", key=key, reason=reason)


def test_a_volume_is_there_as_a_whole_with_what_belongs_to_it(tmp_path):
    store = PatchStore(tmp_path / "set")
    store.add(entry("a", "grey"), {"fingerprint.npy": np.arange(3)}, {"note.txt": lambda path: path.write_text("x")})
    assert sorted(path.name for path in store.volume("a").iterdir()) == ["fingerprint.npy", "note.txt", "outcome.json"]
    assert store.outcome("a") == entry("a", "grey")
    assert store.array("a", "fingerprint.npy").tolist() == [0, 1, 2]
    assert store.array("a", "patches.npy") is None


def test_what_is_there_already_stays(tmp_path):
    store = PatchStore(tmp_path)
    store.add(entry("a", "first"))
    assert store.add(entry("a", "second")).reason == "first"


def test_a_volume_of_which_a_part_was_removed_is_made_anew(tmp_path):
    store = PatchStore(tmp_path)
    store.add(entry("a", "first"))
    (store.volume("a") / "outcome.json").unlink()
    assert store.outcome("a") is None
    assert store.add(entry("a", "second")).reason == "second"


@pytest.mark.parametrize("failing", ["array", "companion", "synchronise"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch, failing):
    def full(*arguments, **named):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = PatchStore(tmp_path)
    store.add(entry("before"))
    if failing != "companion":
        monkeypatch.setattr(*{"array": (np, "save"), "synchronise": (os, "fsync")}[failing], full)
    companions = {"figure.png": full} if failing == "companion" else {}
    with pytest.raises(OSError, match="No space left on device"):
        store.add(entry("a"), {"x.npy": np.zeros(3)}, companions)
    assert [path.name for path in (tmp_path / "volumes").iterdir()] == ["before"]
    assert store.outcome("a") is None


def test_only_one_process_at_a_time_may_claim_the_folder(tmp_path):
    code = f"""
from monai_cardiac_gan.data import PatchStore
with PatchStore({str(tmp_path)!r}).claimed():
    pass
"""
    store = PatchStore(tmp_path)
    with store.claimed():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "another process is preparing this patch set; wait until it has ended" in done.stderr
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_claiming_clears_what_a_stopped_process_left(tmp_path):
    store = PatchStore(tmp_path)
    store.add(entry("a"))
    (tmp_path / "volumes" / ".unfinished-123-b").mkdir()
    (tmp_path / ".unfinished-456-manifest.json").touch()
    with store.claimed():
        assert [path.name for path in (tmp_path / "volumes").iterdir()] == ["a"]
        assert not list(tmp_path.glob(".unfinished*"))


def test_a_folder_that_is_no_patch_set_is_never_touched(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with (
        pytest.raises(FileExistsError, match=r"holds thesis\.tex and no patch set; choose another folder"),
        PatchStore(tmp_path).claimed(),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_finishing_with_the_same_content_touches_nothing(tmp_path):
    store = PatchStore(tmp_path)
    path = store.finish(Manifest([entry("a", "one")]))
    before = path.stat().st_mtime_ns
    store.finish(Manifest([entry("a", "one")]))
    assert path.stat().st_mtime_ns == before
    store.finish(Manifest([entry("a", "two")]))
    assert json.loads((tmp_path / MANIFEST).read_text())["volumes"][0]["reason"] == "two"


def test_volumes_that_do_not_belong_to_the_set_are_removed(tmp_path):
    store = PatchStore(tmp_path)
    for key in "abc":
        store.add(entry(key))
    assert store.remove_others("b") == ["a", "c"]
    assert [path.name for path in (tmp_path / "volumes").iterdir()] == ["b"]


def test_odd_keys_and_tables_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"the key is '\.\./x': expected letters, digits"):
        PatchStore(tmp_path).volume("../x")
    with pytest.raises(ValueError, match="got 2 patches and 1 rows: expected equally many"):
        PatchStore(tmp_path).add_patches(entry("a"), np.zeros((2, 1, 1)), [None])
    with pytest.raises(ValueError, match=r"a\.nii has no key: expected one, which names its folder"):
        PatchStore(tmp_path).add(entry(None))
